package f32

import "github.com/goqat/goqat/internal/parallel"

// Gradients of convolutions of 3x3 taps are computed by Winograd's minimal filtering F(2x2, 3x3) where there are channels
// enough: with 16 products for 2x2 pixels instead of 36. Source: Lavin and Gray, Fast Algorithms for Convolutional Neural
// Networks, CVPR 2016, with the sign of the last row of B and of A exchanged. For the pixels of one tile,
//
//	dx = A' [U * (B d B')] A,   U = G w G'      w: the weights, turned by half a turn
//	dw = G' [(A x A') * (B d B')] G             turned likewise
//
// where d is the window of 4x4 pixels of dy that the tile of 2x2 pixels of x and dx reaches, and * multiplies value by value
// and sums over the channels of dy, or over tiles. The transform of d serves both. Everything but the transforms is 16
// matrix products.

// Conv2DGrad computes the gradients of a convolution's input, unless dx is nil, and of its weights and bias, as
// [Conv2DGradInput] and [Conv2DGradWeights] define them but for the rounding of Winograd's algorithm where
// [Conv.Winograd] holds. dbias may be nil.
func Conv2DGrad(ws *Workspace, g Conv, dx, dw, dbias, x, dy, w []float32) {
	if !g.Winograd() {
		Conv2DGradWeights(ws, g, dw, dbias, x, dy)
		if dx != nil {
			Conv2DGradInput(ws, g, dx, dy, w)
		}
		return
	}
	newWinograd(g).grad(ws, dx, dw, x, dy, w)
	if dbias != nil {
		SumRows(ws, g.rows(), g.OutC, dbias, dy)
	}
}

// Winograd says whether [Conv2DGrad] transforms: it depends on the shape only.
func (g Conv) Winograd() bool {
	const channels, side = 16, 4 // fewer are not worth it
	return g.Kernel == [2]int{3, 3} && g.Stride == one && g.Dilation == one &&
		g.InC%8 == 0 && g.OutC%8 == 0 && min(g.InC, g.OutC) >= channels && min(g.Input[0], g.Input[1]) >= side
}

// WinogradChunks is the number of ranges of images (divided as by parallel.Range) whose contributions to the gradient of
// the weights are summed separately, tile by tile in row-major order, and then added in order.
func (g Conv) WinogradChunks() int {
	w := newWinograd(g)
	return split(g.Batch, 2*w.rows*w.cols*points*g.InC*g.OutC)
}

// points is the number of values of a transformed tile.
const points = 16

// winograd is the gradient of one geometry.
type winograd struct {
	g              Conv
	windows, tiles Conv // the images d and x: their sizes, padded to whole tiles
	rows, cols     int  // tiles of an image
	block          int  // rows of tiles that are worked on at a time
	v, u           int  // elements between the values of one transformed d, and of one x
}

func newWinograd(g Conv) winograd {
	const enough = 64 << 10 // elements of transformed tiles: they stay in any second-level cache
	w := winograd{g: g, rows: (g.Input[0] + 1) / 2, cols: (g.Input[1] + 1) / 2}
	even := [2]int{2 * w.rows, 2 * w.cols}
	w.windows = Conv{Batch: g.Batch, InC: g.OutC, Window: g.Window}
	w.windows.Input, w.windows.Output, w.windows.Pad = g.Output, even, [2]int{2 - g.Pad[0], 2 - g.Pad[1]}
	w.tiles = Conv{Batch: g.Batch, InC: g.InC, Window: g.Window}
	w.tiles.Output, w.tiles.Kernel, w.tiles.Pad = even, one, [2]int{}
	w.block = min(max(enough/(points*w.cols*(g.InC+g.OutC)), 1), g.Batch*w.rows)
	w.v, w.u = apart(w.block*w.cols*g.OutC), apart(w.block*w.cols*g.InC)
	return w
}

// apart is at least n, an odd number of cache lines, lest sixteen values fall into the same set of a cache.
func apart(n int) int { return ((n+15)/16 | 1) * 16 }

// matrices is the number of elements of transformed weights: [points, OutC, InC].
func (w *winograd) matrices() int { return points * w.g.OutC * w.g.InC }

// edge is the length of a copy of an image with its padding, or of a row of tiles of dx.
func (w *winograd) edge() int {
	n := min(w.block, w.rows)
	return max(w.windows.paddedLen(2*n), w.tiles.paddedLen(2*n), 4*w.cols*w.g.InC)
}

