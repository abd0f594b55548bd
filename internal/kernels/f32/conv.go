package f32

// Conv2D computes a 2-D convolution (cross-correlation, as in every deep-learning library):
//
//	y[b,oy,ox,o] = act(sum over ky,kx,c of x[b,iy,ix,c]*w[o,ky,kx,c] + bias[o])
//	iy = oy*StrideH - PadTop + ky*DilationH,  ix = ox*StrideW - PadLeft + kx*DilationW
//
// over the taps that lie inside the image. Shapes: y [Batch, OutH, OutW, OutC], x [Batch, InH, InW, InC],
// w [OutC, KernelH, KernelW, InC], bias [OutC] or nil for zeros.
func Conv2D(ws *Workspace, g Conv, y, x, w, bias []float32, act Activation) {
	lo, hi := act.Bounds()
	k := g.taps()
	for p := range g.pixels() {
		for o := range g.OutC {
			var s float32
			g.eachTap(p, func(in, tap int) {
				for c := range g.InC {
					s += float32(x[in+c] * w[o*k+tap+c])
				}
			})
			if bias != nil {
				s += bias[o]
			}
			y[p*g.OutC+o] = min(max(s, lo), hi)
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
	k := g.taps()
	clear(dx[:g.InputLen()])
	for p := range g.pixels() {
		for o := range g.OutC {
			d := dy[p*g.OutC+o]
			g.eachTap(p, func(in, tap int) {
				for c := range g.InC {
					dx[in+c] += float32(d * w[o*k+tap+c])
				}
			})
		}
	}
}

// Conv2DGradWeights computes the gradients of a convolution's weights and, unless dbias is nil, of its bias:
//
//	dw[o,ky,kx,c] = sum over b,oy,ox of dy[b,oy,ox,o]*x[b,iy,ix,c]
//	dbias[o]      = sum over b,oy,ox of dy[b,oy,ox,o]
//
// Shapes as in [Conv2D].
func Conv2DGradWeights(ws *Workspace, g Conv, dw, dbias, x, dy []float32) {
	k := g.taps()
	clear(dw[:g.WeightsLen()])
	for p := range g.pixels() {
		for o := range g.OutC {
			d := dy[p*g.OutC+o]
			g.eachTap(p, func(in, tap int) {
				for c := range g.InC {
					dw[o*k+tap+c] += float32(d * x[in+c])
				}
			})
		}
	}
	if dbias != nil {
		SumRows(ws, g.pixels(), g.OutC, dbias, dy)
	}
}

// eachTap calls f for every tap of output pixel p that lies inside the image, with the offsets of the tap's first
// channel in the input and in one output channel's weights.
func (g Conv) eachTap(p int, f func(in, tap int)) {
	b, oy, ox := p/(g.OutH*g.OutW), p/g.OutW%g.OutH, p%g.OutW
	for ky := range g.KernelH {
		iy := oy*g.StrideH - g.PadTop + ky*g.DilationH
		if iy < 0 || iy >= g.InH {
			continue
		}
		for kx := range g.KernelW {
			ix := ox*g.StrideW - g.PadLeft + kx*g.DilationW
			if ix >= 0 && ix < g.InW {
				f(((b*g.InH+iy)*g.InW+ix)*g.InC, (ky*g.KernelW+kx)*g.InC)
			}
		}
	}
}
