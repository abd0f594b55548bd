package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// extent makes the routine that finds the range of real numbers.
func extent() {
	TEXT("extentAVX2", NOSPLIT, "func(src *float32, n int) (lo, hi float32)")
	Doc("extentAVX2 returns the range of n numbers, a multiple of 8, none of which is NaN, and zero:", "", "\tlo, hi = min(0, min src[k]), max(0, max src[k])")
	Pragma("noescape")
	src, n := Load(Param("src"), GP64()), Load(Param("n"), GP64())
	lo, hi := [2]reg.VecPhysical{ymm[0], ymm[1]}, [2]reg.VecPhysical{ymm[2], ymm[3]}
	for h := range lo {
		VXORPS(lo[h], lo[h], lo[h])
		VXORPS(hi[h], hi[h], hi[h])
	}
	step := func(h int) {
		VMOVUPS(operand.Mem{Base: src, Disp: 32 * h}, ymm[4+h])
		VMINPS(ymm[4+h], lo[h], lo[h])
		VMAXPS(ymm[4+h], hi[h], hi[h])
	}
	SUBQ(operand.U8(16), n)
	JB(operand.LabelRef("odd"))
	Label("two")
	step(0)
	step(1)
	ADDQ(operand.U8(64), src)
	SUBQ(operand.U8(16), n)
	JAE(operand.LabelRef("two"))
	Label("odd")
	TESTQ(operand.U32(8), n)
	JE(operand.LabelRef("done"))
	step(0)
	Label("done")
	VMINPS(lo[1], lo[0], lo[0])
	VMAXPS(hi[1], hi[0], hi[0])
	reduce := func(v int, op func(ops ...operand.Op)) {
		VEXTRACTF128(operand.U8(1), ymm[v], xmm[4])
		op(xmm[4], xmm[v], xmm[v])
		VPERMILPS(operand.U8(0x4e), xmm[v], xmm[4])
		op(xmm[4], xmm[v], xmm[v])
		VPERMILPS(operand.U8(0xb1), xmm[v], xmm[4])
		op(xmm[4], xmm[v], xmm[v])
	}
	reduce(0, VMINPS)
	reduce(2, VMAXPS)
	VZEROUPPER()
	Store(xmm[0], ReturnIndex(0))
	Store(xmm[2], ReturnIndex(1))
	RET()
}

// Fields of the argument of hybrid routines: type hybridArgs in package q8.
const (
	hybridDst       = 8 * iota
	hybridSums      // *int32
	hybridFactors   // *float32
	hybridBias      // *float32
	hybridTotals    // *int32
	hybridMask      // *uint32, of the last vector
	hybridRows      //
	hybridWidth     // of a row, the last vector not counted
	hybridDstStride // between rows, in bytes
	hybridStride    // of sums
	hybridConstants // *uint32: zero point, scale, lo, hi, zero
)

// hybrid makes the routine that turns sums into real numbers. The scale of the
// codes is multiplied with the factors first, or last.
func hybrid(i isa, first bool) {
	name, product := "hybridLast"+i.name, "(a*factor[c])*scale"
	if first {
		name, product = "hybridFirst"+i.name, "a*(factor[c]*scale)"
	}
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name+" turns rows of sums into real numbers; NaN stays NaN:", "",
		"\ta = float32(sums[r][c] - point*total[c])",
		"\tdst[r][c] = min(max("+product+" + bias[c], lo), hi) + zero")
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	value := func(f int) reg.GPVirtual {
		v := GP64()
		MOVQ(field(f), v)
		return v
	}
	point, scale, lo, hi, zero := i.register(10), i.register(11), i.register(12), i.register(13), i.register(14)
	q := value(hybridConstants)
	VPBROADCASTD(operand.Mem{Base: q}, point)
	for k, v := range []reg.VecPhysical{scale, lo, hi, zero} {
		VBROADCASTSS(operand.Mem{Base: q, Disp: 4 + 4*k}, v)
	}
	MOVQ(field(hybridMask), q)
	if i.wide {
		mask := GP32()
		MOVL(operand.Mem{Base: q}, mask)
		KMOVW(mask, kStore)
	} else {
		VMOVDQU(operand.Mem{Base: q}, ymm[15])
	}
	dst, sums, at := value(hybridDst), value(hybridSums), GP64()
	factors, bias, totals, width := value(hybridFactors), value(hybridBias), value(hybridTotals), value(hybridWidth)
	x, t := i.register(0), i.register(1)
	step := func() {
		element := func(base reg.Register) operand.Mem { return operand.Mem{Base: base, Index: at, Scale: 4} }
		VPMULLD(element(totals), point, t)
		i.load(element(sums), x)
		VPSUBD(t, x, x)
		VCVTDQ2PS(x, x)
		if first {
			VMULPS(element(factors), scale, t)
			VMULPS(t, x, x)
		} else {
			VMULPS(element(factors), x, x)
			VMULPS(scale, x, x)
		}
		VADDPS(element(bias), x, x)
		VMAXPS(x, lo, x)
		VMINPS(x, hi, x)
		VADDPS(zero, x, x)
	}
	to := operand.Mem{Base: dst, Index: at, Scale: 4}
	Label("row")
	XORQ(at, at)
	CMPQ(width, operand.U8(0))
	JE(operand.LabelRef("rest"))
	Label("vector")
	step()
	VMOVUPS(x, to)
	ADDQ(operand.U8(i.lanes), at)
	CMPQ(at, width)
	JNE(operand.LabelRef("vector"))
	Label("rest")
	step()
	if i.wide {
		VMOVUPS(x, kStore, to)
	} else {
		VMASKMOVPS(x, ymm[15], to)
	}
	ADDQ(field(hybridDstStride), dst)
	ADDQ(field(hybridStride), sums)
	DECQ(field(hybridRows))
	JNE(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}

