package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines in this file serve windows of 2x2 taps that lie apart, and at least eight channels.

// pairs walks along a row of such windows.
type pairs struct {
	channels, first, count reg.GPVirtual
	pixel, line, both      reg.GPVirtual // how far the other taps are from the first one, in bytes
	lanes                  reg.VecVirtual
	offsets                operand.Mem // the same as numbers of elements, in all lanes
}

func newPairs() *pairs {
	p := &pairs{channels: number("channels"), first: number("first"), count: number("count"), pixel: GP64(), line: number("line"), both: GP64()}
	p.lanes, p.offsets = laneNumbers(), AllocLocal(96)
	v := YMM()
	MOVQ(p.channels, p.pixel)
	LEAQ(operand.Mem{Base: p.pixel, Index: p.line, Scale: 1}, p.both)
	for i, distance := range []reg.GPVirtual{p.pixel, p.line, p.both} {
		VMOVD(distance.As32(), v.AsX())
		VPBROADCASTD(v.AsX(), v)
		VMOVDQU(v, p.offset(i+1))
		SHLQ(operand.U8(2), distance)
	}
	return p
}

// tap addresses a tap of the window whose first one is at from.
func (p *pairs) tap(from reg.GPVirtual, i int) operand.Mem {
	if i == 0 {
		return operand.Mem{Base: from}
	}
	return operand.Mem{Base: from, Index: []reg.GPVirtual{p.pixel, p.line, p.both}[i-1], Scale: 1}
}

func (p *pairs) offset(i int) operand.Mem { return p.offsets.Offset(32 * (i - 1)) }

// indices returns the numbers of the first taps from e on.
func (p *pairs) indices(e reg.GPVirtual) reg.VecVirtual { return whole.indices(e, p.lanes) }

// each runs body for eight channels of every window, the last ones twice where eight do not divide the channels: e is
// where they are in x, c is the first channel.
func (p *pairs) each(others []reg.GPVirtual, x reg.GPVirtual, body func(e, from, c reg.GPVirtual)) {
	window, block, next := label("pair"), label("eight"), label("next")
	left, c, e, from := GP64(), GP64(), GP64(), GP64()
	MOVQ(p.count, left)
	Label(window)
	XORQ(c, c)
	Label(block)
	LEAQ(operand.Mem{Base: p.first, Index: c, Scale: 1}, e)
	LEAQ(at(x, e), from)
	body(e, from, c)
	ADDQ(operand.U8(16), c)
	CMPQ(c, p.channels)
	LEAQ(operand.Mem{Base: c, Disp: -8}, c)
	JLE(operand.LabelRef(block))
	CMPQ(c, p.channels)
	JGE(operand.LabelRef(next))
	LEAQ(operand.Mem{Base: p.channels, Disp: -8}, c)
	JMP(operand.LabelRef(block))
	Label(next)
	for _, q := range others {
		LEAQ(operand.Mem{Base: q, Index: p.channels, Scale: 4}, q)
	}
	ADDQ(number("step"), p.first)
	DECQ(left)
	JNE(operand.LabelRef(window))
}

// pairsParams are the parameters of pairs.
const pairsParams = "first, count, step, line, channels int)"

func maxPoolGrad2() {
	routine("maxPoolGrad2", "(dx, dy []float32, arg []int32, "+pairsParams, "is maxPoolGrad for windows of 2x2 taps and at least eight channels")
	dx, dy, arg, p := slice("dx"), slice("dy"), slice("arg"), newPairs()
	zero := constant(0)
	p.each([]reg.GPVirtual{dy, arg}, dx, func(e, from, c reg.GPVirtual) {
		d, where, first := whole.load(at(dy, c)), whole.load(at(arg, c)), p.indices(e)
		VADDPS(zero, d, d)
		for i := range 4 {
			v := YMM()
			if i == 0 {
				VPCMPEQD(first, where, v)
			} else {
				VPADDD(p.offset(i), first, v)
				VPCMPEQD(where, v, v)
			}
			VANDPS(d, v, v)
			VMOVUPS(v, p.tap(from, i))
		}
	})
	end()
}

