package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// DepthwiseConv2D defines f32.DepthwiseConv2D.
func DepthwiseConv2D(g f32.Depthwise, y, x, w, bias []float32, act quant.Activation) {
	for i := range g.OutputLen() {
		o, p := i%g.OutC(), i/g.OutC()
		var s float32
		eachDepthwiseTap(g, p, func(in, tap int) {
			s += float32(x[in*g.Channels+o/g.Multiplier] * w[tap*g.OutC()+o])
		})
		y[i] = activate(s, o, bias, act)
	}
}

// DepthwiseConv2DGradInput defines f32.DepthwiseConv2DGradInput.
func DepthwiseConv2DGradInput(g f32.Depthwise, dx, dy, w []float32) {
	sums := make([]float32, g.InputLen()*g.Multiplier) // one for each output channel
	for i := range g.OutputLen() {
		o, p := i%g.OutC(), i/g.OutC()
		eachDepthwiseTap(g, p, func(in, tap int) {
			sums[in*g.OutC()+o] += float32(dy[i] * w[tap*g.OutC()+o])
		})
	}
	clear(dx[:g.InputLen()])
	for i, s := range sums {
		dx[i/g.Multiplier] += s
	}
}

// DepthwiseConv2DGradWeights defines f32.DepthwiseConv2DGradWeights.
func DepthwiseConv2DGradWeights(g f32.Depthwise, dw, dbias, x, dy []float32) {
	DepthwiseWeightSums(g, Chunks(g.Batch*g.Output[0], g.Output[1], g.GradChunks()), dw, x, dy)
	SumRows(g.OutputLen()/g.OutC(), g.OutC(), dbias, dy)
}

// DepthwiseWeightSums defines the gradient of weights by chunks of output pixels.
func DepthwiseWeightSums(g f32.Depthwise, bounds []int, dw, x, dy []float32) {
	clear(dw[:g.WeightsLen()])
	for chunk, hi := range bounds[1:] {
		sum := make([]float32, g.WeightsLen())
		for i := bounds[chunk] * g.OutC(); i < hi*g.OutC(); i++ {
			o, p := i%g.OutC(), i/g.OutC()
			eachDepthwiseTap(g, p, func(in, tap int) {
				sum[tap*g.OutC()+o] += float32(dy[i] * x[in*g.Channels+o/g.Multiplier])
			})
		}
		for i, s := range sum {
			dw[i] += s
		}
	}
}

// eachDepthwiseTap calls f for every tap of output pixel p that lies inside the image, with the number of its input
// pixel.
func eachDepthwiseTap(g f32.Depthwise, p int, f func(in, tap int)) {
	image := p / g.Positions() * g.Pixels()
	g.EachTap(p%g.Positions(), func(tap, pixel int) { f(image+pixel, tap) })
}
