package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func rounding() {
	fakeQuantize()
	maskGrad()
}

// fakeQuantize rounds eight elements at a time, the last ones under a mask of lanes.
func fakeQuantize() {
	routine("fakeQuantize", "(y, x []float32, mask []uint8, scale, before, half float32, after, zero, lo, hi int32)",
		"rounds x to codes and writes their values; bit i%8 of mask[i/8], unless mask is empty, says whether code i lies in [lo, hi]:",
		"for i, v := range x {",
		"\tt := min(max(v/scale, -1<<22), 1<<22) + before",
		"\tq := int32(t + copysign(half, t)) + after // rounded towards zero",
		"\ty[i] = scale * float32(min(max(q, lo), hi) - zero) // v where v is NaN; then the bit is 0",
		"}")
	y, x, n, mask := slice("y"), slice("x"), size("x"), slice("mask")
	scale, before, half := splat("scale"), splat("before"), splat("half")
	after, zero, lo, hi := splat("after"), splat("zero"), splat("lo"), splat("hi")
	most, least, sign := constant(0x4a800000), constant(0xca800000), constant(0x80000000)
	masked := size("mask")
	round := func(v, t reg.VecVirtual) (bits reg.GPVirtual) {
		VDIVPS(scale, v, t)
		VMINPS(most, t, t)
		VMAXPS(least, t, t)
		VADDPS(before, t, t)
		s := YMM()
		VANDPS(sign, t, s)
		VORPS(half, s, s)
		VADDPS(s, t, t)
		VCVTTPS2DQ(t, t)
		VPADDD(after, t, t)
		outside := YMM()
		VPCMPGTD(hi, t, outside)
		VPCMPGTD(t, lo, s)
		VORPS(s, outside, outside)
		VPMAXSD(lo, t, t)
		VPMINSD(hi, t, t)
		VPSUBD(zero, t, t)
		VCVTDQ2PS(t, t)
		VMULPS(scale, t, t)
		VCMPPS(operand.U8(unordered), v, v, s)
		VBLENDVPS(s, v, t, t)
		VORPS(s, outside, outside)
		bits = GP32()
		VMOVMSKPS(outside, bits)
		XORL(operand.U32(0xff), bits)
		return bits
	}
	v, t := YMM(), YMM()
	Label("eight")
	CMPQ(n, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	VMOVUPS(operand.Mem{Base: x}, v)
	bits := round(v, t)
	VMOVUPS(t, operand.Mem{Base: y})
	TESTQ(masked, masked)
	JE(operand.LabelRef("next"))
	MOVB(bits.As8(), operand.Mem{Base: mask})
	INCQ(mask)
	Label("next")
	ADDQ(operand.U8(32), x)
	ADDQ(operand.U8(32), y)
	SUBQ(operand.U8(8), n)
	JMP(operand.LabelRef("eight"))
	Label("rest")
	TESTQ(n, n)
	JE(operand.LabelRef("done"))
	lanes := firstLanes(n)
	VMASKMOVPS(operand.Mem{Base: x}, lanes, v)
	bits = round(v, t)
	VMASKMOVPS(t, lanes, operand.Mem{Base: y})
	TESTQ(masked, masked)
	JE(operand.LabelRef("done"))
	exist := GP32()
	VMOVMSKPS(lanes, exist)
	ANDL(exist, bits)
	MOVB(bits.As8(), operand.Mem{Base: mask})
	Label("done")
	end()
}

func maskGrad() {
	routine("maskGrad", "(dx, dy []float32, mask []uint8)", "passes dy where the mask has a bit:",
		"for i := range dx { if mask[i/8]>>(i%8)&1 == 1 { dx[i] = dy[i] } else { dx[i] = 0 } }")
	dx, dy, mask, n := slice("dx"), slice("dy"), slice("mask"), size("dx")
	bits := YMM()
	p := GP64()
	LEAQ(eightBits, p)
	VMOVUPS(operand.Mem{Base: p}, bits)
	m := YMM()
	expand := func() {
		g := GP32()
		MOVBLZX(operand.Mem{Base: mask}, g)
		VMOVD(g, m.AsX())
		VPBROADCASTD(m.AsX(), m)
		VPAND(bits, m, m)
		VPCMPEQD(bits, m, m)
	}
	Label("eight")
	CMPQ(n, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	expand()
	VANDPS(operand.Mem{Base: dy}, m, m)
	VMOVUPS(m, operand.Mem{Base: dx})
	INCQ(mask)
	ADDQ(operand.U8(32), dx)
	ADDQ(operand.U8(32), dy)
	SUBQ(operand.U8(8), n)
	JMP(operand.LabelRef("eight"))
	Label("rest")
	TESTQ(n, n)
	JE(operand.LabelRef("done"))
	lanes := firstLanes(n)
	expand()
	d := YMM()
	VMASKMOVPS(operand.Mem{Base: dy}, lanes, d)
	VANDPS(d, m, m)
	VMASKMOVPS(m, lanes, operand.Mem{Base: dx})
	Label("done")
	end()
}
