package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// taps are the nine values of an image of one channel that lie under a kernel of 3x3.
type taps struct{ rows [3]reg.GPVirtual }

func newTaps(x reg.GPVirtual) (t taps) {
	t.rows[0] = x
	for i := 1; i < 3; i++ {
		t.rows[i] = GP64()
		LEAQ(operand.Mem{Base: t.rows[i-1], Index: number("line"), Scale: 1}, t.rows[i])
	}
	return t
}

// at addresses a tap of the kernel that is so many bytes to the right.
func (t taps) at(tap int, right reg.GPVirtual) operand.Mem {
	return operand.Mem{Base: t.rows[tap/3], Index: right, Scale: 1, Disp: tap % 3 * 4}
}

// each runs body for count pixels of each of rows rows of the image, for some at a time and then for one.
func (t taps) each(some int, body func(right ...reg.GPVirtual)) {
	row, pixels, pixel, next := label("row"), label("pixels"), label("pixel"), label("next")
	rows, left, step := number("rows"), GP64(), number("step")
	right := make([]reg.GPVirtual, some)
	for i := range right {
		right[i] = GP64()
	}
	Label(row)
	XORQ(right[0], right[0])
	MOVQ(param("count"), left)
	if some > 1 {
		Label(pixels)
		SUBQ(operand.U8(some), left)
		JLT(operand.LabelRef(pixel))
		for i := 1; i < some; i++ {
			LEAQ(operand.Mem{Base: right[i-1], Index: step, Scale: 1}, right[i])
		}
		body(right...)
		LEAQ(operand.Mem{Base: right[some-1], Index: step, Scale: 1}, right[0])
		JMP(operand.LabelRef(pixels))
		Label(pixel)
		ADDQ(operand.U8(some), left)
		JE(operand.LabelRef(next))
		pixel = label("pixel")
	}
	Label(pixel)
	body(right[0])
	ADDQ(step, right[0])
	DECQ(left)
	JNE(operand.LabelRef(pixel))
	Label(next)
	for _, r := range t.rows {
		ADDQ(param("down"), r)
	}
	DECQ(rows)
	JNE(operand.LabelRef(row))
}

// oneChannel convolves an image of one channel: eight output channels at a time, whose weights stay in registers.
func oneChannel() {
	routine("oneChannel", "(y, x, w []float32, rows, count, step, line, down, channels int)",
		"computes rows of count pixels of at least eight channels from an image of one channel, with kernels of 3x3; strides are bytes:",
		"for r := range rows { for i := range count { for c := range channels {",
		"\ty[c] = 0",
		"\tfor t := range 9 { y[c] = fma(x[r*down + i*step + t/3*line + t%3], w[t*channels+c], y[c]) }",
		"\ty = y[channels:]",
		"} } }")
	channels, c := number("channels"), GP64()
	XORQ(c, c)
	Label("block")
	{
		from, bytes := pointer("w", c), GP64()
		MOVQ(channels, bytes)
		SHLQ(operand.U8(2), bytes)
		var w [9]reg.VecVirtual
		for i := range w {
			w[i] = whole.load(operand.Mem{Base: from})
			ADDQ(bytes, from)
		}
		y, t := pointer("y", c), newTaps(slice("x"))
		sum, x := [4]reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}, YMM()
		t.each(len(sum), func(right ...reg.GPVirtual) { // sums of several pixels need not wait for each other
			for p := range right {
				VXORPS(sum[p], sum[p], sum[p])
			}
			for i := range w {
				for p := range right {
					VBROADCASTSS(t.at(i, right[p]), x)
					VFMADD231PS(w[i], x, sum[p])
				}
			}
			for p := range right {
				VMOVUPS(sum[p], operand.Mem{Base: y})
				ADDQ(bytes, y)
			}
		})
	}
	ADDQ(operand.U8(16), c)
	CMPQ(c, channels)
	LEAQ(operand.Mem{Base: c, Disp: -8}, c)
	JLE(operand.LabelRef("block"))
	CMPQ(c, channels)
	JGE(operand.LabelRef("done"))
	LEAQ(operand.Mem{Base: channels, Disp: -8}, c)
	JMP(operand.LabelRef("block"))
	Label("done")
	end()
}

// oneChannelGrad is the gradient of its weights.
func oneChannelGrad() {
	routine("oneChannelGrad", "(sum, bias, x, dy []float32, add, rows, count, step, line, down, channels int)",
		"adds to the gradient of the weights of oneChannel, which starts at 0 unless add is 1, and, unless it is empty, to that of the bias:",
		"for r := range rows { for i := range count { for c := range channels {",
		"\tfor t := range 9 { sum[t*channels+c] = fma(x[r*down + i*step + t/3*line + t%3], dy[c], sum[t*channels+c]) }",
		"\tbias[c] += dy[c]; dy = dy[channels:]",
		"} } }")
	channels, c, left := number("channels"), GP64(), GP64()
	XORQ(c, c)
	MOVQ(channels, left)
	block := func(mask reg.VecVirtual) {
		move := func(from, to operand.Op) {
			if mask == nil {
				VMOVUPS(from, to)
			} else {
				VMASKMOVPS(from, mask, to)
			}
		}
		bytes := GP64()
		MOVQ(channels, bytes)
		SHLQ(operand.U8(2), bytes)
		var sum [9]reg.VecVirtual
		for i := range sum {
			sum[i] = YMM()
			VXORPS(sum[i], sum[i], sum[i])
		}
		bias := YMM()
		VXORPS(bias, bias, bias)
		fresh, start, kept := label("fresh"), label("start"), label("kept")
		CMPQ(param("add"), operand.U8(0))
		JE(operand.LabelRef(fresh))
		at := pointer("sum", c)
		for i := range sum {
			move(operand.Mem{Base: at}, sum[i])
			ADDQ(bytes, at)
		}
		Label(fresh)
		n := size("bias")
		TESTQ(n, n)
		JE(operand.LabelRef(start))
		at = pointer("bias", c)
		move(operand.Mem{Base: at}, bias)
		Label(start)
		dy, t := pointer("dy", c), newTaps(slice("x"))
		d, x := YMM(), YMM()
		t.each(1, func(right ...reg.GPVirtual) {
			move(operand.Mem{Base: dy}, d)
			VADDPS(d, bias, bias)
			for i := range sum {
				VBROADCASTSS(t.at(i, right[0]), x)
				VFMADD231PS(x, d, sum[i])
			}
			ADDQ(bytes, dy)
		})
		at = pointer("sum", c)
		for i := range sum {
			if mask == nil {
				VMOVUPS(sum[i], operand.Mem{Base: at})
			} else {
				VMASKMOVPS(sum[i], mask, operand.Mem{Base: at})
			}
			ADDQ(bytes, at)
		}
		n = size("bias")
		TESTQ(n, n)
		JE(operand.LabelRef(kept))
		at = pointer("bias", c)
		if mask == nil {
			VMOVUPS(bias, operand.Mem{Base: at})
		} else {
			VMASKMOVPS(bias, mask, operand.Mem{Base: at})
		}
		Label(kept)
	}
	Label("block")
	CMPQ(left, operand.U8(8))
	JLT(operand.LabelRef("rest"))
	block(nil)
	ADDQ(operand.U8(8), c)
	SUBQ(operand.U8(8), left)
	JMP(operand.LabelRef("block"))
	Label("rest")
	TESTQ(left, left)
	JE(operand.LabelRef("done"))
	block(firstLanes(left))
	Label("done")
	end()
}
