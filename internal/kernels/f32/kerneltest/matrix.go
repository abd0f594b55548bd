package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// FullyConnected defines f32.FullyConnected.
func FullyConnected(batch, in, out int, y, x, w, bias []float32, act quant.Activation) {
	for b := range batch {
		for o := range out {
			var s float32
			for i := range in {
				s = Add(s, x[b*in+i], w[o*in+i])
			}
			y[b*out+o] = activate(s, o, bias, act)
		}
	}
}

// FullyConnectedGradInput defines f32.FullyConnectedGradInput.
func FullyConnectedGradInput(batch, in, out int, dx, dy, w []float32) {
	for b := range batch {
		for i := range in {
			var s float32
			for o := range out {
				s = Add(s, dy[b*out+o], w[o*in+i])
			}
			dx[b*in+i] = s
		}
	}
}

// FullyConnectedGradWeights defines f32.FullyConnectedGradWeights.
func FullyConnectedGradWeights(batch, in, out int, dw, dbias, x, dy []float32) {
	for o := range out {
		for i := range in {
			var s float32
			for b := range batch {
				s = Add(s, dy[b*out+o], x[b*in+i])
			}
			dw[o*in+i] = s
		}
	}
	SumRows(batch, out, dbias, dy)
}

// Conv2D defines f32.Conv2D.
func Conv2D(g f32.Conv, y, x, w, bias []float32, act quant.Activation) {
	k := g.Taps() * g.InC
	for p := range g.OutputLen() / g.OutC {
		for o := range g.OutC {
			var s float32
			eachTap(g, p, func(in, tap int) {
				for c := range g.InC {
					s = Add(s, x[in+c], w[o*k+tap+c])
				}
			})
			y[p*g.OutC+o] = activate(s, o, bias, act)
		}
	}
}

// Conv2DGradInput defines f32.Conv2DGradInput.
func Conv2DGradInput(g f32.Conv, dx, dy, w []float32) {
	k := g.Taps() * g.InC
	clear(dx[:g.InputLen()])
	for p := range g.OutputLen() / g.OutC {
		for o := range g.OutC {
			eachTap(g, p, func(in, tap int) {
				for c := range g.InC {
					dx[in+c] = Add(dx[in+c], dy[p*g.OutC+o], w[o*k+tap+c])
				}
			})
		}
	}
}

// Conv2DGradWeights defines f32.Conv2DGradWeights.
func Conv2DGradWeights(g f32.Conv, dw, dbias, x, dy []float32) {
	pixels := g.OutputLen() / g.OutC
	ConvWeightSums(g, Chunks(pixels, 1, g.GradChunks()), dw, x, dy)
	SumRows(pixels, g.OutC, dbias, dy)
}

// ConvWeightSums defines the gradient of weights by chunks of output pixels.
func ConvWeightSums(g f32.Conv, bounds []int, dw, x, dy []float32) {
	k, n := g.Taps()*g.InC, g.WeightsLen()
	clear(dw[:n])
	for chunk, hi := range bounds[1:] {
		sum := make([]float32, n)
		for p := bounds[chunk]; p < hi; p++ {
			for o := range g.OutC {
				eachTap(g, p, func(in, tap int) {
					for c := range g.InC {
						sum[o*k+tap+c] = Add(sum[o*k+tap+c], dy[p*g.OutC+o], x[in+c])
					}
				})
			}
		}
		for i, s := range sum {
			dw[i] += s
		}
	}
}

// eachTap calls f for every tap of output pixel p that lies inside the image, with the offsets of the tap's first
// channel in the input and in one output channel's weights.
func eachTap(g f32.Conv, p int, f func(in, tap int)) {
	image := p / g.Positions() * g.Pixels()
	g.EachTap(p%g.Positions(), func(tap, pixel int) { f((image+pixel)*g.InC, tap*g.InC) })
}

// activate finishes one output element of channel o.
func activate(s float32, o int, bias []float32, act quant.Activation) float32 {
	if bias != nil {
		s += bias[o]
	}
	lo, hi := act.Bounds()
	return min(max(s, lo), hi)
}
