package kerneltest

import "github.com/goqat/goqat/internal/kernels/f32"

// MaxPool2D defines f32.MaxPool2D.
func MaxPool2D(g f32.Pool, y, x []float32, argmax []int32) {
	for i := range g.OutputLen() {
		best := -1
		eachPoolTap(g, i, func(in int) {
			if best < 0 || x[in] > x[best] || (x[in] != x[in] && x[best] == x[best]) {
				best = in
			}
		})
		y[i], argmax[i] = x[best], int32(best)
	}
}

// MaxPool2DGrad defines f32.MaxPool2DGrad.
func MaxPool2DGrad(g f32.Pool, dx, dy []float32, argmax []int32) {
	clear(dx[:g.InputLen()])
	for i := range g.OutputLen() {
		dx[argmax[i]] += dy[i]
	}
}

// AveragePool2D defines f32.AveragePool2D.
func AveragePool2D(g f32.Pool, y, x []float32) {
	for i := range g.OutputLen() {
		var s, n float32
		eachPoolTap(g, i, func(in int) {
			s += x[in]
			n++
		})
		y[i] = s / n
	}
}

// AveragePool2DGrad defines f32.AveragePool2DGrad.
func AveragePool2DGrad(g f32.Pool, dx, dy []float32) {
	clear(dx[:g.InputLen()])
	for i := range g.OutputLen() {
		var n float32
		eachPoolTap(g, i, func(int) { n++ })
		eachPoolTap(g, i, func(in int) { dx[in] += dy[i] / n })
	}
}

// eachPoolTap calls f with the input index of every tap of output element i that lies inside the image.
func eachPoolTap(g f32.Pool, i int, f func(in int)) {
	c, p := i%g.Channels, i/g.Channels
	image := p / g.Positions() * g.Pixels()
	g.EachTap(p%g.Positions(), func(_, pixel int) { f((image+pixel)*g.Channels + c) })
}
