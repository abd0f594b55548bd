//go:build !purego

package q8

import "golang.org/x/sys/cpu"

var (
	avx2 = &dispatch{
		name: "AVX2", lanes: 8, group: 2,
		tiles: []panel{
			{2, []tile{{6, tileAVX2_6x16}, {4, tileAVX2_4x16}, {1, tileAVX2_1x16}}},
			{1, []tile{{6, tileAVX2_6x8}, {4, tileAVX2_4x8}, {1, tileAVX2_1x8}}},
		},
		depthwise: depthwiseAVX2,
		step:      16, widen: widenAVX2, interleave: interleaveAVX2,
		sum: sumAVX2, difference: differenceAVX2, product: productAVX2,
		real:     realAVX2,
		quantize: quantizeAVX2, dequantize: dequantizeAVX2,
		max: maxAVX2, average: averageAVX2, total: totalAVX2,
	}
	vnni = &dispatch{
		name: "VNNI", lanes: 16, group: 4, masks: true,
		tiles: []panel{
			{4, []tile{{6, tileVNNI_6x64}, {4, tileVNNI_4x64}, {2, tileVNNI_2x64}, {1, tileVNNI_1x64}}},
			{2, []tile{{8, tileVNNI_8x32}, {4, tileVNNI_4x32}, {2, tileVNNI_2x32}, {1, tileVNNI_1x32}}},
			{1, []tile{{8, tileVNNI_8x16}, {4, tileVNNI_4x16}, {2, tileVNNI_2x16}, {1, tileVNNI_1x16}}},
		},
		depthwise: depthwiseVNNI,
		step:      64, widen: widenVNNI, interleave: interleaveVNNI,
		sum: sumVNNI, difference: differenceVNNI, product: productVNNI,
		real:     realVNNI,
		quantize: quantizeAVX2, dequantize: dequantizeAVX2,
		max: maxAVX2, average: averageAVX2, total: totalAVX2,
	}
)

func detected() []*dispatch {
	var list []*dispatch
	x := cpu.X86
	if x.HasAVX2 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI {
		list = append(list, vnni)
	}
	if x.HasAVX2 {
		list = append(list, avx2)
	}
	return append(list, portable)
}