// winogradArgs are the arguments of a part.
type winogradArgs struct {
	w                                 winograd
	chunks, per                       int
	scratch, weights, dx, x, dy, sums []float32
}

func (w winograd) grad(ws *Workspace, dx, dw, x, dy, weights []float32) {
	g, chunks := &w.g, w.g.WinogradChunks()
	per := points*(w.v+w.u) + w.edge()
	plane, n := g.OutC*g.InC, w.matrices()
	s := ws.floats(chunks*(per+n) + n + 12*plane + 9*plane)
	a := winogradArgs{w: w, chunks: chunks, per: per, dx: dx, x: x, dy: dy}
	a.scratch, s = s[:chunks*per], s[chunks*per:]
	a.sums, s = s[:chunks*n], s[chunks*n:]
	a.weights, s = s[:n], s[n:]
	between, taps := s[:12*plane], s[12*plane:]
	if dx != nil {
		w.turn(taps, weights)
		expand(plane, a.weights, taps, between)
	}
	parallel.Each(chunks, chunks, a, winogradArgs.part)
	addChunks(chunks, n, a.sums)
	reduce(plane, taps, a.sums, between)
	w.turnBack(dw, taps)
}

// part does the images of one chunk.
func (a winogradArgs) part(c, _ int) {
	w, g := &a.w, &a.w.g
	s := a.scratch[c*a.per:][:a.per]
	v, s := s[:points*w.v], s[points*w.v:]
	u, s := s[:points*w.u], s[points*w.u:]
	edge := s[:w.edge()]
	sum, plane := a.sums[c*w.matrices():][:w.matrices()], g.OutC*g.InC
	first, last := parallel.Range(g.Batch, a.chunks, c)
	for lo := first * w.rows; lo < last*w.rows; lo += w.block {
		hi := min(lo+w.block, last*w.rows)
		for r := lo; r < hi; { // rows of tiles of one image
			n, at := min(w.rows-r%w.rows, hi-r), (r-lo)*w.cols
			w.transform(&w.windows, r, n, edge, a.dy, level.winogradWindow, v[at*g.OutC:], w.v)
			w.transform(&w.tiles, r, n, edge, a.x, level.winogradSpread, u[at*g.InC:], w.u)
			r += n
		}
		n := (hi - lo) * w.cols
		for p := range points {
			gemm(g.OutC, g.InC, n, sum[p*plane:], g.InC, matrix{data: v[p*w.v:], row: 1, step: g.OutC}, u[p*w.u:], g.InC, lo > first*w.rows)
		}
		if a.dx == nil {
			continue
		}
		for p := range points {
			gemm(n, g.InC, g.OutC, u[p*w.u:], g.InC, matrix{data: v[p*w.v:], row: g.OutC, step: 1}, a.weights[p*plane:], g.InC, false)
		}
		for r := lo; r < hi; r++ {
			y, line := r%w.rows*2, g.Input[1]*g.InC
			to := a.dx[(r/w.rows*g.Input[0]+y)*line:]
			gather(to, line, g.Input[0]-y, u[(r-lo)*w.cols*g.InC:], edge, tiling{apart: w.u, channels: g.InC, count: w.cols})
		}
	}
}

// transform transforms n rows of tiles of one image that q describes, from row r (batch*rows + row) on.
func (w *winograd) transform(q *Conv, r, n int, edge, image []float32, f func(v, x []float32, t tiling), v []float32, apart int) {
	a, line := q.padded(edge, image, 2*r, 2*n)
	for i := range n {
		f(v[i*w.cols*q.InC:], a[2*i*line:], tiling{apart: apart, line: line, channels: q.InC, count: w.cols})
	}
}

// gather writes a row of tiles, or as much of it as there is of the rows of an image, which have length line.
func gather(to []float32, line, rows int, v, edge []float32, t tiling) {
	even := 2 * t.count * t.channels
	if t.line = line; line == even && rows > 1 {
		level.winogradGather(to, v, t)
		return
	}
	t.line = even
	level.winogradGather(edge, v, t)
	for i := range min(2, rows) {
		copy(to[i*line:][:line], edge[i*even:])
	}
}

// tiling is a row of tiles, two pixels apart in an image whose rows are line apart. The values of a transformed tile are
// apart from each other, [count, channels] for each of them. There are a multiple of eight channels.
type tiling struct{ apart, line, channels, count int }
