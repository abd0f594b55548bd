//go:build !purego

package f32

import "golang.org/x/sys/cpu"

var (
	avx2   = &dispatch{name: "AVX2", fused: true, gemm: gemmAVX2, packed: packedWidths[:2], vectors: vectorsAVX2, peak: peakAVX2, peakOps: 2 * 12 * 8}
	avx512 = &dispatch{name: "AVX512", fused: true, gemm: gemmAVX512, packed: packedWidths, vectors: vectorsAVX512(), peak: peakAVX512, peakOps: 2 * 24 * 16}
)

var packedWidths = []packedWidth{
	{8, []packedTile{{8, packedAVX2_8x8}, {4, packedAVX2_4x8}, {2, packedAVX2_2x8}, {1, packedAVX2_1x8}}, nil},
	{16, []packedTile{{6, packedAVX2_6x16}, {4, packedAVX2_4x16}, {2, packedAVX2_2x16}, {1, packedAVX2_1x16}}, packedAVX2_1x32},
	{32, []packedTile{{8, packedAVX512_8x32}, {4, packedAVX512_4x32}, {2, packedAVX512_2x32}, {1, packedAVX512_1x32}}, packedAVX512_1x64},
}

func detected() []*dispatch {
	var list []*dispatch
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI1 {
		list = append(list, avx2)
		if cpu.X86.HasAVX512F {
			list = append([]*dispatch{avx512}, list...)
		}
	}
	return append(list, portable)
}
