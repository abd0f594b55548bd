package f32

import (
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// TransposeConv2D computes a transposed 2-D convolution, the gradient of a convolution's input put to use:
//
//	y[b,oy,ox,o] = act(sum over iy,ix,c of x[b,iy,ix,c]*w[o,ky,kx,c] + bias[o])
//
// over the pixels of x whose tap (ky, kx) lies on (oy, ox). The geometry g is that of the convolution that it
// transposes, from y to x, so that y is [Batch, InH, InW, InC] and x is [Batch, OutH, OutW, OutC]. Other shapes: w
// [InC, KernelH, KernelW, OutC], bias [InC] or nil for zeros.
func TransposeConv2D(ws *Workspace, g Conv, y, x, w, bias []float32, act quant.Activation) {
	g.spread(ws, y, x, func(turned []float32, p window.Phase) {
		for t := range p.Taps() {
			for c := range g.OutC {
				for o := range g.InC {
					turned[o] = w[(o*g.Taps()+p.Tap(t))*g.OutC+c]
				}
				turned = turned[g.InC:]
			}
		}
	}, newEpilogue(act, ws.repeated(0, g.Batch*g.Pixels(), bias)))
}

// TransposeConv2DGradInput computes the gradient of a transposed convolution's input from dy, the gradient before the
// activation (see [ActivateGrad]):
//
//	dx[b,iy,ix,c] = sum over ky,kx,o of dy[b,oy,ox,o]*w[o,ky,kx,c]
//
// over the taps that lie inside y. Shapes as in [TransposeConv2D].
func TransposeConv2DGradInput(ws *Workspace, g Conv, dx, dy, w []float32) {
	s := ws.floats(g.productScratch(dx) + g.WeightsLen())
	wT := s[g.productScratch(dx):] // [taps, InC, OutC]
	for t := range g.Taps() {
		for o := range g.InC {
			copy(wT[(t*g.InC+o)*g.OutC:], w[(o*g.Taps()+t)*g.OutC:][:g.OutC])
		}
	}
	g.product(s, dy, wT, outlet{epilogue: newEpilogue(quant.NoActivation, nil), dst: dx})
}

// TransposeConv2DGradWeights computes the gradients of a transposed convolution's weights and, unless dbias is nil, of
// its bias:
//
//	dw[o,ky,kx,c] = sum over b,iy,ix of dy[b,oy,ox,o]*x[b,iy,ix,c]
//	dbias[o]      = sum over b,oy,ox of dy[b,oy,ox,o]
//
// The sum for dw is one chain per chunk of pixels of x, [Conv.GradChunks] of them. Shapes as in [TransposeConv2D].
func TransposeConv2DGradWeights(ws *Workspace, g Conv, dw, dbias, x, dy []float32) {
	Conv2DGradWeights(ws, g, dw, nil, dy, x)
	dwT := ws.floats(g.WeightsLen())
	copy(dwT, dw)
	exchange(g.OutC, g.Taps(), g.InC, dw, dwT)
	if dbias != nil {
		SumRows(ws, g.Batch*g.Pixels(), g.InC, dbias, dy)
	}
}

// exchange writes src [a, n, b] as dst [b, n, a].
func exchange(a, n, b int, dst, src []float32) {
	for i := range a {
		for t := range n {
			for j, v := range src[(i*n+t)*b:][:b] {
				dst[(j*n+t)*a+i] = v
			}
		}
	}
}
