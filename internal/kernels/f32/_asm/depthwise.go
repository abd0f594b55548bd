package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// stripParams are the parameters of a strip of pixels: the fields of strip, in bytes where they are distances.
const stripParams = "lines, below, channels, count, step, rows, cols, line, col, out"

// together is the number of pixels that share what they read where they lie next to each other.
const together = 4

func depthwise() {
	forwardDepthwise(avx2)
	forwardDepthwise(avx512)
	gradDepthwise(avx2)
	gradDepthwise(avx512)
}

// blocks runs body for all channels, some at a time. again says that computing one twice does no harm; then the last
// vector overlaps the one before.
func blocks(channels reg.GPVirtual, again bool, body func(w width, c reg.GPVirtual)) {
	blocksOn(avx2, channels, again, body)
}

// blocksOn is blocks that begins with wide vectors on AVX-512.
func blocksOn(i isa, channels reg.GPVirtual, again bool, body func(w width, c reg.GPVirtual)) {
	c, end := GP64(), GP64()
	XORQ(c, c)
	if i == avx512 {
		next, done := label("wide"), label("narrow")
		Label(next)
		LEAQ(operand.Mem{Base: c, Disp: int(wide)}, end)
		CMPQ(end, channels)
		JGT(operand.LabelRef(done))
		body(wide, c)
		ADDQ(operand.U8(wide), c)
		JMP(operand.LabelRef(next))
		Label(done)
	}
	vector, rest, one, done := label("vector"), label("rest"), label("single"), label("done")
	Label(vector)
	LEAQ(operand.Mem{Base: c, Disp: 8}, end)
	CMPQ(end, channels)
	JGT(operand.LabelRef(rest))
	body(whole, c)
	ADDQ(operand.U8(8), c)
	JMP(operand.LabelRef(vector))
	Label(rest)
	CMPQ(c, channels)
	JGE(operand.LabelRef(done))
	if again {
		CMPQ(channels, operand.U8(8))
		JLT(operand.LabelRef(one))
		LEAQ(operand.Mem{Base: channels, Disp: -8}, c)
		JMP(operand.LabelRef(vector))
	}
	Label(one)
	body(single, c)
	INCQ(c)
	CMPQ(c, channels)
	JLT(operand.LabelRef(one))
	Label(done)
}

// param addresses a parameter.
func param(name string) operand.Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// pointer returns element i of the slice parameter.
func pointer(name string, i reg.GPVirtual) reg.GPVirtual {
	p := slice(name)
	LEAQ(at(p, i), p)
	return p
}

// unless3x3 jumps to a label if the kernel is not 3x3.
func unless3x3(general string) {
	CMPQ(param("rows"), operand.U8(3))
	JNE(operand.LabelRef(general))
	CMPQ(param("cols"), operand.U8(3))
	JNE(operand.LabelRef(general))
}

// window3x3 addresses the taps of a 3x3 kernel from three row pointers.
type window3x3 struct {
	row [3]reg.GPVirtual
	col reg.GPVirtual
}

func newWindow3x3(x reg.GPVirtual) (w window3x3) {
	w.row[0], w.row[1], w.row[2] = x, GP64(), GP64()
	line := number("line")
	LEAQ(operand.Mem{Base: x, Index: line, Scale: 1}, w.row[1])
	LEAQ(operand.Mem{Base: x, Index: line, Scale: 2}, w.row[2])
	w.col = number("col")
	return w
}

func (w *window3x3) tap(t int) operand.Mem {
	m := operand.Mem{Base: w.row[t/3]}
	if t%3 > 0 {
		m.Index, m.Scale = w.col, uint8(t%3)
	}
	return m
}

// columns calls f with each pixel that the windows of pixels next to each other read, row by row: number j of row r.
func (w *window3x3) columns(f func(r, j int, m operand.Mem)) {
	for r, p := range w.row {
		for j := range together + 2 {
			if j > 0 && j%3 == 0 {
				next := GP64()
				LEAQ(operand.Mem{Base: p, Index: w.col, Scale: 2}, next)
				ADDQ(w.col, next)
				p = next
			}
			m := operand.Mem{Base: p}
			if j%3 > 0 {
				m.Index, m.Scale = w.col, uint8(j%3)
			}
			f(r, j, m)
		}
	}
}

// neighbours runs body for pixels next to each other, which are together, while there are as many of n, and goes on behind
// the label of none if no more are left.
func (w *window3x3) neighbours(n reg.GPVirtual, none string, body func()) {
	next, fewer := label("together"), label("fewer")
	CMPQ(w.col, param("step"))
	JNE(operand.LabelRef(fewer))
	Label(next)
	CMPQ(n, operand.U8(together))
	JLT(operand.LabelRef(fewer))
	body()
	for _, p := range w.row {
		LEAQ(operand.Mem{Base: p, Index: w.col, Scale: together}, p)
	}
	SUBQ(operand.U8(together), n)
	JMP(operand.LabelRef(next))
	Label(fewer)
	TESTQ(n, n)
	JE(operand.LabelRef(none))
}

