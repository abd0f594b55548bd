package f32

import (
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Conv2D computes a 2-D convolution (cross-correlation, as in every deep-learning library):
//
//	y[b,oy,ox,o] = act(sum over ky,kx,c of x[b,iy,ix,c]*w[o,ky,kx,c] + bias[o])
//	iy = oy*StrideH - PadH + ky*DilationH,  ix = ox*StrideW - PadW + kx*DilationW
//
// over the taps that lie inside the image. Shapes: y [Batch, OutH, OutW, OutC], x [Batch, InH, InW, InC],
// w [OutC, KernelH, KernelW, InC], bias [OutC] or nil for zeros.
func Conv2D(ws *Workspace, g Conv, y, x, w, bias []float32, act quant.Activation) {
	s := ws.floats(g.productScratch(y) + g.WeightsLen())
	packed := s[g.productScratch(y):]
	transpose(g.OutC, g.depth(), packed, g.OutC, w, g.depth())
	g.product(s, x, packed, outlet{epilogue: newEpilogue(act, ws.repeated(0, g.rows(), bias)), dst: y})
}

// Conv2DGradInput computes the gradient of a convolution's input from dy, the gradient before the activation (see
// [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over oy,ox,o of dy[b,oy,ox,o]*w[o,ky,kx,c]
//
// over the output pixels whose tap (ky, kx) lies on (iy, ix). Shapes as in [Conv2D].
func Conv2DGradInput(ws *Workspace, g Conv, dx, dy, w []float32) {
	g.spread(ws, dx, dy, func(turned []float32, p window.Phase) { g.turn(turned, &p, w) }, newEpilogue(quant.NoActivation, nil))
}

// turn writes the weights of a phase as [taps of the phase, OutC, InC].
func (g *Conv) turn(turned []float32, p *window.Phase, w []float32) {
	k := g.depth()
	for t := range p.Taps() {
		at := p.Tap(t) * g.InC
		for o := range g.OutC {
			move(turned[:g.InC], w[at+o*k:])
			turned = turned[g.InC:]
		}
	}
}

// spread computes an image dx of the size of g's input from dy, one of the size of its output, phase by phase. turn
// writes the weights of a phase as [taps of the phase, OutC, InC].
func (g Conv) spread(ws *Workspace, dx, dy []float32, turn func(turned []float32, p window.Phase), e epilogue) {
	for p := range g.Phases() {
		q := Conv{Window: p.Window, Batch: g.Batch, InC: g.OutC, OutC: g.InC}
		out := outlet{epilogue: e, image: dx, phase: p, pixels: g.Pixels()}
		if p.Taps() == 0 { // a stride above the kernel size leaves pixels that nothing reaches
			nothing := ws.floats(g.InC)
			clear(nothing)
			e.finish(nothing, nothing)
			for row := range q.rows() {
				out.place(row, nothing)
			}
			continue
		}
		if g.Stride == one {
			out.dst = dx
		}
		s := ws.floats(q.productScratch(out.dst) + q.WeightsLen())
		turned := s[q.productScratch(out.dst):]
		turn(turned, p)
		q.product(s, dy, turned, out)
	}
}

// An outlet takes the rows of a product and ends them.
type outlet struct {
	epilogue
	dst []float32 // where the rows lie in their order; nil: they are pixels of one phase of an image

	image  []float32
	phase  window.Phase
	pixels int // of one image
}

// take takes the rows lo to hi-1.
func (o *outlet) take(rows []float32, lo, hi int) {
	o.finish(rows, rows)
	if o.dst != nil {
		return
	}
	channels := len(rows) / (hi - lo)
	for row := lo; row < hi; row++ {
		o.place(row, rows[(row-lo)*channels:][:channels])
	}
}

// place writes one pixel of the image.
func (o *outlet) place(row int, pixel []float32) {
	at := (row/o.phase.Positions()*o.pixels + o.phase.Pixel(row%o.phase.Positions())) * len(pixel)
	move(o.image[at:at+len(pixel)], pixel)
}

// Conv2DGradWeights computes the gradients of a convolution's weights and, unless dbias is nil, of its bias:
//
//	dw[o,ky,kx,c] = sum over b,oy,ox of dy[b,oy,ox,o]*x[b,iy,ix,c]
//	dbias[o]      = sum over b,oy,ox of dy[b,oy,ox,o]
//
// The sum for dw is one chain per chunk of output pixels, [Conv.GradChunks] of them. Shapes as in [Conv2D].
func Conv2DGradWeights(ws *Workspace, g Conv, dw, dbias, x, dy []float32) {
	n, chunks, per := g.WeightsLen(), g.GradChunks(), g.gradScratch()
	scratch := ws.floats(chunks * (n + per))
	sums, scratch := scratch[:chunks*n], scratch[chunks*n:]
	type args struct {
		g                    Conv
		sums, scratch, x, dy []float32
		chunks, per          int
	}
	parallel.Each(chunks, chunks, args{g, sums, scratch, x, dy, chunks, per}, func(a args, p, _ int) {
		n := a.g.WeightsLen()
		first, last := parallel.Range(a.g.rows(), a.chunks, p)
		a.g.addGrad(a.sums[p*n:][:n], nil, a.scratch[p*a.per:][:a.per], a.x, a.dy[first*a.g.OutC:], first, last, false)
	})
	addChunks(chunks, n, sums)
	g.unpackGrad(dw, sums)
	if dbias != nil {
		SumRows(ws, g.rows(), g.OutC, dbias, dy)
	}
}

// unpackGrad writes a sum of addGrad.
func (g Conv) unpackGrad(dw, sum []float32) {
	if Fused() { // it is [taps, InC, OutC]
		transpose(g.depth(), g.OutC, dw, g.depth(), sum, g.OutC)
	} else {
		copy(dw, sum[:g.WeightsLen()])
	}
}

// GradChunks is the number of chunks of output pixels (numbered as y is laid out, divided as by parallel.Range) whose
// contributions to the gradient of the weights are summed separately and then added in order.
func (g Conv) GradChunks() int { return split(g.rows(), g.depth()*g.OutC) }
