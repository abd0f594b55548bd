package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// narrow writes the codes of one vector of sums, clamped to the vectors at limits.
func (i isa) narrow(v, t int, limits operand.Mem, to operand.Mem) {
	upper := limits
	upper.Disp += 64
	x := xmm[v]
	if i.wide {
		VPMOVSDB(zmm[v], x)
	} else {
		VEXTRACTI128(operand.U8(1), ymm[v], xmm[t])
		VPACKSSDW(xmm[t], x, x)
		VPACKSSWB(x, x, x)
	}
	VPMAXSB(limits, x, x)
	VPMINSB(upper, x, x)
	if i.wide {
		VMOVDQU(x, to)
	} else {
		VMOVQ(x, to)
	}
}

// narrowWords is narrow for codes of 16 bits.
func (i isa) narrowWords(v, t int, limits operand.Mem, to operand.Mem) {
	upper := limits
	upper.Disp += 64
	x := xmm[v]
	if i.wide {
		x = ymm[v]
		VPMOVSDW(zmm[v], x)
	} else {
		VEXTRACTI128(operand.U8(1), ymm[v], xmm[t])
		VPACKSSDW(xmm[t], x, x)
	}
	VPMAXSW(limits, x, x)
	VPMINSW(upper, x, x)
	VMOVDQU(x, to)
}

// arithmetics makes the routines of operators on two tensors of codes of so many
// bytes, whose precision sums raise by some bits.
func arithmetics(i isa, suffix string, size, bits int) {
	add := func(a, b reg.VecPhysical, _ reg.Register) { VPADDD(a, b, b) }
	arithmetic(i, "sum"+suffix, "requantized a + b, both requantized first", size, bits, [2]int{bits, bits}, add, nil)
	arithmetic(i, "sumOfHalf"+suffix, "requantized a + b, b requantized first and a halved", size, bits, [2]int{bits - 1, bits}, add, nil)
	arithmetic(i, "difference"+suffix, "requantized a - b, both requantized first", size, bits, [2]int{bits, bits}, func(a, b reg.VecPhysical, _ reg.Register) { VPSUBD(a, b, b) }, nil)
	arithmetic(i, "product"+suffix, "requantized a * b, both less their zero points", size, bits, [2]int{}, times, nil)
}

// times multiplies b by a.
func times(a, b reg.VecPhysical, _ reg.Register) { VPMULLD(a, b, b) }

// singleProduct makes the routine of products that round as XNNPACK's do.
func singleProduct(i isa) {
	arithmetic(i, "singleProduct", "half_even(float32(a * b) * factor) + zero, both less their zero points", 1, 20, [2]int{}, times,
		func(v, _ reg.VecPhysical, q reg.Register, disp int) { i.single(v, q, disp) })
}

