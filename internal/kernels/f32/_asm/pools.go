package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func pools() {
	maxPool()
	maxPoolGrad()
	averagePool(avx2)
	averagePool(avx512)
	averagePoolGrad()
}

// windowsParams are the parameters of a row of windows of equal size: the fields of windows, and how many lanes to compute
// of as many channels.
const windowsParams = "first, count, step, rows, cols, line, channels, lanes int)"

// walk runs, for every window and some channels from c on, begin, then tap for the index e of every pixel under the
// window, then finish. again says that computing a channel twice does no harm; then the last vector overlaps the one
// before.
func walk(others []reg.GPVirtual, again bool, begin, tap, finish func(w width, e, c reg.GPVirtual)) {
	walkOn(avx2, others, again, begin, tap, finish)
}

// walkOn is walk that begins with wide vectors on AVX-512.
func walkOn(i isa, others []reg.GPVirtual, again bool, begin, tap, finish func(w width, e, c reg.GPVirtual)) {
	channels, first, left := number("channels"), number("first"), number("count")
	block := func(w width, c reg.GPVirtual) {
		e, start := GP64(), GP64()
		LEAQ(operand.Mem{Base: first, Index: c, Scale: 1}, start)
		begin(w, start, c)
		r := number("rows")
		row, col := label("row"), label("tap")
		Label(row)
		MOVQ(start, e)
		k := number("cols")
		Label(col)
		tap(w, e, c)
		ADDQ(channels, e)
		DECQ(k)
		JNE(operand.LabelRef(col))
		ADDQ(number("line"), start)
		DECQ(r)
		JNE(operand.LabelRef(row))
		finish(w, e, c)
	}
	Label("window")
	blocksOn(i, number("lanes"), again, block)
	for _, p := range others {
		LEAQ(operand.Mem{Base: p, Index: channels, Scale: 4}, p)
	}
	ADDQ(number("step"), first)
	DECQ(left)
	JNE(operand.LabelRef("window"))
}

// indices returns the numbers from e on.
func (w width) indices(e reg.GPVirtual, lanes reg.VecVirtual) reg.VecVirtual {
	v := w.vector()
	VMOVD(e.As32(), v.AsX())
	if w == whole {
		VPBROADCASTD(v.AsX(), v)
	}
	VPADDD(w.of(lanes), v, v)
	return v
}

// laneNumbers returns 0, 1, 2 ...
func laneNumbers() reg.VecVirtual {
	p, v := GP64(), YMM()
	LEAQ(counting, p)
	VMOVUPS(operand.Mem{Base: p}, v)
	return v
}

func maxPool() {
	routine("maxPool", "(y []float32, arg []int32, x []float32, "+windowsParams,
		"finds the maxima y of windows and, unless arg is empty, where they are in x; the first of equal ones and the first NaN win:",
		"for each window and channel {",
		"\tbest := first tap",
		"\tfor each tap e { if !(x[e] <= x[best]) && x[best] == x[best] { best = e } }",
		"\ty[0], arg[0] = x[best], best; y, arg = y[1:], arg[1:]",
		"}")
	y, arg, x, wanted := slice("y"), slice("arg"), slice("x"), size("arg")
	lanes := laneNumbers()
	var best, where reg.VecVirtual
	walk([]reg.GPVirtual{y, arg}, true,
		func(w width, e, _ reg.GPVirtual) {
			best, where = w.load(at(x, e)), w.indices(e, lanes)
		}, func(w width, e, _ reg.GPVirtual) {
			v := w.load(at(x, e))
			wins := w.compare(notAtMost, v, best)
			w.do(VANDPS, wins, w.compare(ordered, best, best))
			VBLENDVPS(wins, v, best, best)
			VBLENDVPS(wins, w.indices(e, lanes), where, where)
		}, func(w width, _, c reg.GPVirtual) {
			w.store(best, at(y, c))
			skip := label("skip")
			TESTQ(wanted, wanted)
			JE(operand.LabelRef(skip))
			w.store(where, at(arg, c))
			Label(skip)
		})
	end()
}

func maxPoolGrad() {
	routine("maxPoolGrad", "(dx, dy []float32, arg []int32, "+windowsParams, "hands dy to the maxima of windows that do not overlap, and 0 to the rest of them:",
		"for each window and channel {",
		"\tfor each tap e { if arg[0] == e { dx[e] = 0 + dy[0] } else { dx[e] = 0 } }",
		"\tdy, arg = dy[1:], arg[1:]",
		"}")
	dx, dy, arg := slice("dx"), slice("dy"), slice("arg")
	lanes, zero := laneNumbers(), constant(0)
	var d, where reg.VecVirtual
	walk([]reg.GPVirtual{dy, arg}, true,
		func(w width, _, c reg.GPVirtual) {
			d, where = w.load(at(dy, c)), w.load(at(arg, c))
			w.do(VADDPS, d, zero)
		}, func(w width, e, _ reg.GPVirtual) {
			v := w.indices(e, lanes)
			VPCMPEQD(where, v, v)
			w.store(w.do(VANDPS, v, d), at(dx, e))
		}, func(width, reg.GPVirtual, reg.GPVirtual) {})
	end()
}

func averagePool(i isa) {
	routineOn(i, "averagePool", "(y, x []float32, taps float32, "+windowsParams, "computes the means y of windows of that many taps:",
		"for each window and channel {",
		"\tvar sum float32",
		"\tfor each tap e { sum += x[e] }",
		"\ty[0] = sum / taps; y = y[1:]",
		"}")
	y, x, taps := slice("y"), slice("x"), i.vector()
	VBROADCASTSS(param("taps"), taps)
	var sum reg.VecVirtual
	walkOn(i, []reg.GPVirtual{y}, true,
		func(w width, _, _ reg.GPVirtual) {
			sum = w.vector()
			w.zero(sum)
		}, func(w width, e, _ reg.GPVirtual) {
			w.do(VADDPS, sum, w.load(at(x, e)))
		}, func(w width, _, c reg.GPVirtual) {
			w.store(w.do(VDIVPS, sum, taps), at(y, c))
		})
	end()
}

func averagePoolGrad() {
	routine("averagePoolGrad", "(dx, dy []float32, taps float32, keep uint32, "+windowsParams, "adds the shares of dy to the taps of windows; keep is ^0, or 0 to start from 0:",
		"for each window and channel {",
		"\tfor each tap e { dx[e] = float32frombits(float32bits(dx[e]) & keep) + dy[0] / taps }",
		"\tdy = dy[1:]",
		"}")
	dx, dy, taps, keep := slice("dx"), slice("dy"), splat("taps"), splat("keep")
	var share reg.VecVirtual
	walk([]reg.GPVirtual{dy}, false,
		func(w width, _, c reg.GPVirtual) {
			share = w.do(VDIVPS, w.load(at(dy, c)), taps)
		}, func(w width, e, _ reg.GPVirtual) {
			old := w.do(VANDPS, w.load(at(dx, e)), keep)
			w.store(w.do(VADDPS, old, share), at(dx, e))
		}, func(width, reg.GPVirtual, reg.GPVirtual) {})
	end()
}
