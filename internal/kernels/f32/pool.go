package f32

import "math"

// MaxPool2D computes the maximum of each window over its taps inside the image. The first of equal maxima wins, and the
// first NaN wins over everything. Unless argmax is nil, argmax[i] is the index in x of the winner of y[i]; if it is nil,
// the sign of a zero maximum is unspecified. Every window must have a tap inside the image, and x fewer
// than 2^31 elements.
// Shapes: y, argmax [Batch, OutH, OutW, Channels], x [Batch, InH, InW, Channels].
func MaxPool2D(g Pool, y, x []float32, argmax []int32) {
	ch := g.Channels
	each(g.Batch*g.Output[0], g.Output[1]*ch*g.Taps()*costMove, func(from, to int) {
		for row := from; row < to; row++ {
			for ox := range g.Output[1] {
				w := g.window(row, ox)
				at := (row*g.Output[1] + ox) * ch
				if argmax == nil {
					w.max(y[at:][:ch], x)
				} else if !w.argMax(y[at:][:ch], argmax[at:][:ch], x) {
					w.argMaxNaN(y[at:][:ch], argmax[at:][:ch], x)
				}
			}
		}
	})
}

// max writes each channel's maximum to best.
func (w *poolWindow) max(best, x []float32) {
	copy(best, x[w.index(w.top, w.left):])
	for iy := w.top; iy < w.bottom; iy++ {
		for ix := w.left; ix < w.right; ix++ {
			for c, v := range x[w.index(iy, ix):][:len(best)] {
				best[c] = max(best[c], v)
			}
		}
	}
}

// argMax writes each channel's maximum to best and its index to arg. It reports false, with neither valid, if there is
// a NaN. It has no branch per element, because which tap wins is random.
func (w *poolWindow) argMax(best []float32, arg []int32, x []float32) bool {
	arg = arg[:len(best)]
	first := w.index(w.top, w.left)
	var nan uint32 // the top bit is set once there was a NaN
	for c, v := range x[first:][:len(best)] {
		best[c], arg[c] = v, int32(first+c)
		nan |= infBits - math.Float32bits(v)&^(1<<31)
	}
	for iy := w.top; iy < w.bottom; iy++ {
		for ix := w.left; ix < w.right; ix++ {
			at := w.index(iy, ix)
			if at == first {
				continue
			}
			for c, v := range x[at:][:len(best)] {
				b, n := best[c], math.Float32bits(v)
				nan |= infBits - n&^(1<<31)
				wins := positive(v - b)
				best[c] = math.Float32frombits(math.Float32bits(b)&^wins | n&wins)
				arg[c] = int32(uint32(arg[c])&^wins | uint32(at+c)&wins)
			}
		}
	}
	return nan>>31 == 0
}

// argMaxNaN is argMax for windows with a NaN.
func (w *poolWindow) argMaxNaN(best []float32, arg []int32, x []float32) {
	for c := range best {
		won := w.index(w.top, w.left) + c
		for iy := w.top; iy < w.bottom; iy++ {
			for ix := w.left; ix < w.right; ix++ {
				i := w.index(iy, ix) + c
				if b := x[won]; x[i] > b || (x[i] != x[i] && b == b) {
					won = i
				}
			}
		}
		best[c], arg[c] = x[won], int32(won)
	}
}

// MaxPool2DGrad computes the gradient of the input of [MaxPool2D]: each dy[i] is added to dx[argmax[i]], in ascending
// order of i, and all other elements of dx are 0.
func MaxPool2DGrad(g Pool, dx, dy []float32, argmax []int32) {
	in, out := g.Pixels()*g.Channels, g.Positions()*g.Channels
	each(g.Batch, max(in, out)*costMove, func(from, to int) {
		clear(dx[from*in : to*in])
		arg := argmax[from*out : to*out]
		for i, d := range dy[from*out : to*out][:len(arg)] {
			dx[arg[i]] += d
		}
	})
}

// AveragePool2D computes the mean of each window over its taps inside the image: padding does not count. Shapes as in
// [MaxPool2D].
func AveragePool2D(g Pool, y, x []float32) {
	ch := g.Channels
	each(g.Batch*g.Output[0], g.Output[1]*ch*g.Taps()*costMove, func(from, to int) {
		for row := from; row < to; row++ {
			for ox := range g.Output[1] {
				w := g.window(row, ox)
				sum := y[(row*g.Output[1]+ox)*ch:][:ch]
				clear(sum)
				for iy := w.top; iy < w.bottom; iy++ {
					for ix := w.left; ix < w.right; ix++ {
						for c, v := range x[w.index(iy, ix):][:len(sum)] {
							sum[c] += v
						}
					}
				}
				n := w.taps()
				for c := range sum {
					sum[c] /= n
				}
			}
		}
	})
}

// AveragePool2DGrad computes the gradient of the input of [AveragePool2D]: dy/n is added to each of a window's n taps
// inside the image, in row-major order of windows.
func AveragePool2DGrad(g Pool, dx, dy []float32) {
	ch, in := g.Channels, g.Pixels()*g.Channels
	each(g.Batch, max(in, g.Positions()*ch*g.Taps())*costMove, func(from, to int) {
		clear(dx[from*in : to*in])
		for row := from * g.Output[0]; row < to*g.Output[0]; row++ {
			for ox := range g.Output[1] {
				w := g.window(row, ox)
				n := w.taps()
				d := dy[(row*g.Output[1]+ox)*ch:][:ch]
				for iy := w.top; iy < w.bottom; iy++ {
					for ix := w.left; ix < w.right; ix++ {
						dst := dx[w.index(iy, ix):][:len(d)]
						for c, v := range d {
							dst[c] += v / n
						}
					}
				}
			}
		}
	})
}

// A poolWindow is the part of one window that lies inside the image: rows top to bottom-1, columns left to right-1.
type poolWindow struct {
	top, bottom, left, right int
	image, width, channels   int // number of the image, pixels per row, channels
	height                   int
}

// window returns the window of column ox of output row (batch*OutH + oy).
func (g *Pool) window(row, ox int) poolWindow {
	b, oy := row/g.Output[0], row%g.Output[0]
	iy, ix := oy*g.Stride[0]-g.Pad[0], ox*g.Stride[1]-g.Pad[1]
	return poolWindow{
		top: max(0, iy), bottom: min(g.Input[0], iy+g.Kernel[0]),
		left: max(0, ix), right: min(g.Input[1], ix+g.Kernel[1]),
		image: b, height: g.Input[0], width: g.Input[1], channels: g.Channels,
	}
}

// index is the index in x of the first channel of pixel (iy, ix).
func (w *poolWindow) index(iy, ix int) int {
	return ((w.image*w.height+iy)*w.width + ix) * w.channels
}

// taps is the number of taps inside the image.
func (w *poolWindow) taps() float32 { return float32((w.bottom - w.top) * (w.right - w.left)) }
