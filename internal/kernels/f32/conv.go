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
	g.product(ws.floats(g.productScratch()), x, w, func(rows []float32, lo, hi int) {
		finish(g.OutC, y[lo*g.OutC:hi*g.OutC], rows, bias, act)
	})
}

// finish computes dst = act(sums + bias) for rows of the given number of channels.
func finish(channels int, dst, sums, bias []float32, act quant.Activation) {
	if bias == nil {
		Activate(act, dst, sums)
		return
	}
	lo, hi := act.Bounds()
	bias = bias[:channels]
	for i := 0; i+channels <= len(sums); i += channels {
		s, d := sums[i:][:len(bias)], dst[i:][:len(bias)]
		for c, b := range bias {
			d[c] = clamp(s[c]+b, lo, hi)
		}
	}
}

// Conv2DGradInput computes the gradient of a convolution's input from dy, the gradient before the activation (see
// [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over oy,ox,o of dy[b,oy,ox,o]*w[o,ky,kx,c]
//
// over the output pixels whose tap (ky, kx) lies on (iy, ix). Shapes as in [Conv2D].
func Conv2DGradInput(ws *Workspace, g Conv, dx, dy, w []float32) {
	// Input pixels of equal (iy mod StrideH, ix mod StrideW) see the same taps at the same distances: they are the
	// output of a convolution of dy with stride 1 whose kernel holds those taps, turned by 180 degrees.
	if g.Stride != one {
		clear(dx[:g.InputLen()]) // a stride above the kernel size leaves pixels that no output sees
	}
	for ry := range min(g.Stride[0], g.Input[0]) {
		v := newPhase(g.Input[0], g.Kernel[0], g.Stride[0], g.Dilation[0], g.Pad[0], ry)
		for rx := range min(g.Stride[1], g.Input[1]) {
			h := newPhase(g.Input[1], g.Kernel[1], g.Stride[1], g.Dilation[1], g.Pad[1], rx)
			if v.taps == 0 || h.taps == 0 {
				continue
			}
			q := Conv{Batch: g.Batch, InC: g.OutC, OutC: g.InC, Window: window.Window{
				Input: g.Output, Output: [2]int{v.pixels, h.pixels}, Kernel: [2]int{v.taps, h.taps},
				Stride: one, Dilation: [2]int{v.dilation, h.dilation}, Pad: [2]int{v.before, h.before}}}
			s := ws.floats(q.productScratch() + q.WeightsLen())
			turned := s[q.productScratch():]
			turnWeights(turned, w, g, v, h)
			q.product(s, dy, turned, func(rows []float32, lo, hi int) {
				q.scatter(g, dx, rows, lo, hi, ry, rx)
			})
		}
	}
}

// A phase describes, along one axis, the input positions r, r+stride, r+2*stride ... and the taps that fall on them.
type phase struct {
	pixels   int // number of input positions
	taps     int // number of kernel taps that fall on them
	last     int // largest of these taps
	step     int // distance between these taps
	dilation int // distance between the outputs that consecutive taps belong to
	before   int // -(output that the largest tap reaches from the first position)
}

func newPhase(in, kernel, stride, dilation, pad, r int) phase {
	// Tap k joins input i to output (i+pad-k*dilation)/stride where that is whole.
	p := phase{pixels: (in - r + stride - 1) / stride}
	for k := kernel - 1; k >= 0; k-- {
		if (r+pad-k*dilation)%stride != 0 {
			continue
		}
		switch p.taps++; p.taps {
		case 1:
			p.last, p.before, p.step, p.dilation = k, -(r+pad-k*dilation)/stride, 1, 1
		case 2:
			p.step = p.last - k
			p.dilation = p.step * dilation / stride
		}
	}
	return p
}

// turnWeights writes the weights of one phase as [InC, taps down, taps across, OutC], the largest taps first.
func turnWeights(dst, w []float32, g Conv, v, h phase) {
	k := g.depth()
	for c := range g.InC {
		for ty := range v.taps {
			for tx := range h.taps {
				at := ((v.last-ty*v.step)*g.Kernel[1]+h.last-tx*h.step)*g.InC + c
				for o := range g.OutC {
					dst[o] = w[at+o*k]
				}
				dst = dst[g.OutC:]
			}
		}
	}
}

// scatter moves rows lo to hi-1 of a phase's gradients to their places in dx.
func (q Conv) scatter(g Conv, dx, rows []float32, lo, hi, ry, rx int) {
	if g.Stride == one {
		copy(dx[lo*g.InC:], rows)
		return
	}
	for p := lo; p < hi; p++ {
		b, y, x := p/q.Positions(), p/q.Output[1]%q.Output[0], p%q.Output[1]
		at := ((b*g.Input[0]+ry+y*g.Stride[0])*g.Input[1] + rx + x*g.Stride[1]) * g.InC
		move(dx[at:at+g.InC], rows[(p-lo)*g.InC:])
	}
}

// Conv2DGradWeights computes the gradients of a convolution's weights and, unless dbias is nil, of its bias:
//
//	dw[o,ky,kx,c] = sum over b,oy,ox of dy[b,oy,ox,o]*x[b,iy,ix,c]
//	dbias[o]      = sum over b,oy,ox of dy[b,oy,ox,o]
//
// The sum for dw is one chain per chunk of output pixels, [Conv.GradChunks] of them. Shapes as in [Conv2D].
func Conv2DGradWeights(ws *Workspace, g Conv, dw, dbias, x, dy []float32) {
	k, step, pixels, chunks := g.depth(), g.block(), g.rows(), g.GradChunks()
	n := g.WeightsLen()
	perChunk := n + step*(2*k+g.OutC)
	scratch := ws.floats(chunks * perChunk)
	parallel.For(chunks, func(p int) {
		s := scratch[p*perChunk:][:perChunk]
		sum, col, colT, dyT := s[:n], s[n:][:step*k], s[n+step*k:][:step*k], s[n+2*step*k:]
		first, last := parallel.Range(pixels, chunks, p)
		for lo := first; lo < last; lo += step {
			hi := min(lo+step, last)
			a := col
			if g.pointwise() {
				a = x[lo*k:]
			} else {
				g.im2col(col, x, lo, hi)
			}
			transpose(hi-lo, k, colT, step, a)
			transpose(hi-lo, g.OutC, dyT, step, dy[lo*g.OutC:])
			gemm(g.OutC, k, hi-lo, sum, k, 1, dyT, step, colT, step, lo > first)
		}
	})
	copy(dw[:n], scratch[:n])
	for p := 1; p < chunks; p++ {
		for i, v := range scratch[p*perChunk:][:n] {
			dw[i] += v
		}
	}
	if dbias != nil {
		SumRows(ws, pixels, g.OutC, dbias, dy)
	}
}

// GradChunks is the number of chunks of output pixels (numbered as y is laid out, divided as by parallel.Range) whose
// contributions to the gradient of the weights are summed separately and then added in order.
func (g Conv) GradChunks() int { return split(g.rows(), g.depth()*g.OutC) }