// tailPool2 finds maxima first and limits them then, as limits keep the order, and the order of equal ones matters only
// where the gradient passes, which is where nothing was limited.
func tailPool2() {
	routine("tailPool2", "(y []float32, arg []int32, x, bias, k []float32, rounds int, "+strings.TrimSuffix(pairsParams, ")")+") (least, most float32, nan bool)",
		"is tailPool for windows of 2x2 taps and at least eight channels; nan says that there is a NaN or an infinite value: then nothing else is valid")
	y, arg, x, bias := slice("y"), slice("arg"), slice("x"), slice("bias")
	r, p := newLimiter(), newPairs()
	VXORPS(r.numbers, r.numbers, r.numbers)
	tap := func(from, c reg.GPVirtual, i int, limit bool) reg.VecVirtual {
		v := whole.load(p.tap(from, i))
		VADDPS(at(bias, c), v, v)
		if limit {
			VMAXPS(v, r.lo, v)
			VMINPS(v, r.hi, v)
		}
		VMINPS(r.least, v, r.least)
		VMAXPS(r.most, v, r.most)
		zero := GP64()
		LEAQ(tails.Offset(32), zero)
		VFMADD231PS(operand.Mem{Base: zero}, v, r.numbers) // anything but a number leaves NaN there
		return v
	}
	finish := func(value, limited, offset reg.VecVirtual, pass reg.VecVirtual, e, c reg.GPVirtual) {
		s := YMM()
		VCMPPS(operand.U8(notAtMost), r.constant(tailBottom), limited, s)
		if pass != nil {
			VANDPS(pass, s, s)
		}
		t := YMM()
		VCMPPS(operand.U8(notAtLeast), r.constant(tailTop), limited, t)
		VANDPS(t, s, s)
		VPADDD(p.indices(e), offset, offset)
		VPCMPEQD(t, t, t)
		VPANDN(t, s, s)
		VPOR(s, offset, offset)
		VMOVUPS(value, at(y, c))
		VMOVUPS(offset, at(arg, c))
	}
	CMPQ(param("rounds"), operand.U8(0))
	JNE(operand.LabelRef("rounds"))
	p.each([]reg.GPVirtual{y, arg}, x, func(e, from, c reg.GPVirtual) {
		best, offset, wins := YMM(), YMM(), YMM()
		VMOVUPS(tap(from, c, 0, false), best)
		VPXOR(offset, offset, offset)
		for i := 1; i < 4; i++ {
			v := tap(from, c, i, false)
			VCMPPS(operand.U8(greater), best, v, wins)
			VMAXPS(best, v, best)
			VBLENDVPS(wins, p.offset(i), offset, offset)
		}
		VMAXPS(best, r.lo, best)
		VMINPS(best, r.hi, best)
		VADDPS(r.constant(tailZero), best, best)
		finish(best, best, offset, nil, e, c)
	})
	VMAXPS(r.least, r.lo, r.least)
	VMINPS(r.least, r.hi, r.least)
	VMAXPS(r.most, r.lo, r.most)
	VMINPS(r.most, r.hi, r.most)
	JMP(operand.LabelRef("found"))
	Label("rounds")
	p.each([]reg.GPVirtual{y, arg}, x, func(e, from, c reg.GPVirtual) {
		code, whole, value, offset := YMM(), YMM(), YMM(), YMM() // code is whole within its limits
		for i := range 4 {
			v := tap(from, c, i, true)
			t, s := YMM(), YMM()
			VDIVPS(r.constant(tailScale), v, t)
			VMINPS(r.constant(tailLimit), t, t) // what is too small becomes the least integer
			VADDPS(r.constant(tailBefore), t, t)
			VANDPS(r.constant(tailSign), t, s)
			VORPS(r.constant(tailHalf), s, s)
			VADDPS(s, t, t)
			VCVTTPS2DQ(t, t)
			VPMAXSD(r.constant(tailLeast), t, s)
			VPMINSD(r.constant(tailMost), s, s)
			if i == 0 {
				VMOVUPS(s, code)
				VMOVUPS(t, whole)
				VMOVUPS(v, value)
				VPXOR(offset, offset, offset)
				continue
			}
			wins := YMM()
			VPCMPGTD(code, s, wins)
			VPMAXSD(code, s, code)
			VBLENDVPS(wins, t, whole, whole)
			VBLENDVPS(wins, v, value, value)
			VBLENDVPS(wins, p.offset(i), offset, offset)
		}
		VPCMPEQD(code, whole, whole)
		VPSUBD(r.constant(tailZeroPoint), code, code)
		VCVTDQ2PS(code, code)
		VMULPS(r.constant(tailScale), code, code)
		finish(code, value, offset, whole, e, c)
	})
	Label("found")
	VCMPPS(operand.U8(ordered), r.numbers, r.numbers, r.numbers)
	r.end()
}
