package f32

import (
	"github.com/goqat/goqat/internal/kernels/window"
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
	c, parts := g.conv(), split(g.outRows(), g.rowCost())
	per := c.paddedLen(c.rowBlock())
	s := ws.floats(g.repeatedLen() + parts*per + c.OutC)
	images := s[g.repeatedLen():]
	d := depthwise{
		g: c, rows: g.outRows(), parts: parts, per: per, scratch: images, x: g.repeated(s, x), y: y, w: w,
		e: newEpilogue(act, bias),
	}
	if bias == nil && act != quant.NoActivation { // adding -0 changes nothing
		d.e.bias = negativeZeros(s[len(s)-c.OutC:])
	}
	parallel.Each(parts, parts, d, depthwise.forward)
}

// depthwise is the arguments of a kernel in this file. g has as many input channels as output channels.
type depthwise struct {
	g                Conv
	rows, parts, per int
	scratch, x, y, w []float32
	e                epilogue
	image            Conv // of the gradient of the input: what g is a phase of
	phase            window.Phase
}

// begin returns a part's scratch memory and rows.
func (d *depthwise) begin(p int) (scratch []float32, from, to int) {
	from, to = parallel.Range(d.rows, d.parts, p)
	return d.scratch[p*d.per:][:d.per], from, to
}

// forward does one part.
func (d depthwise) forward(p, _ int) {
	image, from, to := d.begin(p)
	c := &d.g
	c.blocks(image, d.x, from, to, func(a []float32, line, row, n int) {
		s := c.strips(n, line, c.OutC)
		level.depthwise(d.y[row*c.Output[1]*c.OutC:], a, d.w, d.e.bias, d.e.limits(), s)
	})
}

// conv returns the geometry of a convolution with as many input channels as output channels.
func (g *Depthwise) conv() Conv {
	return Conv{Window: g.Window, Batch: g.Batch, InC: g.OutC(), OutC: g.OutC()}
}

// A strip is a row of output pixels of a depthwise convolution. Tap (r, k) of pixel p is at p*step + r*line + k*col in
// the input, r < rows, k < cols, and pixel p is at p*out in the output.
// There may be several lines of them, below further in the input than the end of the one before, and gap in the output;
// those that are written adjoin.
type strip struct{ channels, count, step, rows, cols, line, col, out, lines, below, gap int }

// strip describes a whole row, given the length of input rows and the distance of output pixels.
func (g *Conv) strip(line, out int) strip {
	return strip{
		lines: 1, channels: g.InC, count: g.Output[1], step: g.Stride[1] * g.InC, out: out,
		rows: g.Kernel[0], cols: g.Kernel[1], line: g.Dilation[0] * line, col: g.Dilation[1] * g.InC,
	}
}

// strips describes n rows.
func (g *Conv) strips(n, line, out int) strip {
	s := g.strip(line, out)
	s.lines, s.below = n, g.Stride[0]*line-s.count*s.step
	return s
}

// DepthwiseConv2DGradInput computes the gradient of the input of [DepthwiseConv2D] from dy, the gradient before the
// activation (see [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over m < Multiplier of (sum over oy,ox of dy[b,oy,ox,o]*w[ky,kx,o]),  o = c*Multiplier + m
//
// over the output pixels whose tap (ky, kx) lies on (iy, ix). Shapes as in [DepthwiseConv2D].
func DepthwiseConv2DGradInput(ws *Workspace, g Depthwise, dx, dy, w []float32) {
	c := g.conv()
	wide, s := dx[:g.InputLen()], ws.floats(g.repeatedLen()+g.WeightsLen()+parallel.MaxParts*g.phaseScratch())
	turned, images := s[g.repeatedLen():][:g.WeightsLen()], s[g.repeatedLen()+g.WeightsLen():]
	if g.Multiplier > 1 {
		wide = s[:g.repeatedLen()]
	}
	if g.Stride[0] > g.Kernel[0] || g.Stride[1] > g.Kernel[1] || g.Dilation != one {
		clear(wide) // there may be pixels that nothing reaches
	}
	for p := range g.Phases() {
		if p.Taps() == 0 {
			continue
		}
		for t := range p.Taps() {
			copy(turned[t*c.InC:][:c.InC], w[p.Tap(t)*c.InC:])
		}
		c.spreadDepthwise(images, &p, wide, dy, turned)
	}
	if g.Multiplier > 1 {
		each(g.InputLen(), g.Multiplier*costMove, repeating{g.Multiplier, dx, wide}, func(r repeating, from, to int) {
			sumGroups(r.x[from:to], r.wide[from*r.n:], r.n)
		})
	}
}

// spreadDepthwise computes the pixels of one phase of the gradient of the input.
func (g *Conv) spreadDepthwise(images []float32, p *window.Phase, dx, dy, turned []float32) {
	q := Conv{Window: p.Window, Batch: g.Batch, InC: g.OutC, OutC: g.InC}
	rows := q.Batch * q.Output[0]
	parts := split(rows, q.Output[1]*q.depth())
	d := depthwise{
		g: q, rows: rows, parts: parts, per: q.paddedLen(q.rowBlock()), scratch: images, x: dy, y: dx, w: turned,
		image: *g, phase: *p,
	}
	parallel.Each(parts, parts, d, depthwise.spread)
}

