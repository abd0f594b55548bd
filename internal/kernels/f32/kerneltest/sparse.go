package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/parallel"
)

// PooledConvGrad defines f32.PooledConv.Grad where f32.PooledConv.Sparse holds: [Conv2DGradInput] and [Conv2DGradWeights]
// of dy, the gradient before the pool, in an order of its own and without products with the zeros of dy, but for those of a
// convolution of one channel with the first tap of windows where nothing else passes.
func PooledConvGrad(l *f32.PooledConv, dx, dw, dbias, x, dy, w []float32) {
	g, p := l.Conv, l.Pool
	clear(dx)
	clear(dw)
	clear(dbias)
	for chunk := range l.GradChunks() {
		first, last := parallel.Range(g.Batch, l.GradChunks(), chunk)
		weights, biases := make([]float32, len(dw)), make([]float32, len(dbias))
		// pixel adds the products of a tap of a window of an image, if there is one and it is not zero or shall be added too.
		pixel := func(b, at, tap, o int, zero bool) (passes bool) {
			row, col := at/p.Output[1]*p.Kernel[0]+tap/p.Kernel[1], at%p.Output[1]*p.Kernel[1]+tap%p.Kernel[1]
			if row >= g.Output[0] || col >= g.Output[1] {
				return false
			}
			d := dy[((b*g.Output[0]+row)*g.Output[1]+col)*g.OutC+o]
			if d == 0 && !zero {
				return false
			}
			biases[o] += d
			for t := range 9 {
				y, z := row-g.Pad[0]+t/3, col-g.Pad[1]+t%3
				if y < 0 || y >= g.Input[0] || z < 0 || z >= g.Input[1] {
					continue
				}
				for c := range g.InC {
					k, e := (o*9+t)*g.InC+c, ((b*g.Input[0]+y)*g.Input[1]+z)*g.InC+c
					weights[k], dx[e] = Add(weights[k], x[e], d), Add(dx[e], w[k], d)
				}
			}
			return true
		}
		for b := first; b < last; b++ {
			for at := range p.Positions() {
				passes := make([]bool, g.OutC)
				for some := 0; some < g.OutC; some += 32 {
					for tap := range p.Taps() {
						for o := some; o < min(some+32, g.OutC); o++ {
							passes[o] = pixel(b, at, tap, o, false) || passes[o]
						}
					}
				}
				for o, passes := range passes {
					if g.InC == 1 && !passes {
						pixel(b, at, 0, o, true)
					}
				}
			}
		}
		for i, v := range weights {
			dw[i] += v
		}
		for i, v := range biases {
			dbias[i] += v
		}
	}
}
