package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func elementwise() {
	arithmetic("add", "+", VADDPS)
	arithmetic("sub", "-", VSUBPS)
	arithmetic("mul", "*", VMULPS)
	scale()
	axpy()
	clamp()
	gate()
	leakyRelu()
	hardSwish()
	slopes()
	minMax()
	sumMagnitudes()
}

func arithmetic(name, sign string, f binary) {
	routine(name, "(dst, a, b []float32)", "computes dst = a "+sign+" b:",
		"for i := range dst { dst[i] = a[i] "+sign+" b[i] }")
	dst, a, b := slice("dst"), slice("a"), slice("b")
	each(size("dst"), func(w width, i reg.GPVirtual) {
		w.store(w.do(f, w.load(at(a, i)), w.load(at(b, i))), at(dst, i))
	})
	end()
}

func scale() {
	routine("scale", "(dst []float32, alpha float32, x []float32)", "computes dst = alpha*x:",
		"for i := range dst { dst[i] = alpha * x[i] }")
	dst, x, alpha := slice("dst"), slice("x"), splat("alpha")
	each(size("dst"), func(w width, i reg.GPVirtual) {
		w.store(w.do(VMULPS, w.load(at(x, i)), alpha), at(dst, i))
	})
	end()
}

func axpy() {
	routine("axpy", "(dst []float32, alpha float32, x []float32)", "computes dst += alpha*x, with the product rounded:",
		"for i := range dst { dst[i] += float32(alpha * x[i]) }")
	dst, x, alpha := slice("dst"), slice("x"), splat("alpha")
	each(size("dst"), func(w width, i reg.GPVirtual) {
		v := w.do(VMULPS, w.load(at(x, i)), alpha)
		w.store(w.do(VADDPS, w.load(at(dst, i)), v), at(dst, i))
	})
	end()
}

// limits are the bounds of an activation, in all lanes.
type limits struct{ lo, hi, zero reg.VecVirtual }

// loadLimits loads the parameters lo, hi and zero.
func loadLimits() limits { return limits{splat("lo"), splat("hi"), splat("zero")} }

// clamp returns min(max(v, lo), hi) + zero. The instructions return their second operand for NaN and for equal zeros;
// the sum turns the -0 that this leaves at lo = 0 to +0.
func (l limits) clamp(w width, v reg.VecVirtual) reg.VecVirtual {
	VMAXPS(w.of(v), w.of(l.lo), w.of(v))
	VMINPS(w.of(v), w.of(l.hi), w.of(v))
	return w.do(VADDPS, v, l.zero)
}

func clamp() {
	routine("clamp", "(dst, x []float32, lo, hi, zero float32)", "limits x to [lo, hi]; zero is +0 where lo is 0, else -0:",
		"for i := range dst { dst[i] = min(max(x[i], lo), hi) + zero }")
	dst, x, l := slice("dst"), slice("x"), loadLimits()
	each(size("dst"), func(w width, i reg.GPVirtual) {
		w.store(l.clamp(w, w.load(at(x, i))), at(dst, i))
	})
	end()
}

func gate() {
	routine("gate", "(dx, dy, y []float32, lo, hi float32)", "passes dy where y lies between the bounds; a NaN for hi is no bound:",
		"for i := range dx { if y[i] > lo && !(y[i] >= hi) { dx[i] = dy[i] } else { dx[i] = 0 } }")
	dx, dy, y, lo, hi := slice("dx"), slice("dy"), slice("y"), splat("lo"), splat("hi")
	each(size("dx"), func(w width, i reg.GPVirtual) {
		v := w.load(at(y, i))
		m := w.compare(greater, v, lo)
		w.do(VANDPS, m, w.compare(notAtLeast, v, hi))
		w.store(w.do(VANDPS, m, w.load(at(dy, i))), at(dx, i))
	})
	end()
}

func leakyRelu() {
	routine("leakyRelu", "(dst, v, x []float32, alpha float32)", "computes v where x is above 0, alpha*v elsewhere:",
		"for i := range dst { dst[i] = v[i]; if !(x[i] > 0) { dst[i] *= alpha } }")
	dst, v, x, alpha, zero := slice("dst"), slice("v"), slice("x"), splat("alpha"), constant(0)
	each(size("dst"), func(w width, i reg.GPVirtual) {
		above := w.compare(greater, w.load(at(x, i)), zero)
		v, low := w.load(at(v, i)), w.vector()
		VMULPS(w.of(v), w.of(alpha), w.of(low))
		VBLENDVPS(w.of(above), w.of(v), w.of(low), w.of(low))
		w.store(low, at(dst, i))
	})
	end()
}

func hardSwish() {
	routine("hardSwish", "(dst, x []float32)", "computes the function:",
		"for i, v := range x { dst[i] = v * min(max(v+3, 0), 6) / 6 }")
	dst, x := slice("dst"), slice("x")
	zero, three, six := constant(0), number32(3), number32(6)
	each(size("dst"), func(w width, i reg.GPVirtual) {
		v, t := w.load(at(x, i)), w.vector()
		VADDPS(w.of(three), w.of(v), w.of(t))
		VMAXPS(w.of(t), w.of(zero), w.of(t)) // NaN stays
		VMINPS(w.of(t), w.of(six), w.of(t))
		w.store(w.do(VDIVPS, w.do(VMULPS, t, v), six), at(dst, i))
	})
	end()
}

