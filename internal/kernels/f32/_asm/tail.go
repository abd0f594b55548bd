package main

import (
	"strings"

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

// bounds are those of what was seen, NaNs left out, and whether there was none.
type bounds struct{ least, most, numbers reg.VecVirtual }

func newBounds() bounds {
	b := bounds{constant(0x7f800000), constant(0xff800000), YMM()}
	VPCMPEQD(b.numbers, b.numbers, b.numbers)
	return b
}

// see adds v, where number is all ones in the lanes that hold no NaN.
func (b *bounds) see(v, number reg.VecVirtual) {
	VMINPS(b.least, v, b.least)
	VMAXPS(b.most, v, b.most)
	VANDPS(number, b.numbers, b.numbers)
}

// A limiter is what a tail does to a vector v, and what it has found so far.
type limiter struct {
	bounds
	constants               reg.GPVirtual
	lo, hi                  reg.VecVirtual
	v, t, s, number, inside reg.VecVirtual
}

func newLimiter() *limiter {
	r := &limiter{constants: slice("k"), bounds: newBounds()}
	r.lo, r.hi = whole.load(r.constant(tailLo)), whole.load(r.constant(tailHi))
	r.v, r.t, r.s, r.number, r.inside = YMM(), YMM(), YMM(), YMM(), YMM()
	return r
}

func (r *limiter) constant(i int) operand.Mem { return operand.Mem{Base: r.constants, Disp: 32 * i} }

// round replaces v by the result and sets inside where the gradient passes. Only observed lanes count; nil means all.
func (r *limiter) round(observed reg.VecVirtual) {
	v, t, s, number, inside := r.v, r.t, r.s, r.number, r.inside
	VMAXPS(v, r.lo, v)
	VMINPS(v, r.hi, v)
	VADDPS(r.constant(tailZero), v, v)
	if observed == nil {
		VCMPPS(operand.U8(ordered), v, v, number)
		r.see(v, number)
	} else { // lanes that do not exist are left out
		absent := YMM()
		VPCMPEQD(absent, absent, absent)
		VANDNPS(absent, observed, absent)
		VORPS(absent, v, t) // NaN
		VCMPPS(operand.U8(ordered), v, v, number)
		VORPS(absent, number, s)
		r.see(t, s)
	}
	VCMPPS(operand.U8(notAtMost), r.constant(tailBottom), v, inside)
	VANDPS(number, inside, inside)
	VCMPPS(operand.U8(notAtLeast), r.constant(tailTop), v, s)
	VANDPS(s, inside, inside)
	plain := label("plain")
	CMPQ(param("rounds"), operand.U8(0))
	JE(operand.LabelRef(plain))
	VDIVPS(r.constant(tailScale), v, t)
	VMINPS(r.constant(tailLimit), t, t)
	VMAXPS(r.constant(tailMinusLimit), t, t)
	VADDPS(r.constant(tailBefore), t, t)
	VANDPS(r.constant(tailSign), t, s)
	VORPS(r.constant(tailHalf), s, s)
	VADDPS(s, t, t)
	VCVTTPS2DQ(t, t)
	VPMAXSD(r.constant(tailLeast), t, s)
	VPMINSD(r.constant(tailMost), s, s)
	VPCMPEQD(t, s, t)
	VANDPS(t, inside, inside)
	VPSUBD(r.constant(tailZeroPoint), s, s)
	VCVTDQ2PS(s, t)
	VMULPS(r.constant(tailScale), t, t)
	VBLENDVPS(number, t, v, v)
	Label(plain)
}

// end returns what was found.
func (b *bounds) end() {
	b.fold()
	bits := GP32()
	VMOVMSKPS(b.numbers, bits)
	b.store(bits, 0xff)
}

// fold leaves the bounds of all lanes in the lowest one.
func (b *bounds) fold() {
	fold(VMINPS, b.least)
	fold(VMAXPS, b.most)
}

// store returns the bounds, and whether a lane lacks its bit.
func (b *bounds) store(bits reg.GPVirtual, all uint32) {
	CMPL(bits, operand.U32(all))
	found := GP8()
	SETNE(found)
	Store(found, Return("nan"))
	VZEROUPPER()
	Store(b.least.AsX(), Return("least"))
	Store(b.most.AsX(), Return("most"))
	RET()
}

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
	r, bits := newLimiter(), GP32()
	Label("eight")
	CMPQ(n, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	VMOVUPS(operand.Mem{Base: x}, r.v)
	r.round(nil)
	VMOVUPS(r.v, operand.Mem{Base: dst})
	TESTQ(masked, masked)
	JE(operand.LabelRef("next"))
	VMOVMSKPS(r.inside, bits)
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
	VMASKMOVPS(operand.Mem{Base: x}, lanes, r.v)
	r.round(lanes)
	VMASKMOVPS(r.v, lanes, operand.Mem{Base: dst})
	TESTQ(masked, masked)
	JE(operand.LabelRef("done"))
	VANDPS(lanes, r.inside, r.inside)
	VMOVMSKPS(r.inside, bits)
	MOVB(bits.As8(), operand.Mem{Base: mask})
	Label("done")
	r.end()
}

// tailPool is a tail behind a bias and before maxima. Vectors of one lane have it in all lanes, lest others be observed.
func tailPool() {
	routine("tailPool", "(y []float32, arg []int32, x, bias, k []float32, rounds int, "+strings.TrimSuffix(windowsParams, ")")+") (least, most float32, nan bool)",
		"finds the maxima y of windows of what tail makes of x+bias, with its bounds, and where they are in x, or -1 where the gradient does not pass:",
		"for each window and channel c {",
		"\tbest := first tap",
		"\tfor each tap e { v[e] = tail(x[e] + bias[c]); if !(v[e] <= v[best]) && v[best] == v[best] { best = e } }",
		"\ty[0], arg[0] = v[best], best or -1; y, arg = y[1:], arg[1:]",
		"}")
	y, arg, x, bias := slice("y"), slice("arg"), slice("x"), slice("bias")
	r, lanes := newLimiter(), laneNumbers()
	best, where, pass := YMM(), YMM(), YMM()
	indices := func(e reg.GPVirtual, v reg.VecVirtual) {
		VMOVD(e.As32(), v.AsX())
		VPBROADCASTD(v.AsX(), v)
		VPADDD(lanes, v, v)
	}
	walk([]reg.GPVirtual{y, arg}, true,
		func(w width, e, _ reg.GPVirtual) { // -Inf at first, which passes where it stays: then nothing limits or rounds
			minusInf := GP32()
			MOVL(operand.U32(0xff800000), minusInf)
			VMOVD(minusInf, best.AsX())
			VPBROADCASTD(best.AsX(), best)
			VPCMPEQD(pass, pass, pass)
			indices(e, where)
		}, func(w width, e, c reg.GPVirtual) {
			v := r.v
			if w == whole {
				VMOVUPS(at(x, e), v)
				VADDPS(at(bias, c), v, v)
			} else {
				VBROADCASTSS(at(x, e), v)
				VBROADCASTSS(at(bias, c), r.t)
				VADDPS(r.t, v, v)
			}
			r.round(nil)
			VCMPPS(operand.U8(notAtMost), best, v, r.t)
			VCMPPS(operand.U8(ordered), best, best, r.s)
			VANDPS(r.s, r.t, r.t)
			VBLENDVPS(r.t, v, best, best)
			VBLENDVPS(r.t, r.inside, pass, pass)
			indices(e, r.s)
			VBLENDVPS(r.t, r.s, where, where)
		}, func(w width, _, c reg.GPVirtual) {
			w.store(best, at(y, c))
			VPCMPEQD(r.s, r.s, r.s)
			VPANDN(r.s, pass, pass)
			VPOR(pass, where, where)
			w.store(where, at(arg, c))
		})
	r.end()
}
