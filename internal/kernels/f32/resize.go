package f32

import "github.com/goqat/goqat/internal/kernels/window"

// ResizeNearest copies pixels of images:
//
//	y[b,i,j,c] = x[b, Rows[i], Cols[j], c]
//
// Shapes: x [batch, g.Input, g.Channels]; y [batch, len(g.Rows), len(g.Cols), g.Channels].
func ResizeNearest(g window.Resize, batch int, y, x []float32) {
	each(batch, g.OutputLen()*costMove, resizing{g, y, x}, func(r resizing, from, to int) {
		in, out := r.g.InputLen(), r.g.OutputLen()
		for b := from; b < to; b++ {
			window.Copy(r.g, r.y[b*out:], r.x[b*in:])
		}
	})
}

// ResizeNearestGrad computes the gradient of [ResizeNearest]'s input, the sum over the copies:
//
//	dx[b,p,q,c] = sum over i with Rows[i] = p and j with Cols[j] = q of dy[b,i,j,c]
//
// one chain of additions per element, in ascending order of i, then j. Shapes as in [ResizeNearest].
func ResizeNearestGrad(g window.Resize, batch int, dx, dy []float32) {
	each(batch, (g.InputLen()+g.OutputLen())*costMove, resizing{g, dy, dx}, func(r resizing, from, to int) {
		g, dx, dy := &r.g, r.x, r.y
		in, out := g.InputLen(), g.OutputLen()
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

// resizing is the arguments of ResizeNearest.
type resizing struct {
	g    window.Resize
	y, x []float32
}