// arithmetic makes one of them. shifts are those of the codes; codes that are
// shifted by bits are requantized, and so is the result unless rescale says
// otherwise.
func arithmetic(i isa, name, formula string, size, bits int, shifts [2]int, combine func(a, b reg.VecPhysical, q reg.Register), rescale func(v, t reg.VecPhysical, q reg.Register, disp int)) {
	widen, narrow := VPMOVSXBD, i.narrow
	if size == 2 {
		widen, narrow = VPMOVSXWD, i.narrowWords
	}
	TEXT(name+i.name, NOSPLIT, "func(dst, a, b *byte, n int, constants *int32)")
	Doc(name+i.name+" combines n codes, a multiple of the lanes; the constants are those of a, b and the result:", "", "\tdst[k] = "+formula)
	Pragma("noescape")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	i.constants(operand.Mem{Base: q}) // no store has a mask
	result := 2 * fields * i.bytes()
	Label("next")
	for k, p := range []reg.Register{a, b} {
		v, t := i.register(k), i.register(4+k)
		widen(operand.Mem{Base: p}, v)
		if shifts[k] > 0 {
			VPSLLD(operand.U8(shifts[k]), v, v)
		}
		i.add(operand.Mem{Base: q, Disp: k * fields * i.bytes()}, v)
		if shifts[k] == bits {
			i.requantize(v, t, q, k*fields*i.bytes(), true, nil)
		}
		ADDQ(operand.U8(size*i.lanes), p)
	}
	combine(i.register(1), i.register(0), q)
	i.add(operand.Mem{Base: q, Disp: result}, i.register(0))
	if rescale == nil {
		rescale = func(v, t reg.VecPhysical, q reg.Register, disp int) { i.requantize(v, t, q, disp, true, nil) }
	}
	rescale(i.register(0), i.register(4), q, result)
	narrow(0, 4, operand.Mem{Base: q, Disp: result + fields*i.bytes()}, operand.Mem{Base: dst})
	ADDQ(operand.U8(size*i.lanes), dst)
	SUBQ(operand.U8(i.lanes), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

// linear makes the routine of a sum of two multiplied codes.
func linear(i isa) {
	TEXT("linear"+i.name, NOSPLIT, "func(dst, a, b *byte, n int, constants *int32)")
	Doc("linear"+i.name+" combines n codes, a multiple of the lanes; the constants are vectors of A, B, C, shift and zero, and limits:", "",
		"\tdst[k] = clamp((A*a[k] + B*b[k] + C) >> shift + zero)")
	Pragma("noescape")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	constant := func(k int) operand.Mem { return operand.Mem{Base: q, Disp: k * i.bytes()} }
	for k := range 5 {
		i.load(constant(k), i.register(8+k))
	}
	Label("next")
	for k, p := range []reg.Register{a, b} {
		VPMOVSXBD(operand.Mem{Base: p}, i.register(k))
		VPMULLD(i.register(8+k), i.register(k), i.register(k))
		ADDQ(operand.U8(i.lanes), p)
	}
	v := i.register(0)
	VPADDD(i.register(10), v, v)
	VPADDD(i.register(1), v, v)
	VPSRAVD(i.register(11), v, v)
	VPADDD(i.register(12), v, v)
	i.narrow(0, 4, constant(5), operand.Mem{Base: dst})
	ADDQ(operand.U8(i.lanes), dst)
	SUBQ(operand.U8(i.lanes), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

func (i isa) add(x operand.Op, v reg.VecPhysical) { VPADDD(x, v, v) }

// Fields of the constants of real and quantize, in lines of 64 bytes: one number
// repeated in each.
const (
	lineFactor = 64 * iota // quantize only
	lineHalf               // the largest number below one half
	lineSign
	lineLow // limits of the code, less the zero point
	lineHigh
	lineZero    // int32
	lineFlip    // what turns signed codes into those of the type
	lineInverse // of the factor
)

// real makes the routine that multiplies sums by real factors.
func real(i isa) {
	TEXT("real"+i.name, NOSPLIT, "func(dst *byte, acc *int32, factors *float64, n int, constants *byte)")
	Doc("real"+i.name+" turns n sums, a multiple of the lanes, into codes:", "",
		"\tx = acc[k] * factors[k]",
		"\tdst[k] = trunc(clamp(x + copysign(half, x))) + zero")
	Pragma("noescape")
	dst, acc, factors := Load(Param("dst"), GP64()), Load(Param("acc"), GP64()), Load(Param("factors"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	line := func(d int) operand.Mem { return operand.Mem{Base: q, Disp: d} }
	Label("next")
	for half := range 2 {
		v, t, to := i.register(half), i.register(2+half), ymm[half]
		if !i.wide {
			to = xmm[half]
		}
		VCVTDQ2PD(operand.Mem{Base: acc, Disp: half * i.lanes * 2}, v)
		VMULPD(operand.Mem{Base: factors, Disp: half * i.lanes * 4}, v, v)
		if i.wide {
			VPANDQ(line(lineSign), v, t)
			VPORQ(line(lineHalf), t, t)
		} else {
			VANDPD(line(lineSign), v, t)
			VORPD(line(lineHalf), t, t)
		}
		VADDPD(t, v, v)
		VMAXPD(line(lineLow), v, v)
		VMINPD(line(lineHigh), v, v)
		if i.wide {
			VCVTTPD2DQ(v, to)
		} else {
			VCVTTPD2DQY(v, to)
		}
	}
	if i.wide {
		VINSERTI64X4(operand.U8(1), ymm[1], zmm[0], zmm[0])
		VPADDD(line(lineZero), zmm[0], zmm[0])
		VPMOVDB(zmm[0], xmm[0])
		VMOVDQU(xmm[0], operand.Mem{Base: dst})
	} else {
		VPADDD(line(lineZero), xmm[0], xmm[0])
		VPADDD(line(lineZero), xmm[1], xmm[1])
		VPACKSSDW(xmm[1], xmm[0], xmm[0])
		VPACKSSWB(xmm[0], xmm[0], xmm[0])
		VMOVQ(xmm[0], operand.Mem{Base: dst})
	}
	ADDQ(operand.U8(4*i.lanes), acc)
	ADDQ(operand.U32(8*i.lanes), factors)
	ADDQ(operand.U8(i.lanes), dst)
	SUBQ(operand.U8(i.lanes), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

// quantize and dequantize are the borders of a model. AVX2 is enough for them.
// quantize rounds half away from zero or half to even.
func quantize(name, formula string, scale func(ops ...operand.Op), even bool) {
	round, factor := "trunc(x + copysign(half, x))", lineFactor
	if even {
		round, factor = "half_even(x)", lineInverse
	}
	TEXT(name+"AVX2", NOSPLIT, "func(dst *byte, src *float32, n int, constants *byte)")
	Doc(name+"AVX2 turns n real numbers, a multiple of 8, into codes; NaN becomes the lowest:", "",
		"\tx = clamp(src[k] "+formula+" factor)",
		"\tdst[k] = "+round+" + zero")
	Pragma("noescape")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	line := func(d int) operand.Mem { return operand.Mem{Base: q, Disp: d} }
	v, t, x := ymm[0], ymm[1], xmm[0]
	Label("next")
	VMOVUPS(operand.Mem{Base: src}, v)
	scale(line(factor), v, v)
	VMAXPS(line(lineLow), v, v)
	VMINPS(line(lineHigh), v, v)
	if even {
		VCVTPS2DQ(v, v)
	} else {
		VANDPS(line(lineSign), v, t)
		VORPS(line(lineHalf), t, t)
		VADDPS(t, v, v)
		VCVTTPS2DQ(v, v)
	}
	VPADDD(line(lineZero), v, v)
	VEXTRACTI128(operand.U8(1), v, xmm[1])
	VPACKSSDW(xmm[1], x, x)
	VPACKSSWB(x, x, x)
	VPXOR(line(lineFlip), x, x)
	VMOVQ(x, operand.Mem{Base: dst})
	ADDQ(operand.U8(32), src)
	ADDQ(operand.U8(8), dst)
	SUBQ(operand.U8(8), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

func dequantize() {
	TEXT("dequantizeAVX2", NOSPLIT, "func(dst *float32, src *byte, n int, constants *byte)")
	Doc("dequantizeAVX2 turns n codes, a multiple of 8, into real numbers:", "", "\tdst[k] = factor * float32(src[k] - zero)")
	Pragma("noescape")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	line := func(d int) operand.Mem { return operand.Mem{Base: q, Disp: d} }
	Label("next")
	VMOVQ(operand.Mem{Base: src}, xmm[0])
	VPXOR(line(lineFlip), xmm[0], xmm[0])
	VPMOVSXBD(xmm[0], ymm[0])
	VPSUBD(line(lineZero), ymm[0], ymm[0])
	VCVTDQ2PS(ymm[0], ymm[0])
	VMULPS(line(lineFactor), ymm[0], ymm[0])
	VMOVUPS(ymm[0], operand.Mem{Base: dst})
	ADDQ(operand.U8(8), src)
	ADDQ(operand.U8(32), dst)
	SUBQ(operand.U8(8), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}
