//go:build !purego

package q8

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var (
	avx2 = &dispatch{
		name: "AVX2", lanes: 8, group: 2, dense: avx2Bytes, words: avx2Words,
		panels:    avx2Panels,
		depthwise: depthwiseAVX2, depthwise3: depthwise3AVX2,
		step: 16, widen: widenAVX2, interleave: interleaveAVX2,
		sum: sumAVX2, sumOfHalf: sumOfHalfAVX2, difference: differenceAVX2, product: productAVX2, linear: linearAVX2,
		singleProduct: singleProductAVX2,
		real:          realAVX2,
		quantize:      quantizeAVX2, dequantize: dequantizeAVX2, encode: encodeAVX2, encodeEven: encodeEvenAVX2, extent: extentAVX2,
		hybridFirst: hybridFirstAVX2, hybridLast: hybridLastAVX2, spread: spreadAVX2,
		max: maxAVX2, average: averageAVX2, total: totalAVX2,
	}
	vnni = &dispatch{
		name: "VNNI", lanes: 16, group: 4, raise: 128, masks: true, words: vnniWords,
		panels: []panel{
			{1, 8, false, []tile{{8, tileVNNIHalf_8x8}, {4, tileVNNIHalf_4x8}, {1, tileVNNIHalf_1x8}}, nil},
			{1, 16, true, []tile{{8, tileVNNI_8x16}, {4, tileVNNI_4x16}, {2, tileVNNI_2x16}, {1, tileVNNI_1x16}}, nil},
			{2, 16, true, []tile{{8, tileVNNI_8x32}, {4, tileVNNI_4x32}, {2, tileVNNI_2x32}, {1, tileVNNI_1x32}}, nil},
			{4, 16, true, []tile{{6, tileVNNI_6x64}, {4, tileVNNI_4x64}, {2, tileVNNI_2x64}, {1, tileVNNI_1x64}}, rowVNNI_64},
		},
		depthwise: depthwiseVNNI, depthwise3: depthwise3VNNI,
		step: 64, widen: widenVNNI, interleave: interleaveVNNI,
		sum: sumVNNI, sumOfHalf: sumOfHalfVNNI, difference: differenceVNNI, product: productVNNI, linear: linearVNNI,
		singleProduct: singleProductVNNI,
		real:          realVNNI,
		quantize:      quantizeAVX2, dequantize: dequantizeAVX2, encode: encodeVNNI, encodeEven: encodeEvenAVX2, extent: extentAVX2,
		hybridFirst: hybridFirstVNNI, hybridLast: hybridLastVNNI, spread: spreadAVX2,
		max: maxAVX2, average: averageAVX2, total: totalAVX2,
	}
)

// vnniWords multiplies codes of 16 bits.
var vnniWords = &dispatch{
	name: "VNNI", lanes: 16, group: 2,
	panels: []panel{
		{1, 16, true, []tile{{8, tileVNNIWords_8x16}, {4, tileVNNIWords_4x16}, {1, tileVNNIWords_1x16}}, nil},
		{2, 16, true, []tile{{8, tileVNNIWords_8x32}, {4, tileVNNIWords_4x32}, {1, tileVNNIWords_1x32}}, nil},
	},
	depthwise: depthwiseVNNIWords, depthwise3: depthwise3VNNIWords,
	step: 16, widen: widenAVX2, interleave: interleaveWordsAVX2,
	wordsUp: wordsUpVNNI, wordsAway: wordsAwayVNNI, sum: sumWordsVNNI, sumOfHalf: sumOfHalfWordsVNNI, difference: differenceWordsVNNI, product: productWordsVNNI, max: maxWordsAVX2, average: averageWordsAVX2, total: totalWordsAVX2,
	lines: []panel{
		{1, 16, true, []tile{{8, linesVNNIWords_8x16}, {4, linesVNNIWords_4x16}, {1, linesVNNIWords_1x16}}, nil},
		{2, 16, true, []tile{{8, linesVNNIWords_8x32}, {4, linesVNNIWords_4x32}, {1, linesVNNIWords_1x32}}, nil},
	},
	winogradIn: winogradInAVX2, winogradOut: winogradOutVNNI,
}

// avx2Words is avx2, whose codes have 16 bits.
var avx2Words = &dispatch{
	name: "AVX2", lanes: 8, group: 2, panels: avx2Panels,
	depthwise: depthwiseAVX2, depthwise3: depthwise3AVX2,
	step: 16, widen: widenAVX2, interleave: interleaveWordsAVX2,
	wordsUp: wordsUpAVX2, wordsAway: wordsAwayAVX2, sum: sumWordsAVX2, sumOfHalf: sumOfHalfWordsAVX2, difference: differenceWordsAVX2, product: productWordsAVX2, max: maxWordsAVX2, average: averageWordsAVX2, total: totalWordsAVX2,
	lines: []panel{
		{1, 8, false, []tile{{6, linesAVX2_6x8}, {4, linesAVX2_4x8}, {1, linesAVX2_1x8}}, nil},
		{2, 8, false, []tile{{6, linesAVX2_6x16}, {4, linesAVX2_4x16}, {1, linesAVX2_1x16}}, nil},
	},
	winogradIn: winogradInAVX2, winogradOut: winogradOutAVX2,
}

var avx2Panels = []panel{
	{1, 8, false, []tile{{6, tileAVX2_6x8}, {4, tileAVX2_4x8}, {1, tileAVX2_1x8}}, nil},
	{2, 8, false, []tile{{6, tileAVX2_6x16}, {4, tileAVX2_4x16}, {1, tileAVX2_1x16}}, nil},
}

// avx2Bytes multiplies codes as they are.
var avx2Bytes = &dispatch{
	name: "AVX2", lanes: 8, group: 4,
	panels: []panel{
		{1, 8, false, []tile{{1, tileAVX2Bytes_1x8}}, nil},
		{4, 8, false, []tile{{1, tileAVX2Bytes_1x32}}, nil},
		{8, 8, false, []tile{{1, tileAVX2Bytes_1x64}}, rowAVX2Bytes_64},
	},
	step: 1, widen: func(dst, src *byte, n int) { copy(unsafe.Slice(dst, n), unsafe.Slice(src, n)) },
	real: realAVX2,
}

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
