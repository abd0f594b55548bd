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
	minMax()
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
