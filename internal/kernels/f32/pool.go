package f32

// MaxPool2D computes the maximum of each window over its taps inside the image. The first of equal maxima wins, and the
// first NaN wins over everything. Unless argmax is nil, argmax[i] is the index in x of the winner of y[i].
// Shapes: y, argmax [Batch, OutH, OutW, Channels], x [Batch, InH, InW, Channels].
func MaxPool2D(g Pool, y, x []float32, argmax []int32) {
	for i := range g.OutputLen() {
		first := true
		g.eachTap(i, func(in int) {
			if v := x[in]; first || v > y[i] || (v != v && y[i] == y[i]) {
				first = false
				y[i] = v
				if argmax != nil {
					argmax[i] = int32(in)
				}
			}
		})
	}
}

// MaxPool2DGrad computes the gradient of the input of [MaxPool2D]: each dy[i] is added to dx[argmax[i]], in ascending
// order of i, and all other elements of dx are 0.
func MaxPool2DGrad(g Pool, dx, dy []float32, argmax []int32) {
	clear(dx[:g.InputLen()])
	for i := range g.OutputLen() {
		dx[argmax[i]] += dy[i]
	}
}

// AveragePool2D computes the mean of each window over its taps inside the image: padding does not count. Shapes as in
// [MaxPool2D].
func AveragePool2D(g Pool, y, x []float32) {
	for i := range g.OutputLen() {
		var s, n float32
		g.eachTap(i, func(in int) {
			s += x[in]
			n++
		})
		y[i] = s / n
	}
}

// AveragePool2DGrad computes the gradient of the input of [AveragePool2D]: dy/n is added to each of a window's n taps
// inside the image, in row-major order of windows.
func AveragePool2DGrad(g Pool, dx, dy []float32) {
	clear(dx[:g.InputLen()])
	for i := range g.OutputLen() {
		var n float32
		g.eachTap(i, func(int) { n++ })
		g.eachTap(i, func(in int) { dx[in] += dy[i] / n })
	}
}

// eachTap calls f with the input index of every tap of output element i that lies inside the image.
func (g Pool) eachTap(i int, f func(in int)) {
	c, p := i%g.Channels, i/g.Channels
	b, oy, ox := p/(g.OutH*g.OutW), p/g.OutW%g.OutH, p%g.OutW
	for ky := range g.KernelH {
		for kx := range g.KernelW {
			iy, ix := oy*g.StrideH-g.PadTop+ky, ox*g.StrideW-g.PadLeft+kx
			if iy >= 0 && iy < g.InH && ix >= 0 && ix < g.InW {
				f(((b*g.InH+iy)*g.InW+ix)*g.Channels + c)
			}
		}
	}
}