// move goes on by a parameter.
func (w *window3x3) move(by string) {
	for _, p := range w.row {
		ADDQ(param(by), p)
	}
}

func forwardDepthwise(i isa) {
	routineOn(i, "depthwise", "(y, x, w, bias []float32, lo, hi, zero float32, "+stripParams+" int)",
		"convolves channels by themselves, at lines of count pixels:",
		"for range lines {",
		"\tfor p := range count {",
		"\t\tfor c := range channels {",
		"\t\t\tvar sum float32",
		"\t\t\tfor t, e := range taps of pixel p { sum += float32(x[e+c] * w[t*channels+c]) }",
		"\t\t\ty[c] = sum",
		"\t\t\tif bias != nil { y[c] = min(max(sum+bias[c], lo), hi) + zero }",
		"\t\t}",
		"\t\ty += out",
		"\t}",
		"\tx += count*step + below",
		"}",
		"",
		"Tap (r, k) of pixel p is at p*step + r*line + k*col in x.")
	channels := number("channels")
	blocksOn(i, channels, true, func(l width, c reg.GPVirtual) {
		general, done := label("general"), label("stored")
		bias, limits := l.vector(), limits{l.vector(), l.vector(), l.vector()}
		product := func(m operand.Mem, w reg.VecVirtual) reg.VecVirtual {
			v := l.vector()
			if l == single {
				VMULSS(m, w, v)
			} else {
				VMULPS(m, w, v)
			}
			return v
		}
		biasLen, err := Param("bias").Len().Resolve()
		if err != nil {
			panic(err)
		}
		prepare := func() {
			none := label("none")
			CMPQ(biasLen.Addr, operand.U8(0))
			JE(operand.LabelRef(none))
			p := pointer("bias", c)
			if l == single {
				VMOVSS(operand.Mem{Base: p}, bias)
			} else {
				VMOVUPS(operand.Mem{Base: p}, bias)
			}
			VBROADCASTSS(param("lo"), limits.lo)
			VBROADCASTSS(param("hi"), limits.hi)
			VBROADCASTSS(param("zero"), limits.zero)
			Label(none)
		}
		finish := func(sum reg.VecVirtual, y reg.GPVirtual) {
			plain := label("plain")
			CMPQ(biasLen.Addr, operand.U8(0))
			JE(operand.LabelRef(plain))
			l.do(VADDPS, sum, bias)
			VMAXPS(sum, limits.lo, sum)
			VMINPS(sum, limits.hi, sum)
			l.do(VADDPS, sum, limits.zero)
			Label(plain)
			l.store(sum, operand.Mem{Base: y})
		}
		unless3x3(general)
		{
			w, weights := pointer("w", c), [9]reg.VecVirtual{}
			for t := range weights {
				weights[t] = l.load(operand.Mem{Base: w})
				LEAQ(at(w, channels), w)
			}
			x := newWindow3x3(pointer("x", c))
			y, n, lines := pointer("y", c), GP64(), number("lines")
			line, pixel, next := label("line"), label("pixel"), label("next")
			Label(line)
			Load(Param("count"), n)
			x.neighbours(n, next, func() {
				var sums [together]reg.VecVirtual
				for p := range sums {
					sums[p] = l.vector()
					l.zero(sums[p])
				}
				x.columns(func(r, j int, m operand.Mem) {
					v := l.load(m)
					for p := max(0, j-2); p <= min(j, together-1); p++ {
						t := l.vector()
						VMULPS(l.of(weights[3*r+j-p]), l.of(v), l.of(t))
						l.do(VADDPS, sums[p], t)
					}
				})
				plain := label("plain")
				CMPQ(biasLen.Addr, operand.U8(0))
				JE(operand.LabelRef(plain))
				t := l.load(operand.Mem{Base: pointer("bias", c)})
				for _, sum := range sums {
					l.do(VADDPS, sum, t)
				}
				VBROADCASTSS(param("lo"), t)
				for _, sum := range sums {
					VMAXPS(sum, t, sum)
				}
				VBROADCASTSS(param("hi"), t)
				for _, sum := range sums {
					VMINPS(sum, t, sum)
				}
				VBROADCASTSS(param("zero"), t)
				for _, sum := range sums {
					l.do(VADDPS, sum, t)
				}
				Label(plain)
				for _, sum := range sums {
					l.store(sum, operand.Mem{Base: y})
					ADDQ(param("out"), y)
				}
			})
			prepare()
			Label(pixel)
			sum := l.vector()
			l.zero(sum)
			for t, w := range weights {
				l.do(VADDPS, sum, product(x.tap(t), w))
			}
			finish(sum, y)
			x.move("step")
			ADDQ(param("out"), y)
			DECQ(n)
			JNE(operand.LabelRef(pixel))
			Label(next)
			x.move("below")
			DECQ(lines)
			JNE(operand.LabelRef(line))
			JMP(operand.LabelRef(done))
		}
		Label(general)
		prepare()
		x, y, n, lines := pointer("x", c), pointer("y", c), GP64(), number("lines")
		next, pixel, row, tap := label("line"), label("pixel"), label("row"), label("tap")
		Label(next)
		Load(Param("count"), n)
		Label(pixel)
		sum := l.vector()
		l.zero(sum)
		w, line, r := pointer("w", c), GP64(), number("rows")
		MOVQ(x, line)
		Label(row)
		e, k := GP64(), number("cols")
		MOVQ(line, e)
		Label(tap)
		l.do(VADDPS, sum, product(operand.Mem{Base: e}, l.load(operand.Mem{Base: w})))
		ADDQ(param("col"), e)
		LEAQ(at(w, channels), w)
		DECQ(k)
		JNE(operand.LabelRef(tap))
		ADDQ(param("line"), line)
		DECQ(r)
		JNE(operand.LabelRef(row))
		finish(sum, y)
		ADDQ(param("step"), x)
		ADDQ(param("out"), y)
		DECQ(n)
		JNE(operand.LabelRef(pixel))
		ADDQ(param("below"), x)
		DECQ(lines)
		JNE(operand.LabelRef(next))
		Label(done)
	})
	end()
}

