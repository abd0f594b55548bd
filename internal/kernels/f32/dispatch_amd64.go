//go:build !purego

package f32

import "golang.org/x/sys/cpu"

var (
	avx2   = &dispatch{name: "AVX2", fused: true, gemm: gemmAVX2, vectors: vectorsAVX2, peak: peakAVX2, peakOps: 2 * 12 * 8}
	avx512 = &dispatch{name: "AVX512", fused: true, gemm: gemmAVX512, vectors: vectorsAVX2, peak: peakAVX512, peakOps: 2 * 24 * 16}
)

func detected() []*dispatch {
	var list []*dispatch
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		list = append(list, avx2)
		if cpu.X86.HasAVX512F {
			list = append([]*dispatch{avx512}, list...)
		}
	}
	return append(list, portable)
}
