package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// winogradIn makes the routine of the transform of the input: AVX2 is enough.
func winogradIn() {
	TEXT("winogradInAVX2", NOSPLIT, "func(dst *byte, line int, src *byte, row, pixel int, tiles *int32, count, groups int)")
	Doc("winogradInAVX2 transforms count tiles of 6x6 pixels with 16*groups channels, all int16:", "",
		"\tdst[i][j][t] = sum over y, x of B[i][y] * B[j][x] * src[tiles[t] + y*row + x*pixel]    for i, j < 6",
		"", "The lines dst[i][j] are line bytes apart.")
	Pragma("noescape")
	dst, src, row, pixel := Load(Param("dst"), GP64()), GP64(), Load(Param("row"), GP64()), Load(Param("pixel"), GP64())
	line, tiles, count := Load(Param("line"), GP64()), Load(Param("tiles"), GP64()), Load(Param("count"), GP64())
	Label("tile")
	groups := Load(Param("groups"), GP64())
	MOVLQSX(operand.Mem{Base: tiles}, src)
	{
		base := Load(Param("src"), GP64())
		ADDQ(base, src)
	}
	ADDQ(operand.U8(4), tiles)
	Label("group")
	d, e := ymm[:6], ymm[6:12]
	from, to := GP64(), GP64()
	MOVQ(src, from)
	MOVQ(dst, to)
	walk := func(p reg.Register, step reg.Register, f func(k int, m operand.Mem)) {
		q := GP64()
		MOVQ(p, q)
		for k := range 6 {
			f(k, operand.Mem{Base: q})
			if k < 5 {
				ADDQ(step, q)
			}
		}
	}
	line6 := GP64()
	IMUL3Q(operand.U8(6), line, line6)
	for x := range 6 { // columns, to dst[.][x]
		walk(from, row, func(k int, m operand.Mem) { VMOVDQU(m, d[k]) })
		inputTransform(d, e)
		walk(to, line6, func(k int, m operand.Mem) { VMOVDQU(e[k], m) })
		if x < 5 {
			ADDQ(pixel, from)
			ADDQ(line, to)
		}
	}
	MOVQ(dst, to)
	for i := range 6 { // rows, in place
		walk(to, line, func(k int, m operand.Mem) { VMOVDQU(m, d[k]) })
		inputTransform(d, e)
		walk(to, line, func(k int, m operand.Mem) { VMOVDQU(e[k], m) })
		if i < 5 {
			ADDQ(line6, to)
		}
	}
	ADDQ(operand.U8(32), src)
	ADDQ(operand.U8(32), dst)
	DECQ(groups)
	JNE(operand.LabelRef("group"))
	DECQ(count)
	JNE(operand.LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// inputTransform multiplies d with B, the matrix of F(4,3):
//
//	4  0 -5  0  1  0
//	0 -4 -4  1  1  0
//	0  4 -4 -1  1  0
//	0 -2 -1  2  1  0
//	0  2 -1 -2  1  0
//	0  4  0 -5  0  1
func inputTransform(d, e []reg.VecPhysical) {
	p, q, r, s := ymm[12], ymm[13], ymm[14], ymm[15]
	VPSLLW(operand.U8(2), d[2], p)
	VPSUBW(p, d[4], p) // d4 - 4d2
	VPSLLW(operand.U8(2), d[1], q)
	VPSUBW(q, d[3], q) // d3 - 4d1
	VPADDW(q, p, e[1])
	VPSUBW(q, p, e[2])
	VPSUBW(d[2], d[4], r) // d4 - d2
	VPSUBW(d[1], d[3], s)
	VPADDW(s, s, s) // 2(d3 - d1)
	VPADDW(s, r, e[3])
	VPSUBW(s, r, e[4])
	VPSUBW(d[2], d[0], p)
	VPSLLW(operand.U8(2), p, p)
	VPADDW(r, p, e[0])
	VPSUBW(d[3], d[5], q)
	VPADDW(s, s, s)
	VPSUBW(s, q, e[5])
}

// Fields of the argument of winogradOut: type winogradArgs in package q8.
const (
	winogradSums      = 8 * iota
	winogradLine      // bytes between the lines of sums
	winogradTile      // bytes between tiles in a line
	winogradConstants //
	winogradLimits    //
	winogradOut_      //
	winogradTiles     // *int32: where each tile begins in out
	winogradCount     // of tiles
	winogradPixel     // bytes of an output pixel
	winogradRow       // bytes of an output row
	winogradVectors   // of channels
	winogradMode      //
	winogradFactor    // the inverse of 9, in a line
)

// winogradOut makes the routine of the transform of the output.
func winogradOut(i isa) {
	TEXT("winogradOut"+i.name, NOSPLIT, "func(a *byte)")
	Doc("winogradOut"+i.name+" turns sums of tiles into codes of 4x4 pixels:", "",
		"\tacc[y][x] = (sum over i, j of A[y][i] * A[x][j] * sums[i][j]) / 576 + start    for y, x < 4",
		"\tout[y][x] = requantized acc[y][x]",
		"", "modulo 2^32, where a product with the inverse divides by 9 exactly. It uses sums as scratch.")
	Pragma("noescape")
	args := Load(Param("a"), GP64())
	field := func(f int) operand.Mem { return operand.Mem{Base: args, Disp: f} }
	value := func(f int) reg.GPVirtual {
		v := GP64()
		MOVQ(field(f), v)
		return v
	}
	factor := value(winogradFactor)
	i.constants(operand.Mem{Base: factor})
	sums, line, q := value(winogradSums), value(winogradLine), value(winogradConstants)
	line3, line6 := GP64(), GP64()
	LEAQ(operand.Mem{Base: line, Index: line, Scale: 2}, line3)
	LEAQ(operand.Mem{Base: line3, Index: line3, Scale: 1}, line6)
	vector := GP64()
	XORQ(vector, vector)
	m := func(k int) reg.VecPhysical { return i.register(k) }
	out, at, t := GP64(), GP64(), GP64()

	Label("vector")
	tile := GP64()
	XORQ(tile, tile)
	Label("tile")
	MOVQ(field(winogradTile), at)
	IMULQ(tile, at)
	ADDQ(sums, at)
	column := GP64()
	MOVQ(at, column)
	for x := range 6 {
		MOVQ(column, t)
		for k := range 6 {
			i.load(operand.Mem{Base: t}, m(k))
			if k < 5 {
				ADDQ(line6, t)
			}
		}
		i.outputTransform(m)
		MOVQ(column, t)
		for k := range 4 {
			i.save(m(8+k), operand.Mem{Base: t})
			if k < 3 {
				ADDQ(line6, t)
			}
		}
		if x < 5 {
			ADDQ(line, column)
		}
	}
	MOVQ(field(winogradTiles), t)
	MOVLQSX(operand.Mem{Base: t, Index: tile, Scale: 4}, out)
	ADDQ(field(winogradOut_), out)
	limits := GP64()
	for y := range 4 {
		i.load(operand.Mem{Base: at}, m(0))
		i.load(operand.Mem{Base: at, Index: line, Scale: 1}, m(1))
		i.load(operand.Mem{Base: at, Index: line, Scale: 2}, m(2))
		i.load(operand.Mem{Base: at, Index: line3, Scale: 1}, m(3))
		i.load(operand.Mem{Base: at, Index: line, Scale: 4}, m(4))
		LEAQ(operand.Mem{Base: at, Index: line3, Scale: 1}, t)
		i.load(operand.Mem{Base: t, Index: line, Scale: 2}, m(5))
		i.outputTransform(m)
		for x := range 4 {
			VPMULLD(operand.Mem{Base: factor}, m(8+x), m(8+x))
			VPSRAD(operand.U8(6), m(8+x), m(8+x))
			VPADDD(operand.Mem{Base: q}, m(8+x), m(8+x))
		}
		signed, done := label("signed", y), label("done", y)
		CMPQ(field(winogradMode), operand.U8(modeSigned))
		JEQ(operand.LabelRef(signed))
		for _, s := range []bool{false, true} {
			if s {
				Label(signed)
			}
			for x := range 4 {
				i.requantize(m(8+x), m(x), q, 0, s)
			}
			if !s {
				JMP(operand.LabelRef(done))
			}
		}
		Label(done)
		MOVQ(field(winogradLimits), limits)
		MOVQ(out, t)
		for x := range 4 {
			i.narrow(8+x, x, operand.Mem{Base: limits}, operand.Mem{Base: t})
			if x < 3 {
				ADDQ(field(winogradPixel), t)
			}
		}
		if y < 3 {
			ADDQ(line6, at)
			ADDQ(field(winogradRow), out)
		}
	}
	INCQ(tile)
	CMPQ(tile, field(winogradCount))
	JNE(operand.LabelRef("tile"))
	ADDQ(operand.U32(fields*i.bytes()), q)
	ADDQ(operand.U8(i.bytes()), sums)
	ADDQ(operand.U8(i.lanes), field(winogradOut_))
	INCQ(vector)
	CMPQ(vector, field(winogradVectors))
	JNE(operand.LabelRef("vector"))
	VZEROUPPER()
	RET()
}

func label(name string, n int) string { return name + string(rune('0'+n)) }

// outputTransform multiplies registers 0 to 5 with A, the matrix of F(4,3) whose
// columns are multiplied by 24 over the factors of weightTransform in package q8, to registers
// 8 to 11:
//
//	6  4  4  1  1  0
//	0  4 -4  2 -2  0
//	0  4  4  4  4  0
//	0  4 -4  8 -8 24
func (i isa) outputTransform(m func(k int) reg.VecPhysical) {
	shift := func(n int, from, to reg.VecPhysical) { VPSLLD(operand.U8(uint8(n)), from, to) }
	p, q, r, t, u := m(6), m(7), m(12), m(13), m(14)
	VPADDD(m(2), m(1), p)
	VPSUBD(m(2), m(1), q)
	VPADDD(m(4), m(3), r)
	VPSUBD(m(4), m(3), t)
	shift(2, p, p)
	shift(2, q, q)
	VPADDD(t, t, t) // 2t
	VPADDD(m(0), m(0), u)
	shift(2, m(0), m(0))
	VPADDD(u, m(0), m(0)) // 6 m0
	VPADDD(p, m(0), m(0))
	VPADDD(r, m(0), m(8))
	VPADDD(t, q, m(9))
	shift(2, r, r)
	VPADDD(r, p, m(10))
	shift(2, t, t) // 8t
	VPADDD(t, q, q)
	shift(3, m(5), u)
	shift(4, m(5), m(5))
	VPADDD(u, m(5), m(5)) // 24 m5
	VPADDD(m(5), q, m(11))
}
