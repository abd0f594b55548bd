package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const normTailParams = "(dst, x, mean, invStd, gamma, beta []float32, "

// normTail makes the routines that run a normalization and the tail behind it in one pass over multiples of eight
// elements and columns: normalize, and then tail.
func normTail() {
	clampNormalized()
	roundNormalized(true)
	roundNormalized(false)
}

// normalized is the loop of these routines.
type normalized struct {
	dst, x, mean, invStd, gamma, beta reg.GPVirtual
	k                                 reg.GPVirtual
	lo, hi, zero                      reg.VecVirtual
}

func newNormalized() *normalized {
	n := &normalized{
		dst: slice("dst"), x: slice("x"), mean: slice("mean"), invStd: slice("invStd"), gamma: slice("gamma"), beta: slice("beta"),
		k: slice("k"),
	}
	n.lo, n.hi, n.zero = n.load(tailLo), n.load(tailHi), n.load(tailZero)
	return n
}

func (n *normalized) constant(i int) operand.Mem { return operand.Mem{Base: n.k, Disp: 32 * i} }

func (n *normalized) load(i int) reg.VecVirtual {
	v := YMM()
	VMOVUPS(n.constant(i), v)
	return v
}

// each runs body on the limited normalizations, eight at a time. It changes them to what is stored.
func (n *normalized) each(body func(v reg.VecVirtual)) {
	repeatWhole(8, size("dst"), size("mean"), []reg.GPVirtual{n.dst, n.x}, func(i reg.GPVirtual) {
		v := YMM()
		VMOVUPS(at(n.x, i), v)
		VSUBPS(at(n.mean, i), v, v)
		VMULPS(at(n.invStd, i), v, v)
		VMULPS(at(n.gamma, i), v, v)
		VADDPS(at(n.beta, i), v, v)
		VMAXPS(v, n.lo, v)
		VMINPS(v, n.hi, v)
		VADDPS(n.zero, v, v)
		body(v)
		VMOVUPS(v, at(n.dst, i))
	})
}

// inside returns the lanes whose activation passes the gradient; NaNs do not.
func (n *normalized) inside(v reg.VecVirtual, bottom, top operand.Op) reg.VecVirtual {
	inside, t := YMM(), YMM()
	VCMPPS(operand.U8(notAtMost), bottom, v, inside)
	VCMPPS(operand.U8(notAtLeast), top, v, t)
	VANDPS(t, inside, inside)
	return inside
}

func clampNormalized() {
	routine("clampNormalized", normTailParams+"mask []uint8, k []float32)", "runs normalize and a tail that does not round; mask may be empty")
	n := newNormalized()
	mask, masked := slice("mask"), size("mask")
	TESTQ(masked, masked)
	JE(operand.LabelRef("plain"))
	bottom, top, bits := n.load(tailBottom), n.load(tailTop), GP32()
	dst, x := GP64(), GP64()
	MOVQ(n.dst, dst)
	MOVQ(n.x, x)
	plain := *n
	n.dst, n.x = dst, x
	n.each(func(v reg.VecVirtual) {
		inside, number := n.inside(v, bottom, top), YMM()
		VCMPPS(operand.U8(ordered), v, v, number)
		VANDPS(number, inside, inside)
		VMOVMSKPS(inside, bits)
		MOVB(bits.As8(), operand.Mem{Base: mask})
		INCQ(mask)
	})
	end()
	Label("plain")
	plain.each(func(reg.VecVirtual) {})
	end()
}

// roundNormalized is made with bits and bounds, and without.
func roundNormalized(observed bool) {
	if observed {
		routine("roundNormalized", normTailParams+"mask []uint8, k []float32) (least, most float32, nan bool)", "runs normalize and a tail that rounds")
	} else {
		routine("restoreNormalized", normTailParams+"k []float32)", "is roundNormalized but for the bits and bounds")
	}
	n := newNormalized()
	scale := n.load(tailScale)
	var mask reg.GPVirtual
	var bounds bounds
	var limit, half, sign, least, most, zeroPoint operand.Op
	bits := GP32()
	if observed {
		mask = slice("mask")
		bounds = newBounds()
		limit, half, sign, zeroPoint = n.constant(tailLimit), n.constant(tailHalf), n.constant(tailSign), n.constant(tailZeroPoint)
		least, most = n.constant(tailLeast), n.constant(tailMost)
	} else {
		limit, half, sign, zeroPoint = n.load(tailLimit), n.load(tailHalf), n.load(tailSign), n.load(tailZeroPoint)
		least, most = n.load(tailLeast), n.load(tailMost)
	}
	n.each(func(v reg.VecVirtual) {
		number, t, s := YMM(), YMM(), YMM()
		VCMPPS(operand.U8(ordered), v, v, number)
		var inside reg.VecVirtual
		if observed {
			bounds.see(v, number)
			inside = n.inside(v, n.constant(tailBottom), n.constant(tailTop))
		}
		// A quotient below all codes needs no limit: the smallest integer, which it may become, is one as well.
		VDIVPS(scale, v, t)
		VMINPS(limit, t, t)
		VADDPS(n.constant(tailBefore), t, t)
		VANDPS(sign, t, s)
		VORPS(half, s, s)
		VADDPS(s, t, t)
		VCVTTPS2DQ(t, t)
		VPMAXSD(least, t, s)
		VPMINSD(most, s, s)
		if observed {
			VPCMPEQD(t, s, t)
			VANDPS(t, inside, inside)
			VANDPS(number, inside, inside)
			VMOVMSKPS(inside, bits)
			MOVB(bits.As8(), operand.Mem{Base: mask})
			INCQ(mask)
		}
		VPSUBD(zeroPoint, s, s)
		VCVTDQ2PS(s, s)
		VMULPS(scale, s, s)
		VBLENDVPS(number, s, v, v)
	})
	if observed {
		bounds.end()
		return
	}
	end()
}
