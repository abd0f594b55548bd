package f32

// MaxPool2D computes the maximum of each window over its taps inside the image. The first of equal maxima wins, and the
// first NaN wins over everything. Unless argmax is nil, argmax[i] is the index in x of the winner of y[i]; if it is nil,
// the sign of a zero maximum is unspecified. Every window must have a tap inside the image, and x fewer
// than 2^31 elements.
// Shapes: y, argmax [Batch, OutH, OutW, Channels], x [Batch, InH, InW, Channels].
func MaxPool2D(g Pool, y, x []float32, argmax []int32) {
	each(g.Batch*g.Output[0], g.rowCost(), pooling{g: g, y: y, x: x, argmax: argmax}, func(p pooling, from, to int) {
		p.g.windowsOf(from, to, p.x, func(at int, w windows) {
			n := w.count * w.channels
			var arg []int32
			if p.argmax != nil {
				arg = p.argmax[at:][:n]
			}
			level.maxPool(p.y[at:][:n], arg, p.x, w)
		})
	})
}

// MaxPool2DGrad computes the gradient of the input of [MaxPool2D]: each dy[i] is added to dx[argmax[i]], in ascending
// order of i, and all other elements of dx are 0.
func MaxPool2DGrad(g Pool, dx, dy []float32, argmax []int32) {
	in, out := g.Pixels()*g.Channels, g.Positions()*g.Channels
	each(g.Batch, max(in, out)*costMove, pooling{g: g, y: dy, x: dx, argmax: argmax}, pooling.maxGrad)
}

// pooling is the arguments of a kernel on windows, or of its gradient: y is dy then, and x is dx.
type pooling struct {
	g      Pool
	y, x   []float32
	argmax []int32
}

// maxGrad does the images from to to-1.
func (p pooling) maxGrad(from, to int) {
	g, dx, dy := &p.g, p.x, p.y
	in, out := g.Pixels()*g.Channels, g.Positions()*g.Channels
	apart, whole := g.apart()
	if !whole {
		clear(dx[from*in : to*in])
	}
	if apart {
		g.windowsOf(from*g.Output[0], to*g.Output[0], dx, func(at int, w windows) {
			n := w.count * w.channels
			w.maxGrad(dx, dy[at:][:n], p.argmax[at:][:n])
		})
		return
	}
	arg := p.argmax[from*out : to*out]
	for i, d := range dy[from*out : to*out][:len(arg)] {
		dx[arg[i]] += d
	}
}

// AveragePool2D computes the mean of each window over its taps inside the image: padding does not count. Shapes as in
// [MaxPool2D].
func AveragePool2D(g Pool, y, x []float32) {
	each(g.Batch*g.Output[0], g.rowCost(), pooling{g: g, y: y, x: x}, func(p pooling, from, to int) {
		p.g.windowsOf(from, to, p.x, func(at int, w windows) {
			level.averagePool(p.y[at:][:w.count*w.channels], p.x, float32(w.rows*w.cols), w)
		})
	})
}

// AveragePool2DGrad computes the gradient of the input of [AveragePool2D]: dy/n is added to each of a window's n taps
// inside the image, in row-major order of windows.
func AveragePool2DGrad(g Pool, dx, dy []float32) {
	cost := max(g.Pixels()*g.Channels, g.Output[0]*g.rowCost()/costMove) * costMove
	each(g.Batch, cost, pooling{g: g, y: dy, x: dx}, pooling.averageGrad)
}

// averageGrad does the images from to to-1.
func (p pooling) averageGrad(from, to int) {
	g, dx, keep := &p.g, p.x, ^uint32(0)
	in := g.Pixels() * g.Channels
	if _, whole := g.apart(); whole {
		keep = 0
	} else {
		clear(dx[from*in : to*in])
	}
	g.windowsOf(from*g.Output[0], to*g.Output[0], dx, func(at int, w windows) {
		level.averagePoolGrad(dx, p.y[at:][:w.count*w.channels], float32(w.rows*w.cols), keep, w)
	})
}

// windows are some windows of one output row that have the same number of taps inside the image. Their taps in x are
//
//	first + i*step + r*line + c*channels + channel,   i < count, r < rows, c < cols
type windows struct{ first, count, step, rows, cols, line, channels int }

// small says whether there are routines for just these windows.
func (w *windows) small() bool { return w.rows == 2 && w.cols == 2 && w.channels >= 8 }

// maxGrad hands dy to the maxima of the windows, which are apart, and 0 to the rest of them. A maximum at -1 gets nothing.
func (w *windows) maxGrad(dx, dy []float32, arg []int32) {
	if w.small() {
		level.maxPoolGrad2(dx, dy, arg, *w)
	} else {
		level.maxPoolGrad(dx, dy, arg, *w)
	}
}

// tailMax finds the maxima of what a tail makes of x + bias, with -1 for their places where the gradient does not pass.
func (w *windows) tailMax(y []float32, arg []int32, x, bias []float32, t *Tail) (least, most float32, nan bool) {
	if w.small() {
		if least, most, nan = level.tailPool2(y, arg, x, bias, &t.k, t.rounds, *w); !nan {
			return
		}
	}
	return level.tailPool(y, arg, x, bias, &t.k, t.rounds, *w)
}

// rowCost is the cost of one output row.
func (g *Pool) rowCost() int { return g.Output[1] * g.Channels * g.Taps() * costMove }

// apart says whether windows do not overlap, and whether they are all that and leave nothing of the input out.
func (g *Pool) apart() (apart, whole bool) {
	apart, whole = true, true
	for axis := range 2 {
		step := g.Stride[axis]
		if g.Output[axis] == 1 { // there is no next window
			step = g.Kernel[axis]
		}
		apart = apart && step >= g.Kernel[axis]
		whole = whole && step == g.Kernel[axis] && g.Output[axis]*step-g.Pad[axis] >= g.Input[axis]
	}
	return apart, whole
}

// windowsOf calls f, in order, for the windows of the output rows from to to-1, where a row is batch*OutH + oy, with the
// index of their first output element. x is the input.
func (g *Pool) windowsOf(from, to int, x []float32, f func(at int, w windows)) {
	_ = x[:g.InputLen()] // a check that reads nothing: others write there
	for row := from; row < to; row++ {
		image, oy := row/g.Output[0], row%g.Output[0]
		top := oy*g.Stride[0] - g.Pad[0]
		w := windows{step: g.Stride[1] * g.Channels, line: g.Input[1] * g.Channels, channels: g.Channels}
		w.rows = min(top+g.Kernel[0], g.Input[0]) - max(top, 0)
		start := (image*g.Input[0] + max(top, 0)) * w.line
		for ox := 0; ox < g.Output[1]; ox += w.count {
			left := ox*g.Stride[1] - g.Pad[1]
			w.first = start + max(left, 0)*g.Channels
			w.cols = min(left+g.Kernel[1], g.Input[1]) - max(left, 0)
			w.count = 1
			if w.cols == g.Kernel[1] { // all that end inside the image are alike
				w.count = min((g.Input[1]-g.Kernel[1]-left)/g.Stride[1]+1, g.Output[1]-ox)
			}
			f((row*g.Output[1]+ox)*g.Channels, w)
		}
	}
}
