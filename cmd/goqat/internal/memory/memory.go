package memory

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

// Peak returns the greatest resident set of this process in bytes, since its
// start or the last [Reset]; 0 where the system does not tell.
//
// Source: Linux, proc_pid_status(5), VmHWM.
func Peak() int64 {
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

// Reset gives unused memory back, so that [Peak] counts what follows, as far as
// the system allows it.
//
// Source: Linux, proc_pid_clear_refs(5), 5.
func Reset() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // without it Peak is that of the whole process
}