func gradDepthwise(i isa) {
	routineOn(i, "depthwiseGrad", "(dw, x, dy []float32, "+stripParams+", gap int)", "adds what lines of count pixels contribute to the gradient of weights:",
		"for range lines {",
		"\tfor p := range count {",
		"\t\tfor t, e := range taps of pixel p { for c := range channels { dw[t*channels+c] += float32(dy[c] * x[e+c]) } }",
		"\t\tdy += out",
		"\t}",
		"\tx += count*step + below",
		"\tdy += gap",
		"}",
		"",
		"Tap (r, k) of pixel p is at p*step + r*line + k*col in x.")
	channels := number("channels")
	blocksOn(i, channels, false, func(l width, c reg.GPVirtual) {
		general, done := label("general"), label("stored")
		unless3x3(general)
		{
			dw, sums := pointer("dw", c), [9]reg.VecVirtual{}
			for t := range sums {
				sums[t] = l.load(operand.Mem{Base: dw})
				LEAQ(at(dw, channels), dw)
			}
			x := newWindow3x3(pointer("x", c))
			dy, n, lines := pointer("dy", c), GP64(), number("lines")
			line, pixel, next := label("line"), label("pixel"), label("next")
			Label(line)
			Load(Param("count"), n)
			x.neighbours(n, next, func() {
				var d [together]reg.VecVirtual
				for p := range d {
					d[p] = l.load(operand.Mem{Base: dy})
					ADDQ(param("out"), dy)
				}
				x.columns(func(r, j int, m operand.Mem) {
					v := l.load(m)
					for p := max(0, j-2); p <= min(j, together-1); p++ {
						t := l.vector()
						VMULPS(l.of(d[p]), l.of(v), l.of(t))
						l.do(VADDPS, sums[3*r+j-p], t)
					}
				})
			})
			Label(pixel)
			d := l.load(operand.Mem{Base: dy})
			for t, sum := range sums {
				l.do(VADDPS, sum, l.do(VMULPS, l.load(x.tap(t)), d))
			}
			x.move("step")
			ADDQ(param("out"), dy)
			DECQ(n)
			JNE(operand.LabelRef(pixel))
			Label(next)
			x.move("below")
			ADDQ(param("gap"), dy)
			DECQ(lines)
			JNE(operand.LabelRef(line))
			dw = pointer("dw", c)
			for _, sum := range sums {
				l.store(sum, operand.Mem{Base: dw})
				LEAQ(at(dw, channels), dw)
			}
			JMP(operand.LabelRef(done))
		}
		Label(general)
		dw, row, r := pointer("dw", c), pointer("x", c), number("rows")
		nextRow, tap, line, pixel := label("row"), label("tap"), label("line"), label("pixel")
		Label(nextRow)
		start, k := GP64(), number("cols")
		MOVQ(row, start)
		Label(tap)
		sum := l.load(operand.Mem{Base: dw})
		x, dy, n, lines := GP64(), pointer("dy", c), GP64(), number("lines")
		MOVQ(start, x)
		Label(line)
		Load(Param("count"), n)
		Label(pixel)
		l.do(VADDPS, sum, l.do(VMULPS, l.load(operand.Mem{Base: x}), l.load(operand.Mem{Base: dy})))
		ADDQ(param("step"), x)
		ADDQ(param("out"), dy)
		DECQ(n)
		JNE(operand.LabelRef(pixel))
		ADDQ(param("below"), x)
		ADDQ(param("gap"), dy)
		DECQ(lines)
		JNE(operand.LabelRef(line))
		l.store(sum, operand.Mem{Base: dw})
		LEAQ(at(dw, channels), dw)
		ADDQ(param("col"), start)
		DECQ(k)
		JNE(operand.LabelRef(tap))
		ADDQ(param("line"), row)
		DECQ(r)
		JNE(operand.LabelRef(nextRow))
		Label(done)
	})
	end()
}
