//go:build !purego

package u8

import "golang.org/x/sys/cpu"

var avx2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// convert computes b*high + b*low, the last product and the sum rounded together, for most of src, and returns for how
// many bytes.
func convert(dst []float32, src []uint8, high, low float32) int {
	if !avx2 {
		return 0
	}
	n := len(src) &^ 15
	if n > 0 {
		convertAVX2(dst[:n], src[:n], high, low)
	}
	return n
}

func prefetch(x []uint8) { prefetchT0(x) }