// slopes makes the routines of gradients that are a product with a slope.
func slopes() {
	one := func() []reg.VecVirtual { return []reg.VecVirtual{number32(1)} }
	slope("hardSwishGrad", "slope(v[i])", func() []reg.VecVirtual {
		return []reg.VecVirtual{number32(-3), number32(3), number32(.5), number32(1)}
	}, func(w width, v reg.VecVirtual, c []reg.VecVirtual) reg.VecVirtual {
		s := w.vector()
		VDIVPS(w.of(c[1]), w.of(v), w.of(s))
		w.do(VADDPS, s, c[2])
		w.do(VANDPS, s, w.compare(notAtMost, v, c[0]))
		VBLENDVPS(w.of(w.compare(atLeast, v, c[1])), w.of(c[3]), w.of(s), w.of(s))
		return s
	})
	slope("sigmoidGrad", "(v[i] * (1 - v[i]))", one, func(w width, v reg.VecVirtual, c []reg.VecVirtual) reg.VecVirtual {
		s := w.vector()
		VSUBPS(w.of(v), w.of(c[0]), w.of(s))
		return w.do(VMULPS, s, v)
	})
	slope("eluGrad", "(1 + min(v[i], 0))", func() []reg.VecVirtual {
		return []reg.VecVirtual{number32(1), number32(0)}
	}, func(w width, v reg.VecVirtual, c []reg.VecVirtual) reg.VecVirtual {
		s := w.vector()
		VMINPS(w.of(v), w.of(c[1]), w.of(s)) // NaN stays
		return w.do(VADDPS, s, c[0])
	})
	slope("tanhGrad", "((1 - v[i]) * (1 + v[i]))", one, func(w width, v reg.VecVirtual, c []reg.VecVirtual) reg.VecVirtual {
		s := w.vector()
		VSUBPS(w.of(v), w.of(c[0]), w.of(s))
		return w.do(VMULPS, s, w.do(VADDPS, v, c[0]))
	})
}

func slope(name, formula string, constants func() []reg.VecVirtual, of func(w width, v reg.VecVirtual, c []reg.VecVirtual) reg.VecVirtual) {
	routine(name, "(dx, dy, v []float32)", "multiplies by the slope:", "for i := range dx { dx[i] = dy[i] * "+formula+" }")
	dx, dy, v, c := slice("dx"), slice("dy"), slice("v"), constants()
	each(size("dx"), func(w width, i reg.GPVirtual) {
		s := of(w, w.load(at(v, i)), c)
		w.store(w.do(VMULPS, s, w.load(at(dy, i))), at(dx, i))
	})
	end()
}

// minMax has four pairs of bounds, because each of them waits for the last result.
func minMax() {
	routine("minMax", "(x []float32) (lo, hi float32, nan bool)", "returns the bounds of x without its NaNs:",
		"lo, hi = +Inf, -Inf",
		"for _, v := range x { if v < lo { lo = v }; if v > hi { hi = v }; nan = nan || v != v }")
	x, n := slice("x"), size("x")
	var lo, hi [4]reg.VecVirtual
	for j := range lo {
		lo[j], hi[j] = constant(0x7f800000), constant(0xff800000)
	}
	nan := YMM()
	VXORPS(nan, nan, nan)
	take := func(w width, j int, v reg.VecVirtual) {
		VMINPS(w.of(lo[j]), v, w.of(lo[j]))
		VMAXPS(w.of(hi[j]), v, w.of(hi[j]))
	}
	Label("four")
	CMPQ(n, operand.U8(32))
	JLT(operand.LabelRef("rest"))
	var v [4]reg.VecVirtual
	for j := range v {
		v[j] = whole.load(operand.Mem{Base: x, Disp: 32 * j})
		take(whole, j, v[j])
	}
	for j := range v[:2] { // a pair is unordered if either is NaN
		VORPS(nan, whole.compare(unordered, v[2*j], v[2*j+1]), nan)
	}
	ADDQ(operand.U8(128), x)
	SUBQ(operand.U8(32), n)
	JMP(operand.LabelRef("four"))
	Label("rest")
	each(n, func(w width, i reg.GPVirtual) {
		v := w.load(at(x, i))
		// The lanes above a single one stay: in a whole register, by the value that changes nothing.
		if w == single {
			VBROADCASTSS(v.AsX(), v.AsY())
			v = v.AsY().(reg.VecVirtual)
		}
		take(whole, 0, v)
		VORPS(nan, whole.compare(unordered, v, v), nan)
	})
	for j := 1; j < 4; j++ {
		VMINPS(lo[j], lo[0], lo[0])
		VMAXPS(hi[j], hi[0], hi[0])
	}
	fold(VMINPS, lo[0])
	fold(VMAXPS, hi[0])
	bits := GP32()
	VMOVMSKPS(nan, bits)
	TESTL(bits, bits)
	found := GP8()
	SETNE(found)
	Store(found, Return("nan"))
	VZEROUPPER()
	Store(lo[0].AsX(), Return("lo"))
	Store(hi[0].AsX(), Return("hi"))
	RET()
}

// fold combines all lanes of v into the lowest.
func fold(f binary, v reg.VecVirtual) {
	h := XMM()
	VEXTRACTF128(operand.U8(1), v, h)
	f(h, v.AsX(), v.AsX())
	for _, order := range []uint64{0x0e, 0x01} {
		VPERMILPS(operand.U8(order), v.AsX(), h)
		f(h, v.AsX(), v.AsX())
	}
}
