package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// numbers are constants in all lanes of 64 bytes, by their bits.
type numbers struct {
	table operand.Mem
	place map[uint32]int
	bits  []uint32
}

// of returns the place of a number.
func (n *numbers) of(v float64) operand.Mem { return n.word(math.Float32bits(float32(v))) }

func (n *numbers) word(bits uint32) operand.Mem {
	at, ok := n.place[bits]
	if !ok {
		at = 64 * len(n.bits)
		n.place[bits], n.bits = at, append(n.bits, bits)
	}
	return n.table.Offset(at)
}

// splat returns a number in all lanes, for all widths up to one.
func (n *numbers) splat(v float64, widest width) reg.VecVirtual {
	r := widest.vector()
	VMOVUPS(n.of(v), r)
	return r
}

// exponentials makes the routines of activations that have exponential functions.
// They do, operation by operation, what the functions of the same names in the
// package do. While a vector's long chain of operations is under way, a processor
// has room to begin few others: so wide vectors are the faster ones.
func exponentials() {
	n := &numbers{table: operand.NewDataAddr(operand.NewStaticSymbol("exponential"), 0), place: map[uint32]int{}}
	n.tanh(avx2, whole, single)
	n.tanh(avx512, wide, whole, single)
	n.sigmoid(avx2, whole, single)
	n.sigmoid(avx512, wide, whole, single)
	n.exp(avx2, whole, single)
	n.exp(avx512, wide, whole, single)
	n.elu(avx2, whole, single)
	n.elu(avx512, wide, whole, single)
	GLOBL("exponential", attr.RODATA|attr.NOPTR)
	for i, bits := range n.bits {
		for lane := range 16 {
			DATA(64*i+4*lane, operand.U32(bits))
		}
	}
}

func (n *numbers) tanh(i isa, widths ...width) {
	routineOn(i, "tanh", "(dst, x []float32)", "computes the hyperbolic tangent:", "for i, v := range x { dst[i] = Tanh(v) }")
	dst, x := slice("dst"), slice("x")
	highest := n.splat(20, widths[0]) // whose result is 1, as of all above
	eachOf(widths, size("x"), func(w width, i reg.GPVirtual) {
		v := w.load(at(x, i))
		a := w.vector()
		w.and(n.word(1<<31-1), v, a)
		// Of small ones: a polynomial.
		z, p := w.vector(), w.vector()
		VMULPS(w.of(v), w.of(v), w.of(z))
		VMULPS(n.of(-5.70498872745e-3), w.of(z), w.of(p))
		for _, c := range []float64{2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1} {
			VADDPS(n.of(c), w.of(p), w.of(p))
			w.do(VMULPS, p, z)
		}
		w.do(VMULPS, p, v)
		w.do(VADDPS, p, v)
		// Of others: 1 - 2/(e^2|x| + 1), with the sign of x.
		t := w.vector()
		VADDPS(w.of(a), w.of(a), w.of(t))
		VMINPS(w.of(t), w.of(highest), w.of(t)) // NaN stays
		t, scale := n.times2(w, t)
		VPADDD(n.word(127), w.of(scale), w.of(scale))
		VPSLLD(operand.U8(23), w.of(scale), w.of(scale)) // what is above the integer goes
		w.do(VMULPS, t, scale)
		VADDPS(n.of(1), w.of(t), w.of(t))
		one, two := w.vector(), w.vector()
		VMOVUPS(n.of(2), w.of(two))
		w.do(VDIVPS, two, t)
		VMOVUPS(n.of(1), w.of(one))
		w.do(VSUBPS, one, two)
		w.and(n.word(1<<31), v, v)
		w.or(w.of(v), one, one)
		w.whereLess(a, n.of(.625), p, one)
		w.store(one, at(dst, i))
	})
	end()
}

func (n *numbers) sigmoid(i isa, widths ...width) {
	routineOn(i, "sigmoid", "(dst, x []float32)", "computes the logistic function:", "for i, v := range x { dst[i] = Sigmoid(v) }")
	dst, x := slice("dst"), slice("x")
	lowest := n.splat(-104, widths[0])
	eachOf(widths, size("x"), func(w width, i reg.GPVirtual) {
		v := w.load(at(x, i))
		t := w.vector()
		w.or(n.word(1<<31), v, t)              // -|x|
		VMAXPS(w.of(t), w.of(lowest), w.of(t)) // NaN stays
		p, k := n.times2(w, t)
		n.scale2(w, p, k)
		sum, over := w.vector(), w.vector()
		VADDPS(n.of(1), w.of(p), w.of(sum))
		// e^-|x| over the sum where x is below 0, elsewhere 1.
		VMOVUPS(n.of(1), w.of(over))
		w.whereLess(v, n.of(0), p, over)
		w.store(w.do(VDIVPS, over, sum), at(dst, i))
	})
	end()
}

