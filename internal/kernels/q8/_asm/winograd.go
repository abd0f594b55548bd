package main

import (
	"fmt"

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
	line3, row3 := GP64(), GP64()
	LEAQ(operand.Mem{Base: line, Index: line, Scale: 2}, line3)
	LEAQ(operand.Mem{Base: row, Index: row, Scale: 2}, row3)
	Label("tile")
	groups := Load(Param("groups"), GP64())
	MOVLQSX(operand.Mem{Base: tiles}, src)
	{
		base := Load(Param("src"), GP64())
		ADDQ(base, src)
	}
	ADDQ(operand.U8(4), tiles)
	Label("group")
	from, from3, to, to3 := GP64(), GP64(), GP64(), GP64()
	for pair := range inputPairs { // two rows of the result at a time, which stay in registers
		MOVQ(src, from)
		LEAQ(operand.Mem{Base: src, Index: row3, Scale: 1}, from3)
		for x := range 6 { // columns
			inputPair(pair, sixOf(from, from3, row), ymm[x], ymm[6+x])
			if x < 5 {
				ADDQ(pixel, from)
				ADDQ(pixel, from3)
			}
		}
		for k, i := range inputPairs[pair] {
			MOVQ(dst, to)
			for range i {
				LEAQ(operand.Mem{Base: to, Index: line3, Scale: 2}, to)
			}
			LEAQ(operand.Mem{Base: to, Index: line3, Scale: 1}, to3)
			m := sixOf(to, to3, line)
			var d [6]operand.Op
			for x := range d {
				d[x] = ymm[6*k+x]
			}
			for p, columns := range inputPairs {
				inputPair(p, d, ymm[12], ymm[13])
				VMOVDQU(ymm[12], m[columns[0]])
				VMOVDQU(ymm[13], m[columns[1]])
			}
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

// sixOf returns six places that are step bytes apart, given the first and the
// fourth.
func sixOf(first, fourth, step reg.Register) (m [6]operand.Op) {
	for k := range m {
		at := operand.Mem{Base: first}
		if k >= 3 {
			at.Base = fourth
		}
		if k%3 > 0 {
			at.Index, at.Scale = step, uint8(k%3)
		}
		m[k] = at
	}
	return m
}

// inputPairs are the rows of B that are computed together.
var inputPairs = [3][2]int{{1, 2}, {3, 4}, {0, 5}}

// inputPair multiplies d, registers or memory, with two rows of B, the matrix of
// F(4,3):
//
//	4  0 -5  0  1  0
//	0 -4 -4  1  1  0
//	0  4 -4 -1  1  0
//	0 -2 -1  2  1  0
//	0  2 -1 -2  1  0
//	0  4  0 -5  0  1
func inputPair(pair int, d [6]operand.Op, e, f reg.VecPhysical) {
	p, q := ymm[14], ymm[15]
	value := func(x operand.Op, into reg.VecPhysical) reg.VecPhysical {
		if m, is := x.(operand.Mem); is {
			VMOVDQU(m, into)
			return into
		}
		return x.(reg.VecPhysical)
	}
	switch pair {
	case 0: // (d4 - 4d2) ± (d3 - 4d1)
		VPSLLW(operand.U8(2), value(d[2], p), p)
		VPSLLW(operand.U8(2), value(d[1], q), q)
		VPSUBW(p, value(d[4], e), p)
		VPSUBW(q, value(d[3], e), q)
	case 1: // (d4 - d2) ± 2(d3 - d1)
		VPSUBW(d[1], value(d[3], q), q)
		VPSUBW(d[2], value(d[4], p), p)
		VPADDW(q, q, q)
	case 2: // 4(d0 - d2) + d4 - d2, d5 - d3 - 4(d3 - d1)
		a, b := value(d[2], e), value(d[3], f)
		VPSUBW(a, value(d[0], p), p)
		VPSLLW(operand.U8(2), p, p)
		VPSUBW(a, p, p)
		VPADDW(d[4], p, e)
		VPSUBW(d[1], b, q)
		VPSLLW(operand.U8(2), q, q)
		VPADDW(b, q, q)
		VPSUBW(q, value(d[5], f), f)
		return
	}
	VPADDW(q, p, e)
	VPSUBW(q, p, f)
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
		"\tacc[y][x] = (sum over i, j of A[y][i] * A[x][j] * sums[i][j]) / 9    for y, x < 4",
		"\tout[y][x] = requantized acc[y][x]",
		"", "modulo 2^32, where a product with the inverse divides by 9 exactly. It may use sums as scratch.")
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
	order := i.pixelOrder()
	sums, line, q := value(winogradSums), value(winogradLine), value(winogradConstants)
	line3 := GP64()
	LEAQ(operand.Mem{Base: line, Index: line, Scale: 2}, line3)
	vector := GP64()
	XORQ(vector, vector)
	out, at, fourth := GP64(), GP64(), GP64()

	Label("vector")
	tile := GP64()
	XORQ(tile, tile)
	Label("tile")
	MOVQ(field(winogradTile), at)
	IMULQ(tile, at)
	ADDQ(sums, at)
	// Columns: to registers if there are enough, or else in place.
	column, line6 := GP64(), GP64()
	MOVQ(at, column)
	LEAQ(operand.Mem{Base: line3, Index: line3, Scale: 1}, line6)
	LEAQ(operand.Mem{Base: at, Index: line6, Scale: 2}, fourth)
	ADDQ(line6, fourth)
	var done [4][6]operand.Op
	for x := range 6 {
		var y [4]reg.VecPhysical
		for k := range y {
			y[k] = i.register(k)
			if i.wide {
				y[k] = i.register(6*k + x)
				done[k][x] = y[k]
			}
		}
		m := sixOf(column, fourth, line6)
		i.outputTransform(m, y)
		for k := range y {
			if !i.wide {
				i.save(y[k], m[k].(operand.Mem))
			}
		}
		if x < 5 {
			ADDQ(line, column)
			ADDQ(line, fourth)
		}
	}
	MOVQ(field(winogradTiles), out)
	MOVLQSX(operand.Mem{Base: out, Index: tile, Scale: 4}, out)
	ADDQ(field(winogradOut_), out)
	LEAQ(operand.Mem{Base: at, Index: line3, Scale: 1}, fourth)
	unit := operand.Mem{Base: factor, Disp: 64}
	for y := range 4 {
		to, t := [4]reg.VecPhysical{ymm[0], ymm[1], ymm[2], ymm[3]}, ymm[4:]
		if i.wide {
			to, t = [4]reg.VecPhysical{zmm[24], zmm[25], zmm[26], zmm[27]}, zmm[6*y:]
		} else {
			done[y] = sixOf(at, fourth, line)
		}
		i.outputTransform(done[y], to)
		for _, v := range to {
			VPMULLD(operand.Mem{Base: factor}, v, v)
		}
		byMode(field(winogradMode), fmt.Sprint(y), "", func(mode int) {
			for x, v := range to {
				if mode == modeSingle { // what the others take is raised by 2^31
					VPADDD(operand.Mem{Base: q}, v, v)
				}
				i.rescale(mode, v, t[x], q, 0, unit)
			}
		})
		i.storePixels(to, order, value(winogradLimits), out, value(winogradPixel))
		if y < 3 {
			ADDQ(field(winogradRow), out)
			if !i.wide {
				LEAQ(operand.Mem{Base: at, Index: line3, Scale: 2}, at)
				LEAQ(operand.Mem{Base: fourth, Index: line3, Scale: 2}, fourth)
			}
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

// outputTransform multiplies what is in registers or memory with A, the matrix of
// F(4,3) whose last column is doubled, as weightTransform in package q8 wants:
//
//	1  1  1  1  1  0
//	0  1 -1  2 -2  0
//	0  1  1  4  4  0
//	0  1 -1  8 -8  2
func (i isa) outputTransform(m [6]operand.Op, y [4]reg.VecPhysical) {
	r, t := i.register(28), i.register(29)
	if !i.wide {
		r, t = ymm[14], ymm[15]
	}
	value := func(x operand.Op) reg.VecPhysical {
		if m, is := x.(operand.Mem); is {
			i.load(m, t)
			return t
		}
		return x.(reg.VecPhysical)
	}
	v := value(m[1])
	VPADDD(m[2], v, y[0])
	VPSUBD(m[2], v, y[1])
	v = value(m[3])
	VPADDD(m[4], v, r)
	VPSUBD(m[4], v, t)
	VPSLLD(operand.U8(2), r, y[2])
	VPADDD(y[0], y[2], y[2])
	VPADDD(r, y[0], y[0])
	VPADDD(m[0], y[0], y[0])
	VPADDD(t, t, t)
	VPSLLD(operand.U8(2), t, y[3])
	VPADDD(y[1], y[3], y[3])
	VPADDD(t, y[1], y[1])
	VPADDD(m[5], y[3], y[3])
	VPADDD(m[5], y[3], y[3])
}

// pixelOrders are the data of [isa.pixelOrder].
var pixelOrders = map[string]operand.Mem{}

// pixelOrder loads the register that brings the channels of pixels together
// behind the instructions that narrow sums to bytes, which work on quarters of
// vectors.
func (i isa) pixelOrder() reg.VecPhysical {
	quarters := i.lanes / 4
	order, done := pixelOrders[i.name]
	if !done {
		order = GLOBL("pixels"+i.name, RODATA|NOPTR)
		for k := range i.lanes {
			DATA(4*k, operand.U32(k/quarters+k%quarters*4))
		}
		pixelOrders[i.name] = order
	}
	to := i.register(13)
	if i.wide {
		to = zmm[30]
	}
	i.load(order, to)
	return to
}

// storePixels narrows a vector of channels of four pixels to codes, clamps them and
// writes them to out, pixel bytes apart.
func (i isa) storePixels(p [4]reg.VecPhysical, order reg.VecPhysical, limits, out, pixel reg.Register) {
	v := p[0]
	VPACKSSDW(p[1], v, v)
	VPACKSSDW(p[3], p[2], p[2])
	VPACKSSWB(p[2], v, v)
	VPMAXSB(operand.Mem{Base: limits}, v, v)
	VPMINSB(operand.Mem{Base: limits, Disp: 64}, v, v)
	VPERMD(v, order, v)
	to := GP64()
	LEAQ(operand.Mem{Base: out, Index: pixel, Scale: 2}, to)
	at := func(x int) operand.Mem {
		m := operand.Mem{Base: out}
		if x >= 2 {
			m.Base = to
		}
		if x%2 > 0 {
			m.Index, m.Scale = pixel, 1
		}
		return m
	}
	if i.wide {
		VMOVDQU32(p[0].AsX(), at(0))
		for k := 1; k < 4; k++ {
			VEXTRACTI32X4(operand.U8(uint8(k)), v, at(k))
		}
		return
	}
	low, high := p[0].AsX(), p[1].AsX()
	VEXTRACTI128(operand.U8(1), v, high)
	VMOVQ(low, at(0))
	VPEXTRQ(operand.U8(1), low, at(1))
	VMOVQ(high, at(2))
	VPEXTRQ(operand.U8(1), high, at(3))
}
