package memory

import (
	"runtime"
	"testing"
)

func TestPeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		if got := Peak(); got != 0 {
			t.Errorf("Peak is %d on a system that does not tell", got)
		}
		return
	}
	before := Peak()
	big := make([]byte, 64<<20)
	for i := range big {
		big[i] = 1 // memory never touched is not resident
	}
	if got := Peak(); got < before || got < int64(len(big)) {
		t.Errorf("Peak is %d after %d and %d bytes", got, before, len(big))
	}
	runtime.KeepAlive(big)
	Reset()
	if got := Peak(); got <= 0 {
		t.Errorf("Peak is %d after Reset", got)
	}
}
