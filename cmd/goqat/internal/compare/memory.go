package compare

import (
	"bufio"
	"fmt"
	"os"
)

// peakMemory returns the greatest resident set of this process so far in bytes,
// 0 where the system does not tell.
//
// Source: Linux, proc_pid_status(5), VmHWM.
func peakMemory() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kib int64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
