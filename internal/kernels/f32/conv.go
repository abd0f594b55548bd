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
	g.convolve(ws, s, y, x, packed, bias, act)
}

// Conv2DPacked is [Conv2D] with weights that [Pack] has packed: the same bits.
func Conv2DPacked(ws *Workspace, g Conv, y, x, packed, bias []float32, act quant.Activation) {
	g.convolve(ws, ws.floats(g.productScratch(y)), y, x, packed, bias, act)
}

func (g Conv) convolve(ws *Workspace, scratch, y, x, packed, bias []float32, act quant.Activation) {
	e := newEpilogue(act, ws.repeated(0, g.rows(), bias))
	g.product(scratch, x, packed, y, func(rows []float32, _, _ int) { e.finish(rows, rows) })
}

// Pack returns weights that do not change in the order that products read them: those w [out, depth] of a convolution or
// a dense layer, where depth is all that an output is summed over.
func Pack(out, depth int, w []float32) []float32 {
	packed := make([]float32, out*depth)
	transpose(out, depth, packed, out, w, depth)
	return packed
}

// Conv2DGradInput computes the gradient of a convolution's input from dy, the gradient before the activation (see
// [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over oy,ox,o of dy[b,oy,ox,o]*w[o,ky,kx,c]
//
// over the output pixels whose tap (ky, kx) lies on (iy, ix). Shapes as in [Conv2D].
func Conv2DGradInput(ws *Workspace, g Conv, dx, dy, w []float32) {
	k := g.depth()
	g.spread(ws, dx, dy, func(turned []float32, p *window.Phase) {
		for t := range p.Taps() {
			at := p.Tap(t) * g.InC
			for o := range g.OutC {
				move(turned[:g.InC], w[at+o*k:])
				turned = turned[g.InC:]
			}
		}
	}, func([]float32) {})
}

// spread computes an image dx of the size of g's input from dy, one of the size of its output, phase by phase. turn
// writes the weights of a phase as [taps of the phase, OutC, InC]; finish changes the sums of whole pixels, some at a
// time, on their way to dx.
func (g Conv) spread(ws *Workspace, dx, dy []float32, turn func(turned []float32, p *window.Phase), finish func(pixels []float32)) {
	for p := range g.Phases() {
		q := Conv{Window: p.Window, Batch: g.Batch, InC: g.OutC, OutC: g.InC}
		place := func(row int, sums []float32) {
			at := (row/q.Positions()*g.Pixels() + p.Pixel(row%q.Positions())) * g.InC
			move(dx[at:at+g.InC], sums)
		}
		if p.Taps() == 0 { // a stride above the kernel size leaves pixels that nothing reaches
			nothing := ws.floats(g.InC)
			clear(nothing)
			finish(nothing)
			for row := range q.rows() {
				place(row, nothing)
			}
			continue
		}
		var dst []float32
		if g.Stride == one {
			dst = dx
		}
		s := ws.floats(q.productScratch(dst) + q.WeightsLen())
		turned := s[q.productScratch(dst):]
		turn(turned, &p)
		q.product(s, dy, turned, dst, func(sums []float32, lo, hi int) {
			finish(sums)
			if dst == nil {
				for row := lo; row < hi; row++ {
					place(row, sums[(row-lo)*g.InC:])
				}
			}
		})
	}
}

// Conv2DGradWeights computes the gradients of a convolution's weights and, unless dbias is nil, of its bias:
//
//	dw[o,ky,kx,c] = sum over b,oy,ox of dy[b,oy,ox,o]*x[b,iy,ix,c]
//	dbias[o]      = sum over b,oy,ox of dy[b,oy,ox,o]
//
// The sum for dw is one chain per chunk of output pixels, [Conv.GradChunks] of them. Shapes as in [Conv2D].
func Conv2DGradWeights(ws *Workspace, g Conv, dw, dbias, x, dy []float32) {
	n, chunks := g.WeightsLen(), g.GradChunks()
	per := n + g.gradScratch()
	scratch := ws.floats(chunks*per + n)
	parallel.For(chunks, func(p int) {
		s := scratch[p*per:][:per]
		first, last := parallel.Range(g.rows(), chunks, p)
		g.addGrad(s[:n], s[n:], x, dy, first, last)
	})
	sum := scratch[:n]
	for p := 1; p < chunks; p++ {
		level.add(sum, sum, scratch[p*per:][:n])
	}
	if Fused() { // sums are [taps, InC, OutC]
		transpose(g.depth(), g.OutC, dw, g.depth(), sum, g.OutC)
	} else {
		copy(dw, sum)
	}
	if dbias != nil {
		SumRows(ws, g.rows(), g.OutC, dbias, dy)
	}
}

// GradChunks is the number of chunks of output pixels (numbered as y is laid out, divided as by parallel.Range) whose
// contributions to the gradient of the weights are summed separately and then added in order.
func (g Conv) GradChunks() int { return split(g.rows(), g.depth()*g.OutC) }