// encodeWide makes the routine that [quantize] makes, with a product, for AVX-512.
func encodeWide() {
	TEXT("encodeVNNI", NOSPLIT, "func(dst *byte, src *float32, n int, constants *byte)")
	Doc("encodeVNNI turns n real numbers, a multiple of 16, into codes; NaN becomes the lowest:", "",
		"\tx = clamp(src[k] * factor)",
		"\tdst[k] = trunc(x + copysign(half, x)) + zero")
	Pragma("noescape")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, q := Load(Param("n"), GP64()), Load(Param("constants"), GP64())
	lines := map[int]reg.VecPhysical{}
	for k, line := range []int{lineFactor, lineHalf, lineSign, lineLow, lineHigh, lineZero} {
		lines[line] = zmm[8+k]
		VMOVUPS(operand.Mem{Base: q, Disp: line}, lines[line])
	}
	v, t := zmm[0], zmm[1]
	Label("next")
	VMULPS(operand.Mem{Base: src}, lines[lineFactor], v)
	VMAXPS(lines[lineLow], v, v)
	VMINPS(lines[lineHigh], v, v)
	VPANDD(lines[lineSign], v, t)
	VPORD(lines[lineHalf], t, t)
	VADDPS(t, v, v)
	VCVTTPS2DQ(v, v)
	VPADDD(lines[lineZero], v, v)
	VPMOVSDB(v, operand.Mem{Base: dst})
	ADDQ(operand.U8(64), src)
	ADDQ(operand.U8(16), dst)
	SUBQ(operand.U8(16), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

// spread makes the routine that adds scaled products to real sums, one by one.
func spread() {
	TEXT("spreadAVX2", NOSPLIT, "func(sums, weights, x *float32, n int, factors *float32, scale float32, vectors int)")
	Doc("spreadAVX2 adds n products, each rounded three times, to the sums of 8*vectors channels:", "",
		"\tfor k < n: sums[c] += ((weights[k][c] * x[k]) * factors[c]) * scale")
	Pragma("noescape")
	sums, weights, factors := Load(Param("sums"), GP64()), Load(Param("weights"), GP64()), Load(Param("factors"), GP64())
	vectors, stride := Load(Param("vectors"), GP64()), GP64()
	MOVQ(vectors, stride)
	SHLQ(operand.U8(5), stride)
	scale := ymm[0]
	p, err := Param("scale").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, scale)
	w, x, n := GP64(), GP64(), GP64()
	Label("vector")
	Load(Param("x"), x)
	Load(Param("n"), n)
	MOVQ(weights, w)
	VMOVUPS(operand.Mem{Base: sums}, ymm[1])
	VMOVUPS(operand.Mem{Base: factors}, ymm[2])
	Label("next")
	VBROADCASTSS(operand.Mem{Base: x}, ymm[3])
	VMULPS(operand.Mem{Base: w}, ymm[3], ymm[3])
	VMULPS(ymm[2], ymm[3], ymm[3])
	VMULPS(scale, ymm[3], ymm[3])
	VADDPS(ymm[3], ymm[1], ymm[1])
	ADDQ(operand.U8(4), x)
	ADDQ(stride, w)
	DECQ(n)
	JNE(operand.LabelRef("next"))
	VMOVUPS(ymm[1], operand.Mem{Base: sums})
	for _, p := range []reg.Register{sums, weights, factors} {
		ADDQ(operand.U8(32), p)
	}
	DECQ(vectors)
	JNE(operand.LabelRef("vector"))
	VZEROUPPER()
	RET()
}
