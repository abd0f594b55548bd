package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines in this file are gradients of a convolution of 3x3 taps behind which a pool of up to 2x2 lets one value of a
// window pass, for as many input channels as a vector has lanes. Nine vectors stay in registers.

func sparse() {
	for _, i := range []isa{avx2, avx512} {
		sparseWeights(i)
		sparseInput(i)
	}
}

// nine are the vectors of 3x3 pixels of an image.
type nine [9]reg.VecVirtual

// place addresses a part of a parameter.
func place(c gotypes.Component) operand.Mem {
	p, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// pixelsOf runs body for the nine pixels from p on in an image whose rows are line apart, and moves p on to the last row.
func pixelsOf(p, pixel reg.GPVirtual, line operand.Op, body func(t int, at operand.Mem)) {
	for t := range 9 {
		at := operand.Mem{Base: p}
		if t%3 > 0 {
			at.Index, at.Scale = pixel, uint8(t%3)
		}
		if body(t, at); t%3 == 2 && t < 8 {
			ADDQ(line, p)
		}
	}
}

func sparseWeights(i isa) {
	routineOn(i, "sparseWeights", "(sum, bias, x, dy []float32, winners []int32, left, first, outC, rows, count, out, step, down, next, under, below, pixel, line int)",
		"adds to the gradient of the weights and, unless it is empty, to that of the bias:",
		"for o := range outC { for r := range rows { for i := range count {",
		"\tat := winners[(r*count+i)*outC+o] - (first + o + i*next + r*(count*next+under))",
		"\tif at < 0 { continue }",
		"\tp := i*step + r*(count*step+down)",
		"\tif at >= below { p += line; at -= below }",
		"\tif at >= outC { p += pixel }",
		"\td := dy[(r*count+i)*outC+o]",
		"\tbias[o] += d",
		"\tfor t := range 9 { for c := range lanes { sum[(9*o+t)*pixel+c] = fma(x[p+t/3*line+t%3*pixel+c], d, sum[(9*o+t)*pixel+c]) } }",
		"} } }",
		"left is outC. Of the strides out = 4*outC, step, down, pixel and line are bytes.")
	lanes := width(i.lanes)
	pixel, line, row := number("pixel"), number("line"), GP64()
	LEAQ(operand.Mem{Base: pixel, Index: pixel, Scale: 2}, row)
	var sum nine
	bias, d := lanes.vector(), lanes.vector()
	unless := func(skip string) {
		CMPQ(place(Param("bias").Len()), operand.U8(0))
		JE(operand.LabelRef(skip))
	}

	Label("channel")
	p := slice("sum")
	pixelsOf(p, pixel, row, func(t int, at operand.Mem) { sum[t] = lanes.load(at) })
	lanes.zero(bias)
	unless("start")
	p = slice("bias")
	VBROADCASTSS(operand.Mem{Base: p}, bias)
	Label("start")
	x, dy, winners, first, rows := slice("x"), slice("dy"), slice("winners"), number("first"), number("rows")
	Label("row")
	count := number("count")
	Label("window")
	at, here, other, less := GP64(), GP64(), GP64(), GP64()
	MOVLQSX(operand.Mem{Base: winners}, at)
	SUBQ(first, at)
	JLT(operand.LabelRef("next"))
	MOVQ(x, here)
	LEAQ(operand.Mem{Base: x, Index: line, Scale: 1}, other)
	MOVQ(at, less)
	SUBQ(param("below"), less)
	CMOVQGE(less, at)
	CMOVQGE(other, here)
	LEAQ(operand.Mem{Base: here, Index: pixel, Scale: 1}, other)
	CMPQ(at, param("outC"))
	CMOVQGE(other, here)
	VBROADCASTSS(operand.Mem{Base: dy}, d)
	lanes.do(VADDPS, bias, d)
	pixelsOf(here, pixel, line, func(t int, at operand.Mem) { VFMADD231PS(at, d, sum[t]) })
	Label("next")
	ADDQ(param("out"), winners)
	ADDQ(param("out"), dy)
	ADDQ(param("step"), x)
	ADDQ(param("next"), first)
	DECQ(count)
	JNE(operand.LabelRef("window"))
	ADDQ(param("down"), x)
	ADDQ(param("under"), first)
	DECQ(rows)
	JNE(operand.LabelRef("row"))

	p = slice("sum")
	pixelsOf(p, pixel, row, func(t int, at operand.Mem) { lanes.store(sum[t], at) })
	ADDQ(row, p)
	MOVQ(p, place(Param("sum").Base()))
	unless("kept")
	p = slice("bias")
	VMOVSS(bias.AsX(), operand.Mem{Base: p})
	ADDQ(operand.U8(4), place(Param("bias").Base()))
	Label("kept")
	ADDQ(operand.U8(4), place(Param("dy").Base()))
	ADDQ(operand.U8(4), place(Param("winners").Base()))
	INCQ(param("first"))
	DECQ(param("left"))
	JNE(operand.LabelRef("channel"))
	end()
}

// sparseInput takes the channels of a window by the tap that has won: a bit for each.
func sparseInput(i isa) {
	routineOn(i, "sparseInput", "(w, dx, dy []float32, winners []int32, outC, rows, count, step, down, next, under, below, pixel, line int)",
		"adds to the gradient of the input; outC is a multiple of eight:",
		"for r := range rows { for i := range count { for some := 0; some < outC; some += 32 { for tap := range 4 {",
		"\tfor o := some; o < min(some+32, outC); o++ {",
		"\t\tat := winners[(r*count+i)*outC+o] - (o + i*next + r*(count*next+under))",
		"\t\tif at != tap/2*below + tap%2*outC { continue }",
		"\t\tp := i*step + r*(count*step+down) + tap/2*line + tap%2*pixel",
		"\t\tfor t := range 9 { for c := range lanes {",
		"\t\t\te := p + t/3*line + t%3*pixel + c",
		"\t\t\tdx[e] = fma(w[(9*o+t)*pixel+c], dy[(r*count+i)*outC+o], dx[e])",
		"\t\t} }",
		"\t}",
		"} } } }",
		"Of the strides step, down, pixel and line are bytes.")
	lanes := width(i.lanes)
	dx, dy, winners := slice("dx"), slice("dy"), slice("winners")
	pixel, row, first := number("pixel"), GP64(), GP64()
	LEAQ(operand.Mem{Base: pixel, Index: pixel, Scale: 2}, row)
	XORQ(first, first)
	numbers, eight, indices, same := laneNumbers(), constant(8), YMM(), YMM()
	var sum nine
	d := lanes.vector()
	lines := AllocLocal(8)
	again, w, left, some := GP64(), GP64(), GP64(), GP64()

	Label("row")
	MOVQ(number("count"), again)
	MOVQ(again, lines)
	Label("window")
	Load(Param("w").Base(), w)
	Load(Param("outC"), left)
	Label("some")
	MOVQ(left, some)
	most := GP64()
	MOVQ(operand.U32(32), most)
	CMPQ(some, most)
	CMOVQGT(most, some)
	for tap := range 4 {
		skip, group, channel := label("skip"), label("group"), label("channel")
		to, at, bits, won := GP64(), GP64(), GP64(), GP32()
		MOVQ(dx, to)
		LEAQ(operand.Mem{Base: first, Index: some, Scale: 1, Disp: -8}, at) // the last eight
		if tap%2 > 0 {
			ADDQ(pixel, to)
			ADDQ(param("outC"), at)
		}
		if tap/2 > 0 {
			ADDQ(param("line"), to)
			ADDQ(param("below"), at)
		}
		VMOVD(at.As32(), indices.AsX())
		VPBROADCASTD(indices.AsX(), indices)
		VPADDD(numbers, indices, indices)
		XORQ(bits, bits)
		MOVQ(some, at)
		Label(group)
		VPCMPEQD(operand.Mem{Base: winners, Index: at, Scale: 4, Disp: -32}, indices, same)
		VMOVMSKPS(same, won)
		SHLL(operand.U8(8), bits.As32())
		ORL(won, bits.As32())
		VPSUBD(eight, indices, indices)
		SUBQ(operand.U8(8), at)
		JNE(operand.LabelRef(group))
		TESTL(bits.As32(), bits.As32())
		JE(operand.LabelRef(skip))
		from := GP64()
		MOVQ(to, from)
		pixelsOf(from, pixel, param("line"), func(t int, at operand.Mem) { sum[t] = lanes.load(at) })
		Label(channel)
		o := GP64()
		TZCNTL(bits.As32(), o.As32())
		BLSRL(bits.As32(), bits.As32())
		VBROADCASTSS(operand.Mem{Base: dy, Index: o, Scale: 4}, d)
		IMULQ(pixel, o)
		LEAQ(operand.Mem{Base: o, Index: o, Scale: 8}, o)
		ADDQ(w, o)
		pixelsOf(o, pixel, row, func(t int, at operand.Mem) { VFMADD231PS(at, d, sum[t]) })
		TESTL(bits.As32(), bits.As32())
		JNE(operand.LabelRef(channel))
		pixelsOf(to, pixel, param("line"), func(t int, at operand.Mem) { lanes.store(sum[t], at) })
		Label(skip)
	}
	LEAQ(operand.Mem{Base: winners, Index: some, Scale: 4}, winners)
	LEAQ(operand.Mem{Base: dy, Index: some, Scale: 4}, dy)
	ADDQ(some, first)
	SUBQ(some, left)
	IMULQ(pixel, some)
	LEAQ(operand.Mem{Base: some, Index: some, Scale: 8}, some)
	ADDQ(some, w)
	TESTQ(left, left)
	JNE(operand.LabelRef("some"))
	ADDQ(param("step"), dx)
	SUBQ(param("outC"), first)
	ADDQ(param("next"), first)
	DECQ(lines)
	JNE(operand.LabelRef("window"))
	ADDQ(param("down"), dx)
	ADDQ(param("under"), first)
	DECQ(param("rows"))
	JNE(operand.LabelRef("row"))
	end()
}