func (n *numbers) exp(i isa, widths ...width) {
	routineOn(i, "exp", "(dst, x []float32)", "computes the exponential function:", "for i, v := range x { dst[i] = Exp(v) }")
	dst, x := slice("dst"), slice("x")
	lowest, highest := n.splat(-104, widths[0]), n.splat(89, widths[0])
	eachOf(widths, size("x"), func(w width, i reg.GPVirtual) {
		v := w.load(at(x, i))
		w.store(n.power(w, v, lowest, highest), at(dst, i))
	})
	end()
}

func (n *numbers) elu(i isa, widths ...width) {
	routineOn(i, "elu", "(dst, x []float32)", "computes the exponential linear unit:", "for i, v := range x { dst[i] = Elu(v) }")
	dst, x := slice("dst"), slice("x")
	lowest, highest := n.splat(-104, widths[0]), n.splat(89, widths[0])
	eachOf(widths, size("x"), func(w width, i reg.GPVirtual) {
		v, t, a, zero := w.load(at(x, i)), w.vector(), w.vector(), w.vector()
		VMOVUPS(w.of(v), w.of(t))
		near := n.short(w, v)
		y := n.power(w, t, lowest, highest)
		VSUBPS(n.of(1), w.of(y), w.of(y))
		w.and(n.word(1<<31-1), v, a)
		w.whereLess(a, n.of(.34), near, y)
		w.zero(zero)
		w.whereLess(zero, w.of(v), v, y)
		w.store(y, at(dst, i))
	})
	end()
}

// power returns e^v as function Exp does; v is destroyed.
func (n *numbers) power(w width, v, lowest, highest reg.VecVirtual) reg.VecVirtual {
	VMAXPS(w.of(v), w.of(lowest), w.of(v)) // NaN stays
	VMINPS(w.of(v), w.of(highest), w.of(v))
	p, k := n.times2(w, v)
	n.scale2(w, p, k)
	return p
}

// scale2 multiplies p by 2^n, given n+roundMagic, in two factors as function Exp does: the first is that of n/2 cut to an
// integer. The exponent is destroyed.
func (n *numbers) scale2(w width, p, exponent reg.VecVirtual) {
	k, half := exponent, w.vector()
	VSUBPS(n.of(roundMagic), w.of(k), w.of(k))
	VCVTTPS2DQ(w.of(k), w.of(k))
	VPSRLD(operand.U8(31), w.of(k), w.of(half))
	w.do(VPADDD, half, k)
	VPSRAD(operand.U8(1), w.of(half), w.of(half))
	w.do(VPSUBD, k, half)
	for _, k := range []reg.VecVirtual{half, k} {
		VPADDD(n.word(127), w.of(k), w.of(k))
		VPSLLD(operand.U8(23), w.of(k), w.of(k))
		w.do(VMULPS, p, k)
	}
}

// roundMagic rounds what it is added to to an integer.
const roundMagic = 12582912

// times2 returns p and n+roundMagic with e^v = p*2^n, as function Exp has them; v is destroyed.
func (n *numbers) times2(w width, v reg.VecVirtual) (p, exponent reg.VecVirtual) {
	exponent, integer, t := w.vector(), w.vector(), w.vector()
	VMULPS(n.of(1.44269504088896341), w.of(v), w.of(exponent))
	VADDPS(n.of(roundMagic), w.of(exponent), w.of(exponent))
	VSUBPS(n.of(roundMagic), w.of(exponent), w.of(integer))
	for _, part := range []float64{0.693359375, -2.12194440e-4} {
		VMULPS(n.of(part), w.of(integer), w.of(t))
		w.do(VSUBPS, v, t)
	}
	p = n.short(w, v)
	VADDPS(n.of(1), w.of(p), w.of(p))
	return p, exponent
}

// short returns what function shortExpm1 does.
func (n *numbers) short(w width, v reg.VecVirtual) reg.VecVirtual {
	p, t := w.vector(), w.vector()
	VMULPS(n.of(1.9875691500e-4), w.of(v), w.of(p))
	for i, c := range []float64{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		VADDPS(n.of(c), w.of(p), w.of(p))
		if i < 4 {
			w.do(VMULPS, p, v)
		}
	}
	VMULPS(w.of(v), w.of(v), w.of(t))
	w.do(VMULPS, p, t)
	return w.do(VADDPS, p, v)
}
