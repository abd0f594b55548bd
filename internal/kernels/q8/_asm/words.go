package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// interleaveWords makes the routine that turns two rows of 16-bit codes into
// groups. Its arguments are those of [isa.interleave].
func interleaveWords() {
	TEXT("interleaveWordsAVX2", NOSPLIT, "func(dst, r0, r1, r2, r3 *byte, n int)")
	Doc("interleaveWordsAVX2 writes the codes of r0 and r1, which have 16 bits, side by side; n is a multiple of 16:", "", "\tdst[k][j] = rj[k]")
	Pragma("noescape")
	dst, r0, r1 := Load(Param("dst"), GP64()), Load(Param("r0"), GP64()), Load(Param("r1"), GP64())
	n := Load(Param("n"), GP64())
	Label("next")
	VMOVDQU(operand.Mem{Base: r0}, ymm[0])
	VMOVDQU(operand.Mem{Base: r1}, ymm[1])
	VPUNPCKLWD(ymm[1], ymm[0], ymm[2])
	VPUNPCKHWD(ymm[1], ymm[0], ymm[3])
	VPERM2I128(operand.U8(0x20), ymm[3], ymm[2], ymm[0])
	VPERM2I128(operand.U8(0x31), ymm[3], ymm[2], ymm[1])
	VMOVDQU(ymm[0], operand.Mem{Base: dst})
	VMOVDQU(ymm[1], operand.Mem{Base: dst, Disp: 32})
	for _, p := range []reg.Register{r0, r1} {
		ADDQ(operand.U8(32), p)
	}
	ADDQ(operand.U8(64), dst)
	SUBQ(operand.U8(16), n)
	JNE(operand.LabelRef("next"))
	VZEROUPPER()
	RET()
}

// Fields of the argument of words routines: type wordsArgs in package q8.
const (
	wordsDst       = 8 * iota
	wordsSums      // *int32
	wordsFactors   // *float64
	wordsBiases    // *float64
	wordsRows      //
	wordsWidth     // of a row, a multiple of the lanes
	wordsDstStride // between rows, in bytes
	wordsStride    // of sums
	wordsParts     // how many sums an accumulator has
	wordsPart      // from one to the next, in bytes
	wordsConstants //
)

// words makes the routine that turns sums into codes of 16 bits. The halves
// between codes go up, or away from zero.
func words(i isa, up bool) {
	name, rounding := "wordsAway"+i.name, "trunc(clamp(x + copysign(half, x)))"
	if up {
		name, rounding = "wordsUp"+i.name, "clamp(floor(x + half))"
	}
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(name+" turns rows of sums into codes:", "",
		"\tx = (bias[c] + sum over parts p: sums[p][r][c]) * factor[c]",
		"\tdst[r][c] = "+rounding)
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	value := func(f int) reg.GPVirtual {
		v := GP64()
		MOVQ(field(f), v)
		return v
	}
	dst, sums, q := value(wordsDst), value(wordsSums), value(wordsConstants)
	half, sign, low, high := i.register(8), i.register(9), i.register(10), i.register(11)
	i.load(operand.Mem{Base: q, Disp: lineHalf}, half)
	i.load(operand.Mem{Base: q, Disp: lineSign}, sign)
	i.load(operand.Mem{Base: q, Disp: lineLow}, low)
	i.load(operand.Mem{Base: q, Disp: lineHigh}, high)

	Label("row")
	to, from, n := GP64(), GP64(), value(wordsWidth)
	factors, biases := value(wordsFactors), value(wordsBiases)
	MOVQ(dst, to)
	MOVQ(sums, from)
	Label("vector")
	v := [2]reg.VecPhysical{i.register(0), i.register(1)}
	for h := range v {
		VCVTDQ2PD(operand.Mem{Base: from, Disp: h * i.lanes * 2}, v[h])
	}
	part, parts := GP64(), value(wordsParts)
	MOVQ(from, part)
	DECQ(parts)
	JE(operand.LabelRef("whole"))
	Label("part")
	ADDQ(field(wordsPart), part)
	for h := range v {
		VCVTDQ2PD(operand.Mem{Base: part, Disp: h * i.lanes * 2}, i.register(2+h))
		VADDPD(i.register(2+h), v[h], v[h])
	}
	DECQ(parts)
	JNE(operand.LabelRef("part"))
	Label("whole")
	for h, x := range v {
		t, narrow := i.register(2+h), ymm[h]
		if !i.wide {
			narrow = xmm[h]
		}
		VADDPD(operand.Mem{Base: biases, Disp: h * i.lanes * 4}, x, x)
		VMULPD(operand.Mem{Base: factors, Disp: h * i.lanes * 4}, x, x)
		switch {
		case up && i.wide:
			VADDPD(half, x, x)
			VRNDSCALEPD(operand.U8(9), x, x) // floor
		case up:
			VADDPD(half, x, x)
			VROUNDPD(operand.U8(9), x, x)
		case i.wide:
			VPANDQ(sign, x, t)
			VPORQ(half, t, t)
			VADDPD(t, x, x)
		default:
			VANDPD(sign, x, t)
			VORPD(half, t, t)
			VADDPD(t, x, x)
		}
		VMAXPD(low, x, x)
		VMINPD(high, x, x)
		if i.wide {
			VCVTTPD2DQ(x, narrow)
		} else {
			VCVTTPD2DQY(x, narrow)
		}
	}
	if i.wide {
		VINSERTI64X4(operand.U8(1), ymm[1], zmm[0], zmm[0])
		VPMOVDW(zmm[0], operand.Mem{Base: to})
	} else {
		VPACKSSDW(xmm[1], xmm[0], xmm[0])
		VMOVDQU(xmm[0], operand.Mem{Base: to})
	}
	ADDQ(operand.U8(2*i.lanes), to)
	ADDQ(operand.U8(4*i.lanes), from)
	ADDQ(operand.U32(8*i.lanes), factors)
	ADDQ(operand.U32(8*i.lanes), biases)
	SUBQ(operand.U8(i.lanes), n)
	JNE(operand.LabelRef("vector"))
	ADDQ(field(wordsDstStride), dst)
	ADDQ(field(wordsStride), sums)
	DECQ(field(wordsRows))
	JNE(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}
