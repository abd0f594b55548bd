package f32

import "github.com/goqat/goqat/internal/kernels/window"

// ResizeNearest copies pixels of images:
//
//	y[b,i,j,c] = x[b, Rows[i], Cols[j], c]
//
// Shapes: x [batch, g.Input, g.Channels]; y [batch, len(g.Rows), len(g.Cols), g.Channels].
func ResizeNearest(g window.Resize, batch int, y, x []float32) {
	in, out := g.InputLen(), g.OutputLen()
	each(batch, out*costMove, func(from, to int) {
		for b := from; b < to; b++ {
			window.Copy(g, y[b*out:], x[b*in:])
		}
	})
}

// ResizeNearestGrad computes the gradient of [ResizeNearest]'s input, the sum over the copies:
//
//	dx[b,p,q,c] = sum over i with Rows[i] = p and j with Cols[j] = q of dy[b,i,j,c]
//
// one chain of additions per element, in ascending order of i, then j. Shapes as in [ResizeNearest].
func ResizeNearestGrad(g window.Resize, batch int, dx, dy []float32) {
	in, out := g.InputLen(), g.OutputLen()
	each(batch, (in+out)*costMove, func(from, to int) {
		clear(dx[from*in : to*in])
		for b := from; b < to; b++ {
			image, d := dx[b*in:], dy[b*out:]
			for _, row := range g.Rows {
				for _, col := range g.Cols {
					sums := image[g.Offset(row, col):][:g.Channels]
					for c, v := range d[:len(sums)] {
						sums[c] += v
					}
					d = d[g.Channels:]
				}
			}
		}
	})
}
