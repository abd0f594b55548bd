package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Vectors of the parameter k of tail: the fields of tailConstants.
const (
	tailLo = iota
	tailHi
	tailZero
	tailBottom
	tailTop
	tailScale
	tailBefore
	tailHalf
	tailZeroPoint
	tailLeast
	tailMost
	tailLimit
	tailMinusLimit
	tailSign
)

// tail is an activation and fake quantization in one pass. Its constants are many, and read where they are used.
func tail() {
	routine("tail", "(dst, x []float32, mask []uint8, k []float32, rounds int) (least, most float32, nan bool)",
		"limits x to [lo, hi] and, unless rounds is 0, rounds it as fakeQuantize; it returns the bounds of what was limited, without NaNs:",
		"for i, v := range x {",
		"\tv = min(max(v, lo), hi) + zero",
		"\tleast, most, nan = min(least, v), max(most, v), nan || v != v // +Inf, -Inf, false at first",
		"\tbit i%8 of mask[i/8] = !(v <= bottom) && !(v >= top) && v == v && rounding did not saturate",
		"\tdst[i] = v, or rounded",
		"}")
	dst, x, mask, n, masked := slice("dst"), slice("x"), slice("mask"), size("x"), size("mask")
	k, rounds := slice("k"), number("rounds")
	constant32 := func(i int) operand.Mem { return operand.Mem{Base: k, Disp: 32 * i} }
	lo, hi, zero := YMM(), YMM(), YMM()
	VMOVUPS(constant32(tailLo), lo)
	VMOVUPS(constant32(tailHi), hi)
	VMOVUPS(constant32(tailZero), zero)
	scale := YMM()
	VMOVUPS(constant32(tailScale), scale)
	least, most, numbers := constant(0x7f800000), constant(0xff800000), YMM()
	VPCMPEQD(numbers, numbers, numbers)
	v, t, s, number, inside := YMM(), YMM(), YMM(), YMM(), YMM()
	bits := GP32()
	// round turns v into the result in t, and the bits.
	round := func(plain string, observed reg.VecVirtual) {
		VMAXPS(v, lo, v)
		VMINPS(v, hi, v)
		VADDPS(zero, v, v)
		if observed == nil {
			VMINPS(least, v, least)
			VMAXPS(most, v, most)
			VCMPPS(operand.U8(ordered), v, v, number)
			VANDPS(number, numbers, numbers)
		} else { // lanes that do not exist are left out
			absent := YMM()
			VPCMPEQD(absent, absent, absent)
			VANDNPS(absent, observed, absent)
			VORPS(absent, v, t) // NaN
			VMINPS(least, t, least)
			VMAXPS(most, t, most)
			VCMPPS(operand.U8(ordered), v, v, number)
			VORPS(absent, number, s)
			VANDPS(s, numbers, numbers)
		}
		VCMPPS(operand.U8(notAtMost), constant32(tailBottom), v, inside)
		VANDPS(number, inside, inside)
		VCMPPS(operand.U8(notAtLeast), constant32(tailTop), v, s)
		VANDPS(s, inside, inside)
		TESTQ(rounds, rounds)
		JE(operand.LabelRef(plain))
		VDIVPS(scale, v, t)
		VMINPS(constant32(tailLimit), t, t)
		VMAXPS(constant32(tailMinusLimit), t, t)
		VADDPS(constant32(tailBefore), t, t)
		VANDPS(constant32(tailSign), t, s)
		VORPS(constant32(tailHalf), s, s)
		VADDPS(s, t, t)
		VCVTTPS2DQ(t, t)
		VPMAXSD(constant32(tailLeast), t, s)
		VPMINSD(constant32(tailMost), s, s)
		VPCMPEQD(t, s, t)
		VANDPS(t, inside, inside)
		VPSUBD(constant32(tailZeroPoint), s, s)
		VCVTDQ2PS(s, t)
		VMULPS(scale, t, t)
		VBLENDVPS(number, t, v, v)
		Label(plain)
		VMOVMSKPS(inside, bits)
	}
	Label("eight")
	CMPQ(n, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	VMOVUPS(operand.Mem{Base: x}, v)
	round("plain", nil)
	VMOVUPS(v, operand.Mem{Base: dst})
	TESTQ(masked, masked)
	JE(operand.LabelRef("next"))
	MOVB(bits.As8(), operand.Mem{Base: mask})
	INCQ(mask)
	Label("next")
	ADDQ(operand.U8(32), x)
	ADDQ(operand.U8(32), dst)
	SUBQ(operand.U8(8), n)
	JMP(operand.LabelRef("eight"))
	Label("rest")
	TESTQ(n, n)
	JE(operand.LabelRef("done"))
	lanes := firstLanes(n)
	VMASKMOVPS(operand.Mem{Base: x}, lanes, v)
	round("plainRest", lanes)
	VMASKMOVPS(v, lanes, operand.Mem{Base: dst})
	TESTQ(masked, masked)
	JE(operand.LabelRef("done"))
	exist := GP32()
	VMOVMSKPS(lanes, exist)
	ANDL(exist, bits)
	MOVB(bits.As8(), operand.Mem{Base: mask})
	Label("done")
	fold(VMINPS, least)
	fold(VMAXPS, most)
	VMOVMSKPS(numbers, bits)
	CMPL(bits, operand.U32(0xff))
	found := GP8()
	SETNE(found)
	Store(found, Return("nan"))
	VZEROUPPER()
	Store(least.AsX(), Return("least"))
	Store(most.AsX(), Return("most"))
	RET()
}