// spread does one part.
func (d depthwise) spread(p, _ int) {
	image, from, to := d.begin(p)
	g, q := &d.image, &d.g
	q.blocks(image, d.x, from, to, func(a []float32, line, row, n int) {
		for i := range n {
			image, y := (row+i)/q.Output[0], (row+i)%q.Output[0]
			at := (image*g.Pixels() + d.phase.Pixel(y*q.Output[1])) * g.InC
			level.depthwise(d.y[at:], a[i*line:], d.w, nil, limits{}, q.strip(line, g.Stride[1]*g.InC))
		}
	})
}

// phaseScratch is the largest length of a part's scratch memory in spreadDepthwise.
func (g *Depthwise) phaseScratch() int {
	n, c := 0, g.OutC()
	for p := range g.Phases() {
		if p.Taps() == 0 {
			continue
		}
		q := Conv{Window: p.Window, Batch: g.Batch, InC: c, OutC: c}
		n = max(n, q.paddedLen(q.rowBlock()))
	}
	return n
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
	c, n, chunks := g.conv(), g.WeightsLen(), g.GradChunks()
	per := n + c.paddedLen(c.rowBlock())
	s := ws.floats(g.repeatedLen() + chunks*per)
	scratch := s[g.repeatedLen():]
	d := depthwise{g: c, rows: g.outRows(), parts: chunks, per: per, scratch: scratch, x: g.repeated(s, x), y: dy}
	parallel.Each(chunks, chunks, d, depthwise.gradWeights)
	copy(dw[:n], scratch)
	for p := 1; p < chunks; p++ {
		level.add(dw[:n], dw[:n], scratch[p*per:][:n])
	}
	if dbias != nil {
		SumRows(ws, c.rows(), c.OutC, dbias, dy)
	}
}

// gradWeights does one chunk.
func (d depthwise) gradWeights(p, _ int) {
	scratch, from, to := d.begin(p)
	c := &d.g
	sum, image := scratch[:c.Taps()*c.OutC], scratch[c.Taps()*c.OutC:]
	clear(sum)
	c.blocks(image, d.x, from, to, func(a []float32, line, row, n int) {
		level.depthwiseGrad(sum, a, d.y[row*c.Output[1]*c.OutC:], c.strips(n, line, c.OutC))
	})
}

// repeated returns x with every channel repeated Multiplier times: in scratch, or x itself for a multiplier of 1.
func (g *Depthwise) repeated(scratch, x []float32) []float32 {
	if g.Multiplier == 1 {
		return x
	}
	each(g.InputLen(), g.Multiplier*costMove, repeating{g.Multiplier, x, scratch}, func(r repeating, from, to int) {
		dst := r.wide[from*r.n : to*r.n]
		for _, v := range r.x[from:to] {
			for i := range dst[:r.n] {
				dst[i] = v
			}
			dst = dst[r.n:]
		}
	})
	return scratch
}

// repeating is x and the same with every channel n times.
type repeating struct {
	n       int
	x, wide []float32
}

// repeatedLen is the length of the scratch memory of repeated.
func (g *Depthwise) repeatedLen() int {
	if g.Multiplier == 1 {
		return 0
	}
	return g.InputLen() * g.Multiplier
}

func depthwisePortable(y, x, w, bias []float32, limits limits, s strip) {
	for i := range s.lines {
		y, x := y[i*s.count*s.out:], x[i*(s.count*s.step+s.below):]
		depthwiseLine(y, x, w, s)
		for p := range s.count {
			if y := y[p*s.out:][:s.channels]; bias != nil {
				biasClampPortable(y, y, bias, limits.lo, limits.hi, limits.zero)
			}
		}
	}
}

// depthwiseLine computes the sums of one line.
func depthwiseLine(y, x, w []float32, s strip) {
	for p := range s.count {
		y := y[p*s.out:][:s.channels]
		clear(y)
		for r := range s.rows {
			e, t, k := p*s.step+r*s.line, r*s.cols*s.channels, 0
			for ; k+3 <= s.cols; k += 3 {
				x0, x1, x2 := x[e:][:len(y)], x[e+s.col:][:len(y)], x[e+2*s.col:][:len(y)]
				w0, w1, w2 := w[t:][:len(y)], w[t+s.channels:][:len(y)], w[t+2*s.channels:][:len(y)]
				for c, v := range y {
					y[c] = v + float32(x0[c]*w0[c]) + float32(x1[c]*w1[c]) + float32(x2[c]*w2[c])
				}
				e, t = e+3*s.col, t+3*s.channels
			}
			for ; k < s.cols; k++ {
				x, w := x[e:][:len(y)], w[t:][:len(y)]
				for c := range y {
					y[c] += float32(x[c] * w[c])
				}
				e, t = e+s.col, t+s.channels
			}
		}
	}
}

func depthwiseGradPortable(dw, x, dy []float32, s strip) {
	for i := range s.lines {
		depthwiseGradLine(dw, x[i*(s.count*s.step+s.below):], dy[i*(s.count*s.out+s.gap):], s)
	}
}

// depthwiseGradLine adds what one line contributes.
func depthwiseGradLine(dw, x, dy []float32, s strip) {
	for p := range s.count {
		dy := dy[p*s.out:][:s.channels]
		for r := range s.rows {
			for k := range s.cols {
				x, dw := x[p*s.step+r*s.line+k*s.col:][:len(dy)], dw[(r*s.cols+k)*s.channels:][:len(dy)]
				for c, d := range dy {
					dw[c] += float32(d * x[c])
				}
			}
		}
	}
}
