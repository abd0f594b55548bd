package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Routines on the pixels of a block, for normalizations: some columns at a time, whose parameters stay in registers. There
// are multiples of eight columns, on AVX-512 of sixteen.

// blockParams are the fields of block; distances are bytes.
const blockParams = "lines, pixels, gap, channels int"

// ahead is how far ahead of what is read memory is asked for, in bytes: about a block, so that it arrives from the third-level
// cache or from memory while matrix products work on the block before.
const ahead = 7 << 10

// eachPixel runs body for one or two vectors of each pixel. prepare loads what belongs to so many vectors of columns from c on,
// and finish stores it; the first of the named slices has a gap behind each line, and the one named dy has its own distance
// between pixels. bits are those of the vector in the slice mask, if there is one.
func (i isa) eachPixel(names []string, masked bool, prepare func(c reg.GPVirtual, vectors int), body func(v int, at []operand.Mem, bits operand.Mem), finish func(c reg.GPVirtual)) {
	c, row, eighth := GP64(), number("channels"), GP64()
	XORQ(c, c)
	MOVQ(row, eighth)
	SHRQ(operand.U8(3), eighth)
	for _, n := range []int{2, 1} {
		again, fewer, line, pixel := label("columns"), label("fewer"), label("line"), label("pixel")
		Label(again)
		end := GP64()
		LEAQ(operand.Mem{Base: c, Disp: n * i.lanes}, end)
		CMPQ(end, row)
		JGT(operand.LabelRef(fewer))
		prepare(c, n)
		var data []reg.GPVirtual
		for _, name := range names {
			p := slice(name)
			LEAQ(at(p, c), p)
			data = append(data, p)
		}
		var bits reg.GPVirtual
		if masked {
			bits = GP64()
			MOVQ(c, bits)
			SHRQ(operand.U8(3), bits)
			ADDQ(slice("mask"), bits)
		}
		lines, pixels := number("lines"), GP64()
		Label(line)
		Load(Param("pixels"), pixels)
		Label(pixel)
		for v := range n {
			for _, p := range data[1:] {
				if v*i.lanes%16 == 0 {
					PREFETCHT0(operand.Mem{Base: p, Disp: 4*i.lanes*v + ahead})
				}
			}
			var at []operand.Mem
			for _, p := range data {
				at = append(at, operand.Mem{Base: p, Disp: 4 * i.lanes * v})
			}
			body(v, at, operand.Mem{Base: bits, Disp: i.lanes / 8 * v})
		}
		for j, p := range data {
			if names[j] == "dy" {
				ADDQ(param("step"), p)
			} else {
				LEAQ(at(p, row), p)
			}
		}
		if masked {
			ADDQ(eighth, bits)
		}
		DECQ(pixels)
		JNE(operand.LabelRef(pixel))
		ADDQ(param("gap"), data[0])
		DECQ(lines)
		JNE(operand.LabelRef(line))
		finish(c)
		ADDQ(operand.U8(n*i.lanes), c)
		JMP(operand.LabelRef(again))
		Label(fewer)
	}
}

// vectorsAt loads n vectors of each of so many parameters of the columns, which lie one behind the other.
func (i isa) vectorsAt(params, c reg.GPVirtual, count, n int) [][]reg.VecVirtual {
	p, row := GP64(), number("channels")
	LEAQ(at(params, c), p)
	all := make([][]reg.VecVirtual, count)
	for j := range all {
		for v := range n {
			r := i.vector()
			VMOVUPS(operand.Mem{Base: p, Disp: 4 * i.lanes * v}, r)
			all[j] = append(all[j], r)
		}
		if j+1 < count {
			LEAQ(at(p, row), p)
		}
	}
	return all
}

// normalizeMaskedGrad has mean, invStd, meanB, meanG and factor in params.
func normalizeMaskedGrad(i isa) {
	routineOn(i, "normalizeMaskedGrad", "(dx, dy []float32, mask []uint8, x, params []float32, step int, "+blockParams+")",
		"computes the gradient of the input of a normalization from what the mask passes of dy, at lines of pixels:",
		"for c := range channels {",
		"\txhat := float32((x[c] - mean[c]) * invStd[c])",
		"\tdx[c] = factor[c] * ((dy[c] - meanB[c]) - float32(xhat*meanG[c]))",
		"}",
		"dx, dy and x are those of the next pixel, step apart in dy; a gap is behind each line of dx")
	passing := i.loadPassing()
	var p [][]reg.VecVirtual
	i.eachPixel([]string{"dx", "dy", "x"}, true, func(c reg.GPVirtual, n int) {
		p = i.vectorsAt(slice("params"), c, 5, n)
	}, func(v int, at []operand.Mem, bits operand.Mem) {
		x, d := i.vector(), i.passed(passing, at[1], bits)
		VMOVUPS(at[2], x)
		VSUBPS(p[0][v], x, x)
		VMULPS(p[1][v], x, x)
		VMULPS(p[3][v], x, x)
		VSUBPS(p[2][v], d, d)
		VSUBPS(x, d, d)
		VMULPS(p[4][v], d, d)
		VMOVUPS(d, at[0])
	}, stay)
	end()
}

