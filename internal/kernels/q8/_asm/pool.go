package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools are the routines that reduce, for some channels, what lies under the taps
// of a row of pixels. AVX2 is enough for them.
func pools() {
	const params = "dst, src *byte, taps *int32, count, step, stride, pixels int"
	reduce := func(size uint8, doc ...string) (dst, src reg.Register, each func(tap func(operand.Mem), finish func())) {
		Doc(doc...)
		Pragma("noescape")
		dst, src = Load(Param("dst"), GP64()), Load(Param("src"), GP64())
		taps, step, stride, pixels := Load(Param("taps"), GP64()), Load(Param("step"), GP64()), Load(Param("stride"), GP64()), Load(Param("pixels"), GP64())
		return dst, src, func(tap func(operand.Mem), finish func()) {
			at, left, offset := GP64(), GP64(), GP64()
			MOVQ(taps, at)
			Load(Param("count"), left)
			Label("tap")
			MOVLQSX(operand.Mem{Base: at}, offset)
			tap(operand.Mem{Base: src, Index: offset, Scale: size})
			ADDQ(operand.U8(4), at)
			DECQ(left)
			JNE(operand.LabelRef("tap"))
			finish()
			ADDQ(step, src)
			ADDQ(stride, dst)
			DECQ(pixels)
			JNE(operand.LabelRef("pixel"))
			VZEROUPPER()
			RET()
		}
	}

	TEXT("maxAVX2", NOSPLIT, "func("+params+", limits *int32)")
	dst, _, each := reduce(1, "maxAVX2 computes 16 channels:", "",
		"\tdst[p*stride+c] = clamp(max over t < count of src[p*step+taps[t]+c])    for p < pixels, c < 16")
	limits := Load(Param("limits"), GP64())
	VMOVDQU(operand.Mem{Base: limits}, xmm[1])
	VMOVDQU(operand.Mem{Base: limits, Disp: 64}, xmm[2])
	Label("pixel")
	VMOVDQA(xmm[1], xmm[0])
	each(func(m operand.Mem) { VPMAXSB(m, xmm[0], xmm[0]) }, func() {
		VPMINSB(xmm[2], xmm[0], xmm[0])
		VMOVDQU(xmm[0], operand.Mem{Base: dst})
	})

	TEXT("averageAVX2", NOSPLIT, "func("+params+", limits *int32)")
	dst, _, each = reduce(1, "averageAVX2 computes 8 channels, of at most 2^15 taps:", "",
		"\ts = sum over t < count of src[p*step+taps[t]+c]",
		"\tdst[p*stride+c] = clamp((s + half) / count)    for p < pixels, c < 8",
		"", "with half = count/2, negative where s is not positive. The float32 quotient is exact enough to be cut to an integer.")
	limits = Load(Param("limits"), GP64())
	count := GP32()
	Load(Param("count"), count.As64())
	VMOVD(count, xmm[4])
	VPBROADCASTD(xmm[4], ymm[4])
	VPSRLD(operand.U8(1), ymm[4], ymm[5])
	VCVTDQ2PS(ymm[4], ymm[4])
	VPXOR(ymm[6], ymm[6], ymm[6])
	Label("pixel")
	VPXOR(ymm[0], ymm[0], ymm[0])
	each(func(m operand.Mem) {
		VPMOVSXBD(m, ymm[1])
		VPADDD(ymm[1], ymm[0], ymm[0])
	}, func() {
		VPCMPGTD(ymm[6], ymm[0], ymm[1]) // -1 where s > 0
		VPXOR(ymm[1], ymm[5], ymm[2])    // -half-1 there, half elsewhere
		VPSUBD(ymm[1], ymm[2], ymm[2])   // -half there
		VPSUBD(ymm[2], ymm[0], ymm[0])
		VCVTDQ2PS(ymm[0], ymm[0])
		VDIVPS(ymm[4], ymm[0], ymm[0])
		VCVTTPS2DQ(ymm[0], ymm[0])
		avx2.narrow(0, 1, operand.Mem{Base: limits}, operand.Mem{Base: dst})
	})

	TEXT("maxWordsAVX2", NOSPLIT, "func("+params+", limits *int32)")
	dst, _, each = reduce(2, "maxWordsAVX2 computes 16 channels of 16 bits; step and stride are bytes:", "",
		"\tdst[p*stride+c] = clamp(max over t < count of src[p*step+taps[t]+c])    for p < pixels, c < 16")
	limits = Load(Param("limits"), GP64())
	VMOVDQU(operand.Mem{Base: limits}, ymm[1])
	VMOVDQU(operand.Mem{Base: limits, Disp: 64}, ymm[2])
	Label("pixel")
	VMOVDQA(ymm[1], ymm[0])
	each(func(m operand.Mem) { VPMAXSW(m, ymm[0], ymm[0]) }, func() {
		VPMINSW(ymm[2], ymm[0], ymm[0])
		VMOVDQU(ymm[0], operand.Mem{Base: dst})
	})

	TEXT("averageWordsAVX2", NOSPLIT, "func("+params+", limits *int32)")
	dst, _, each = reduce(2, "averageWordsAVX2 computes 8 channels of 16 bits, of at most 2^15 taps, as averageAVX2; step and stride are bytes.")
	limits = Load(Param("limits"), GP64())
	count = GP32()
	Load(Param("count"), count.As64())
	VMOVD(count, xmm[4])
	VPBROADCASTD(xmm[4], ymm[4])
	VPSRLD(operand.U8(1), ymm[4], ymm[5])
	VCVTDQ2PD(xmm[4], ymm[4])
	VPXOR(ymm[6], ymm[6], ymm[6])
	Label("pixel")
	VPXOR(ymm[0], ymm[0], ymm[0])
	each(func(m operand.Mem) {
		VPMOVSXWD(m, ymm[1])
		VPADDD(ymm[1], ymm[0], ymm[0])
	}, func() {
		VPCMPGTD(ymm[6], ymm[0], ymm[1])
		VPXOR(ymm[1], ymm[5], ymm[2])
		VPSUBD(ymm[1], ymm[2], ymm[2])
		VPSUBD(ymm[2], ymm[0], ymm[0])
		VEXTRACTI128(operand.U8(1), ymm[0], xmm[1])
		for v := range 2 {
			VCVTDQ2PD(xmm[v], ymm[v])
			VDIVPD(ymm[4], ymm[v], ymm[v])
			VCVTTPD2DQY(ymm[v], xmm[v])
		}
		VPACKSSDW(xmm[1], xmm[0], xmm[0])
		VPMAXSW(operand.Mem{Base: limits}, xmm[0], xmm[0])
		VPMINSW(operand.Mem{Base: limits, Disp: 64}, xmm[0], xmm[0])
		VMOVDQU(xmm[0], operand.Mem{Base: dst})
	})

	total("total", VPMOVSXBD)
	total("totalWords", VPMOVSXWD)
}

// total makes the routine that adds up codes.
func total(name string, widen func(...operand.Op)) {
	TEXT(name+"AVX2", NOSPLIT, "func(dst *int32, src *byte, count, stride int)")
	Doc(name+"AVX2 adds up 8 channels; stride is bytes:", "", "\tdst[c] = sum over p < count of src[p*stride+c]    for c < 8")
	Pragma("noescape")
	from, n, stride := Load(Param("src"), GP64()), Load(Param("count"), GP64()), Load(Param("stride"), GP64())
	VPXOR(ymm[0], ymm[0], ymm[0])
	Label("next")
	widen(operand.Mem{Base: from}, ymm[1])
	VPADDD(ymm[1], ymm[0], ymm[0])
	ADDQ(stride, from)
	DECQ(n)
	JNE(operand.LabelRef("next"))
	VMOVDQU(ymm[0], operand.Mem{Base: Load(Param("dst"), GP64())})
	VZEROUPPER()
	RET()
}
