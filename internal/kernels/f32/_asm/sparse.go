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
	sparseOneChannel()
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

// sparseOneChannel takes eight output channels of a window at a time: the four pixels that a tap of the kernel may lie on are
// in every half of a vector, and each channel selects the one of its winner.
func sparseOneChannel() {
	routine("sparseOneChannel", "(sum, bias, x, dy []float32, winners []int32, outC, rows, count, step, down, next, under, below, line int)",
		"adds to the gradients of the weights and the bias of a convolution of one channel; outC is at least eight:",
		"for r := range rows { for i := range count { for o := range outC {",
		"\tat, d, p := winners[(r*count+i)*outC+o] - (o + i*next + r*(count*next+under)), dy[(r*count+i)*outC+o], i*step + r*(count*step+down)",
		"\tif at < 0 { d = 0 }",
		"\tif at >= below { p += line; at -= below }",
		"\tif at >= outC { p++ }",
		"\tbias[o] += d",
		"\tfor t := range 9 { sum[t*outC+o] = fma(x[p+t/3*line+t%3], d, sum[t*outC+o]) }",
		"} } }",
		"Of the strides step, down and line are bytes.")
	outC, c := number("outC"), GP64()
	numbers := laneNumbers()
	XORQ(c, c)
	block := func(mask reg.VecVirtual) {
		move := func(from, to operand.Op) {
			if mask == nil {
				VMOVUPS(from, to)
			} else {
				VMASKMOVPS(from, mask, to)
			}
		}
		keep := func(v reg.VecVirtual, to operand.Mem) {
			if mask == nil {
				VMOVUPS(v, to)
			} else {
				VMASKMOVPS(v, mask, to)
			}
		}
		var sum nine
		bias, d, pick, upper, lower := YMM(), YMM(), YMM(), YMM(), YMM()
		p := pointer("sum", c)
		bytes := GP64()
		MOVQ(outC, bytes)
		SHLQ(operand.U8(2), bytes)
		for t := range sum {
			sum[t] = YMM()
			move(operand.Mem{Base: p}, sum[t])
			ADDQ(bytes, p)
		}
		p = pointer("bias", c)
		move(operand.Mem{Base: p}, bias)
		x, dy, winners, rows, first := slice("x"), pointer("dy", c), GP64(), number("rows"), GP64()
		Load(Param("winners").Base(), winners)
		LEAQ(at(winners, c), winners)
		MOVQ(c, first)
		line, line3 := number("line"), GP64()
		LEAQ(operand.Mem{Base: line, Index: line, Scale: 2}, line3)
		row, window := label("row"), label("window")
		Label(row)
		count := number("count")
		Label(window)
		move(operand.Mem{Base: dy}, d)
		move(operand.Mem{Base: winners}, pick)
		VMOVD(first.As32(), lower.AsX())
		VPBROADCASTD(lower.AsX(), lower)
		VPADDD(numbers, lower, lower)
		VPSUBD(lower, pick, pick)
		VPSRAD(operand.U8(31), pick, upper) // ones where nothing passes
		VPANDN(d, upper, d)
		VADDPS(d, bias, bias)
		VPBROADCASTD(param("below"), lower)
		VPCMPGTD(pick, lower, upper) // below > pick
		VPANDN(lower, upper, lower)
		VPSUBD(lower, pick, pick)
		VPADDD(upper, upper, upper)
		VPBROADCASTD(param("outC"), lower)
		VPCMPGTD(pick, lower, lower)
		VPADDD(lower, upper, pick) // -2 in the upper row, and -1 in the left column
		VPCMPEQD(lower, lower, lower)
		VPSRLD(operand.U8(30), lower, lower) // 3 = lower right
		VPADDD(lower, pick, pick)
		for col := range 3 {
			pixels := func(r int) operand.Mem {
				m := operand.Mem{Base: x, Disp: 4 * col}
				switch r {
				case 1, 2:
					m.Index, m.Scale = line, uint8(r)
				case 3:
					m.Index, m.Scale = line3, 1
				}
				return m
			}
			VBROADCASTSD(pixels(0), upper)
			for r := range 3 {
				VBROADCASTSD(pixels(r+1), lower)
				VBLENDPS(operand.U8(0xcc), lower, upper, upper)
				VPERMILPS(pick, upper, upper)
				VFMADD231PS(upper, d, sum[3*r+col])
				if r < 2 {
					VMOVAPS(lower, upper)
				}
			}
		}
		ADDQ(bytes, winners)
		ADDQ(bytes, dy)
		ADDQ(param("step"), x)
		ADDQ(param("next"), first)
		DECQ(count)
		JNE(operand.LabelRef(window))
		ADDQ(param("down"), x)
		ADDQ(param("under"), first)
		DECQ(rows)
		JNE(operand.LabelRef(row))
		p = pointer("sum", c)
		for t := range sum {
			keep(sum[t], operand.Mem{Base: p})
			ADDQ(bytes, p)
		}
		p = pointer("bias", c)
		keep(bias, operand.Mem{Base: p})
	}
	left := GP64()
	Label("block")
	MOVQ(outC, left)
	SUBQ(c, left)
	CMPQ(left, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	block(nil)
	ADDQ(operand.U8(8), c)
	JMP(operand.LabelRef("block"))
	Label("rest")
	TESTQ(left, left)
	JE(operand.LabelRef("done"))
	block(firstLanes(left))
	Label("done")
	end()
}