// stay finishes columns of which nothing is stored.
func stay(reg.GPVirtual) {}

// sumMaskedNormalized has two chains of sums per column.
func sumMaskedNormalized(i isa) {
	routineOn(i, "sumMaskedNormalized", "(sum, products, x, dy []float32, mask []uint8, mean, invStd []float32, step int, "+blockParams+")",
		"adds the pixels of lines without gaps, of what the mask passes of dy, in order:",
		"for c := range channels {",
		"\tsum[c] += dy[c]",
		"\tproducts[c] += float32(dy[c] * float32((x[c]-mean[c])*invStd[c]))",
		"}",
		"dy and x are those of the next pixel, step apart in dy")
	passing := i.loadPassing()
	names := []string{"sum", "products", "mean", "invStd"}
	var p [4][]reg.VecVirtual
	i.eachPixel([]string{"x", "dy"}, true, func(c reg.GPVirtual, n int) {
		for j, name := range names {
			p[j] = i.vectorsAt(slice(name), c, 1, n)[0]
		}
	}, func(v int, at []operand.Mem, bits operand.Mem) {
		x, d := i.vector(), i.passed(passing, at[1], bits)
		VMOVUPS(at[0], x)
		VADDPS(d, p[0][v], p[0][v])
		VSUBPS(p[2][v], x, x)
		VMULPS(p[3][v], x, x)
		VMULPS(x, d, d)
		VADDPS(d, p[1][v], p[1][v])
	}, func(c reg.GPVirtual) {
		for j, name := range names[:2] {
			s := slice(name)
			LEAQ(at(s, c), s)
			for v, sum := range p[j] {
				VMOVUPS(sum, operand.Mem{Base: s, Disp: 4 * i.lanes * v})
			}
		}
	})
	end()
}

// loadPassing prepares for passed.
func (i isa) loadPassing() passing {
	if i == avx512 {
		return passing{}
	}
	return loadPassing()
}

// passed loads the lanes whose bits are set, and zeros.
func (i isa) passed(p passing, from, bits operand.Mem) reg.VecVirtual {
	if i == avx512 {
		k, d := K(), ZMM()
		KMOVW(bits, k)
		VMOVUPS_Z(from, k, d)
		return d
	}
	d := p.lanes(bits)
	VANDPS(from, d, d)
	return d
}

// What the routines for rectified normalizations do behind the activation.
const (
	clamps = iota
	rounds
	restores
)

// rectified makes routines for normalizations and tails whose activation is bounded by zero from below: normalize, and
// then tail. What is rounded is no less than zero then, so that codes need no lower limit and ties no sign. A NaN
// makes their results invalid where they round, and is found in a sum.
func rectified(i isa, kind int) {
	const tail = " a tail whose activation is not below zero"
	const pixels = ", at lines of pixels; a gap is behind each line of dst"
	switch kind {
	case clamps:
		routineOn(i, "rectify", "(dst, x []float32, mask []uint8, params, k []float32, "+blockParams+")", "runs normalize and"+tail+" and that does not round"+pixels+"; mask may be empty")
	case rounds:
		routineOn(i, "roundRectified", "(dst, x []float32, mask []uint8, params, k []float32, "+blockParams+") (least, most float32, nan bool)", "runs normalize and"+tail+" and that rounds"+pixels+"; where there is a NaN, nothing else is valid")
	case restores:
		routineOn(i, "restoreRectified", "(dst, x, params, k []float32, "+blockParams+") (nan bool)", "is roundRectified but for the bits and bounds")
	}
	var b bounds
	var sum reg.VecVirtual
	if kind == rounds {
		b = bounds{least: i.broadcast(0x7f800000), most: i.broadcast(0xff800000)}
	}
	if kind != clamps {
		sum = i.vector()
		i.zero(sum)
	}
	loops := func(masked bool) {
		open, done := label("open"), label("done")
		k := slice("k")
		CMPL(operand.Mem{Base: k, Disp: 32 * tailHi}, operand.U32(0x7f800000))
		JE(operand.LabelRef(open))
		i.rectify(kind, masked, true, &b, sum)
		JMP(operand.LabelRef(done))
		Label(open)
		i.rectify(kind, masked, false, &b, sum)
		Label(done)
	}
	if kind == clamps {
		plain := label("plain")
		masked := size("mask")
		TESTQ(masked, masked)
		JE(operand.LabelRef(plain))
		loops(true)
		end()
		Label(plain)
		loops(false)
		end()
		return
	}
	loops(kind == rounds)
	nan, found := GP32(), GP8()
	if i == avx512 {
		k := K()
		VCMPPS(operand.U8(unordered), sum, sum, k)
		KMOVW(k, nan)
	} else {
		VCMPPS(operand.U8(unordered), sum, sum, sum)
		VMOVMSKPS(sum, nan)
	}
	TESTL(nan, nan)
	SETNE(found)
	Store(found, Return("nan"))
	if kind == rounds {
		if i == avx512 {
			b.least, b.most = narrowed(VMINPS, b.least), narrowed(VMAXPS, b.most)
		}
		b.fold()
		Store(b.least.AsX(), Return("least"))
		Store(b.most.AsX(), Return("most"))
	}
	end()
}

