package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// TransposeConv2D defines f32.TransposeConv2D.
func TransposeConv2D(g f32.Conv, y, x, w, bias []float32, act quant.Activation) {
	clear(y[:g.InputLen()])
	eachProduct(g, func(small, large, weight int) { y[large] = Add(y[large], x[small], w[weight]) })
	for i, s := range y[:g.InputLen()] {
		y[i] = activate(s, i%g.InC, bias, act)
	}
}

// TransposeConv2DGradInput defines f32.TransposeConv2DGradInput.
func TransposeConv2DGradInput(g f32.Conv, dx, dy, w []float32) {
	clear(dx[:g.OutputLen()])
	eachProduct(g, func(small, large, weight int) { dx[small] = Add(dx[small], dy[large], w[weight]) })
}

// TransposeConv2DGradWeights defines f32.TransposeConv2DGradWeights.
func TransposeConv2DGradWeights(g f32.Conv, dw, dbias, x, dy []float32) {
	turned := make([]float32, g.WeightsLen())
	Conv2DGradWeights(g, turned, make([]float32, g.OutC), dy, x)
	for i, d := range turned {
		c, tap, o := i/(g.Taps()*g.InC), i/g.InC%g.Taps(), i%g.InC
		dw[(o*g.Taps()+tap)*g.OutC+c] = d
	}
	SumRows(g.Batch*g.Pixels(), g.InC, dbias, dy)
}

// eachProduct calls f for every product of a transposed convolution, with the indices in the small image, the large
// image and the weights [InC, KernelH, KernelW, OutC]: by pixels and channels of the small image, then taps, then
// channels of the large image.
func eachProduct(g f32.Conv, f func(small, large, weight int)) {
	for small := range g.OutputLen() {
		c := small % g.OutC
		eachTap(g, small/g.OutC, func(in, tap int) {
			for o := range g.InC {
				f(small, in+o, (o*g.Taps()+tap/g.InC)*g.OutC+c)
			}
		})
	}
}

// ResizeNearest defines f32.ResizeNearest.
func ResizeNearest(g window.Resize, batch int, y, x []float32) {
	eachCopy(g, batch, func(to, from int) { y[to] = x[from] })
}

// ResizeNearestGrad defines f32.ResizeNearestGrad.
func ResizeNearestGrad(g window.Resize, batch int, dx, dy []float32) {
	clear(dx[:batch*g.InputLen()])
	eachCopy(g, batch, func(to, from int) { dx[from] += dy[to] })
}

// eachCopy calls f with the index of every element that is made and the index of what it copies.
func eachCopy(g window.Resize, batch int, f func(to, from int)) {
	to := 0
	for b := range batch {
		for _, row := range g.Rows {
			for _, col := range g.Cols {
				for c := range g.Channels {
					f(to, ((b*g.Input[0]+row)*g.Input[1]+col)*g.Channels+c)
					to++
				}
			}
		}
	}
}
