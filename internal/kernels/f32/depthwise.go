package f32

import (
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// DepthwiseConv2D convolves every channel by itself, Multiplier times:
//
//	y[b,oy,ox,o] = act(sum over ky,kx of x[b,iy,ix,o/Multiplier]*w[ky,kx,o] + bias[o])
//	iy = oy*StrideH - PadH + ky*DilationH,  ix = ox*StrideW - PadW + kx*DilationW
//
// over the taps that lie inside the image. Shapes: y [Batch, OutH, OutW, OutC], x [Batch, InH, InW, Channels],
// w [KernelH, KernelW, OutC], bias [OutC] or nil for zeros.
func DepthwiseConv2D(ws *Workspace, g Depthwise, y, x, w, bias []float32, act quant.Activation) {
	x = g.repeated(ws.floats(g.repeatedLen()), x)
	o := g.OutC()
	e := newEpilogue(act, ws.repeated(0, g.Batch*g.Positions(), bias))
	each(g.outRows(), g.rowCost(), func(from, to int) {
		c := chain{a: x, b: w}
		for p := from * g.Output[1]; p < to*g.Output[1]; p++ {
			c.begin(y[p*o:][:o])
			image := p / g.Positions() * g.Pixels()
			g.EachTap(p%g.Positions(), func(tap, pixel int) { c.add((image+pixel)*o, tap*o) })
			c.flush()
		}
		rows := y[from*g.Output[1]*o : to*g.Output[1]*o]
		e.finish(rows, rows)
	})
}

// DepthwiseConv2DGradInput computes the gradient of the input of [DepthwiseConv2D] from dy, the gradient before the
// activation (see [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over m < Multiplier of (sum over oy,ox of dy[b,oy,ox,o]*w[ky,kx,o]),  o = c*Multiplier + m
//
// over the output pixels whose tap (ky, kx) lies on (iy, ix). Shapes as in [DepthwiseConv2D].
func DepthwiseConv2DGradInput(ws *Workspace, g Depthwise, dx, dy, w []float32) {
	o, rows := g.OutC(), g.Batch*g.Input[0]
	parts := split(rows, g.Input[1]*g.Taps()*o)
	scratch := ws.floats(parts * o)
	parallel.For(parts, func(part int) {
		sum := scratch[part*o:][:o]
		c := chain{a: dy, b: w}
		from, to := parallel.Range(rows, parts, part)
		for row := from; row < to; row++ {
			for ix := range g.Input[1] {
				at := dx[(row*g.Input[1]+ix)*g.Channels:][:g.Channels]
				if g.Multiplier == 1 {
					sum = at
				}
				c.begin(sum)
				g.eachOutput(row, ix, func(pixel, tap int) { c.add(pixel*o, tap*o) })
				c.flush()
				if g.Multiplier > 1 {
					sumGroups(at, sum, g.Multiplier)
				}
			}
		}
	})
}

// eachOutput calls f, in ascending order, for every output pixel with a tap on column ix of input row (batch*InH + iy).
func (g *Depthwise) eachOutput(row, ix int, f func(pixel, tap int)) {
	b, iy := row/g.Input[0], row%g.Input[0]
	for ky := g.Kernel[0] - 1; ky >= 0; ky-- {
		oy := iy + g.Pad[0] - ky*g.Dilation[0]
		if oy < 0 || oy%g.Stride[0] != 0 || oy/g.Stride[0] >= g.Output[0] {
			continue
		}
		line := (b*g.Output[0] + oy/g.Stride[0]) * g.Output[1]
		for kx := g.Kernel[1] - 1; kx >= 0; kx-- {
			ox := ix + g.Pad[1] - kx*g.Dilation[1]
			if ox < 0 || ox%g.Stride[1] != 0 || ox/g.Stride[1] >= g.Output[1] {
				continue
			}
			f(line+ox/g.Stride[1], ky*g.Kernel[1]+kx)
		}
	}
}

// sumGroups sets dst[i] to the sum of n consecutive elements of src, in order.
func sumGroups(dst, src []float32, n int) {
	for i := range dst {
		s := src[0]
		for _, v := range src[1:n] {
			s += v
		}
		dst[i], src = s, src[n:]
	}
}

// DepthwiseConv2DGradWeights computes the gradients of the weights of [DepthwiseConv2D] and, unless dbias is nil, of its
// bias:
//
//	dw[ky,kx,o] = sum over b,oy,ox of dy[b,oy,ox,o]*x[b,iy,ix,o/Multiplier]
//	dbias[o]    = sum over b,oy,ox of dy[b,oy,ox,o]
//
// The sum for dw is one chain per chunk of output rows, [Depthwise.GradChunks] of them. Shapes as in [DepthwiseConv2D].
func DepthwiseConv2DGradWeights(ws *Workspace, g Depthwise, dw, dbias, x, dy []float32) {
	n, chunks := g.WeightsLen(), g.GradChunks()
	scratch := ws.floats(chunks*n + g.repeatedLen())
	sums := scratch[:chunks*n]
	x = g.repeated(scratch[chunks*n:], x)
	clear(sums)
	parallel.For(chunks, func(p int) {
		from, to := parallel.Range(g.outRows(), chunks, p)
		for row := from; row < to; row++ {
			g.addRow(sums[p*n:][:n], x, dy, row)
		}
	})
	copy(dw[:n], sums)
	for p := 1; p < chunks; p++ {
		for i, v := range sums[p*n:][:n] {
			dw[i] += v
		}
	}
	if dbias != nil {
		SumRows(ws, g.Batch*g.Positions(), g.OutC(), dbias, dy)
	}
}

// addRow adds to dw what output row (batch*OutH + oy) contributes.
func (g *Depthwise) addRow(dw, x, dy []float32, row int) {
	o := g.OutC()
	c := chain{a: dy, b: x}
	b, oy := row/g.Output[0], row%g.Output[0]
	for tap := range g.Taps() {
		ky, kx := tap/g.Kernel[1], tap%g.Kernel[1]
		iy := oy*g.Stride[0] - g.Pad[0] + ky*g.Dilation[0]
		if iy < 0 || iy >= g.Input[0] {
			continue
		}
		c.sum = dw[tap*o:][:o]
		ix := kx*g.Dilation[1] - g.Pad[1]
		for ox := range g.Output[1] {
			if ix >= 0 && ix < g.Input[1] {
				c.add((row*g.Output[1]+ox)*o, ((b*g.Input[0]+iy)*g.Input[1]+ix)*o)
			}
			ix += g.Stride[1]
		}
		c.flush()
	}
}

// repeated returns x with every channel repeated Multiplier times: in scratch, or x itself for a multiplier of 1.
func (g *Depthwise) repeated(scratch, x []float32) []float32 {
	if g.Multiplier == 1 {
		return x
	}
	n := g.Multiplier
	each(g.InputLen(), n*costMove, func(from, to int) {
		dst := scratch[from*n : to*n]
		for _, v := range x[from:to] {
			for i := range dst[:n] {
				dst[i] = v
			}
			dst = dst[n:]
		}
	})
	return scratch
}

// repeatedLen is the length of the scratch memory of repeated.
func (g *Depthwise) repeatedLen() int {
	if g.Multiplier == 1 {
		return 0
	}
	return g.InputLen() * g.Multiplier
}

// A chain adds products of slices to sum, element by element:
//
//	sum += a[i:]*b[j:]
//
// in the order of the calls of add, several at a time so that sums stay in registers.
type chain struct {
	sum, a, b []float32
	at        [16]struct{ a, b int }
	n         int
}

// begin makes c add to sum, starting at +0.
func (c *chain) begin(sum []float32) {
	clear(sum)
	c.sum = sum
}

// add adds the product of a[i:] and b[j:], at the latest when flush is called.
func (c *chain) add(i, j int) {
	if c.n == len(c.at) {
		c.flush()
	}
	c.at[c.n].a, c.at[c.n].b = i, j
	c.n++
}

// flush completes sum.
func (c *chain) flush() {
	sum, i := c.sum, 0
	for ; i+4 <= c.n; i += 4 {
		at := c.at[i : i+4]
		a0, b0 := c.a[at[0].a:][:len(sum)], c.b[at[0].b:][:len(sum)]
		a1, b1 := c.a[at[1].a:][:len(sum)], c.b[at[1].b:][:len(sum)]
		a2, b2 := c.a[at[2].a:][:len(sum)], c.b[at[2].b:][:len(sum)]
		a3, b3 := c.a[at[3].a:][:len(sum)], c.b[at[3].b:][:len(sum)]
		for k, s := range sum {
			s += float32(a0[k] * b0[k])
			s += float32(a1[k] * b1[k])
			s += float32(a2[k] * b2[k])
			s += float32(a3[k] * b3[k])
			sum[k] = s
		}
	}
	for ; i < c.n; i++ {
		a, b := c.a[c.at[i].a:][:len(sum)], c.b[c.at[i].b:][:len(sum)]
		for k, s := range sum {
			sum[k] = s + float32(a[k]*b[k])
		}
	}
	c.n = 0
}