// broadcast sets all lanes to 32 bits.
func (i isa) broadcast(bits uint32) reg.VecVirtual {
	if i == avx2 {
		return constant(bits)
	}
	g, v := GP32(), ZMM()
	MOVL(operand.U32(bits), g)
	VPBROADCASTD(g, v)
	return v
}

// rectify is a loop of these routines. AVX2 has no registers for the constants.
func (i isa) rectify(kind int, masked, bounded bool, b *bounds, sum reg.VecVirtual) {
	names := []string{"dst", "x"}
	k := slice("k")
	constant := func(n int) operand.Op {
		m := operand.Mem{Base: k, Disp: 32 * n}
		if i == avx2 {
			return m
		}
		v := ZMM()
		VBROADCASTSS(m, v)
		return v
	}
	lo := i.vector()
	i.zero(lo)
	hi, bottom, top := constant(tailHi), lo, constant(tailTop)
	scale, half, most := constant(tailScale), constant(tailHalf), constant(tailMost)
	var p [][]reg.VecVirtual
	i.eachPixel(names, masked, func(c reg.GPVirtual, n int) {
		p = i.vectorsAt(slice("params"), c, 4, n)
	}, func(n int, at []operand.Mem, bits operand.Mem) {
		v := i.vector()
		VMOVUPS(at[1], v)
		VSUBPS(p[0][n], v, v)
		VMULPS(p[1][n], v, v)
		VMULPS(p[2][n], v, v)
		VADDPS(p[3][n], v, v)
		VMAXPS(v, lo, v)
		if bounded {
			if i == avx2 {
				limit := YMM()
				VMOVUPS(hi, limit)
				VMINPS(v, limit, v)
			} else {
				VMINPS(v, hi.(reg.VecVirtual), v)
			}
		}
		if kind == clamps {
			VADDPS(lo, v, v)
			if masked {
				i.storeBits(i.inside(v, bottom, top, bounded), bits)
			}
			VMOVUPS(v, at[0])
			return
		}
		VADDPS(v, sum, sum)
		if kind == rounds {
			VMINPS(b.least, v, b.least)
			VMAXPS(b.most, v, b.most)
		}
		t, s := i.vector(), i.vector()
		VDIVPS(scale, v, t)
		VADDPS(half, t, t)
		VCVTTPS2DQ(t, t)
		VPMINUD(most, t, s) // what is too large for an integer is a large one
		if masked {
			inside := i.inside(v, bottom, top, bounded)
			if i == avx512 {
				same := K()
				VPCMPEQD(s, t, inside, same)
				inside = same
			} else {
				VPCMPEQD(s, t, t)
				VANDPS(t, inside, inside)
			}
			i.storeBits(inside, bits)
		}
		VCVTDQ2PS(s, s)
		VMULPS(scale, s, s)
		VMOVUPS(s, at[0])
	}, stay)
}

// inside returns the lanes whose activation passes the gradient, as a mask of bits on AVX-512.
func (i isa) inside(v, bottom reg.VecVirtual, top operand.Op, bounded bool) reg.Register {
	if i == avx512 {
		inside := K()
		VCMPPS(operand.U8(greater), bottom, v, inside)
		if bounded {
			below := K()
			VCMPPS(operand.U8(less), top, v, inside, below)
			return below
		}
		return inside
	}
	inside := YMM()
	VCMPPS(operand.U8(greater), bottom, v, inside)
	if bounded {
		below := YMM()
		VCMPPS(operand.U8(less), top, v, below)
		VANDPS(below, inside, inside)
	}
	return inside
}

// storeBits writes a bit for each lane.
func (i isa) storeBits(inside reg.Register, to operand.Mem) {
	if i == avx512 {
		KMOVW(inside, to)
		return
	}
	bits := GP32()
	VMOVMSKPS(inside, bits)
	MOVB(bits.As8(), to)
}

// narrowed folds sixteen lanes to eight.
func narrowed(f binary, v reg.VecVirtual) reg.VecVirtual {
	h, low := YMM(), YMM()
	VEXTRACTF64X4(operand.U8(1), v, h)
	VMOVAPS(v.AsY(), low)
	f(h, low, low)
	return low
}
