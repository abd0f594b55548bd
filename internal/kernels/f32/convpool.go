package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
)

// PooledConv is a convolution with bias, a [Tail] and maxima over windows behind it. It works on some rows of one image
// at a time: what lies between, the largest tensors of small networks, stays in the cache and is stored nowhere. Ask
// [PooledConv.Possible] first.
type PooledConv struct {
	Conv
	Pool Pool
	// Training lets Forward round as Winograd's algorithm does where [Conv.Winograd] holds and the height of windows is even.
	Training bool

	full []float32 // the gradient before the pool, where it is needed in one piece
}

// Possible says whether the pool's windows are apart and cover all of the convolution's output.
func (l *PooledConv) Possible() bool {
	_, whole := l.Pool.apart()
	return whole && l.Pool.Input == l.Output && l.Pool.Channels == l.OutC && l.Pool.Batch == l.Batch
}

// Forward computes what [Conv2D] without activation, [Tail.Run] and [MaxPool2D] do, and returns what the tail returns.
// winners, as many as y, are for the gradient.
func (l *PooledConv) Forward(ws *Workspace, t *Tail, y []float32, winners []int32, x, w, bias []float32) (lo, hi float32, nan bool) {
	parts, per, n, plane := split(l.Batch, l.imageCost()), l.strip()+l.rowsScratch(l.tallest()), l.WeightsLen(), l.InC*l.OutC
	more := 0
	a := pooledForward{l: l, t: t, parts: parts, y: y, winners: winners, x: x, bias: bias}
	if l.transforms() {
		a.winograd = newWinogradForward(l.Conv, l.tallest())
		per, more = l.strip()+a.winograd.scratch(), (points+12)*plane
	}
	s := ws.floats(parts*per + n + l.OutC + more)
	a.per, a.scratch, s = per, s[:parts*per], s[parts*per:]
	a.w, s = s[:n], s[n:]
	transpose(l.OutC, l.depth(), a.w, l.OutC, w, l.depth())
	if bias == nil {
		a.bias = s[:l.OutC]
		for i := range a.bias {
			a.bias[i] = float32(math.Copysign(0, -1)) // which changes nothing
		}
	}
	if s = s[l.OutC:]; more > 0 {
		expand(plane, s, a.w, s[points*plane:])
		a.w = s
	}
	t.begin(parts)
	parallel.Each(parts, parts, a, pooledForward.part)
	return t.end(parts)
}

// pooledForward is the arguments of Forward.
type pooledForward struct {
	l                      *PooledConv
	t                      *Tail
	parts, per             int
	scratch, y, x, w, bias []float32
	winners                []int32
	winograd               winogradForward
}

// part does some images.
func (a pooledForward) part(p, _ int) {
	l, s := a.l, a.scratch[p*a.per:][:a.per]
	strip, s := s[:l.strip()], s[l.strip():]
	from, to := parallel.Range(l.Batch, a.parts, p)
	seen := a.t.found[p]
	for b := from; b < to; b++ {
		for k := range l.blocks() {
			q := l.block(b, k)
			if n := q.pool.Input[0]; l.transforms() {
				a.winograd.compute(strip, s, a.x, a.w, b, q.row-b*l.Output[0], n)
			} else {
				l.compute(strip, s, a.x, a.w, q.row, n)
			}
			q.pool.windowsOf(0, q.pool.Output[0], strip, func(at int, w windows) {
				at += q.at
				n := w.count * w.channels
				seen.add(w.tailMax(a.y[at:][:n], a.winners[at:][:n], strip, a.bias, a.t))
			})
		}
	}
	a.t.found[p] = seen
}

// A poolBlock is some rows of windows of one image.
type poolBlock struct {
	pool Pool // of these rows alone
	row  int  // the first row before the pool (batch*OutH + oy)
	at   int  // the first element of the pool's output
}

// windowRows is the number of rows of windows that are worked on at a time: what is under them stays in any first-level
// cache.
func (l *PooledConv) windowRows() int {
	const enough = 4 << 10 // elements
	return min(max(enough/(l.Pool.Kernel[0]*l.Output[1]*l.OutC), 1), l.Pool.Output[0])
}

// blocks is the number of blocks of an image.
func (l *PooledConv) blocks() int {
	return (l.Pool.Output[0] + l.windowRows() - 1) / l.windowRows()
}

// block returns block k of image b.
func (l *PooledConv) block(b, k int) poolBlock {
	first := k * l.windowRows()
	q := poolBlock{pool: l.Pool}
	q.pool.Batch = 1
	q.pool.Output[0] = min(l.windowRows(), l.Pool.Output[0]-first)
	top := first*l.Pool.Stride[0] - l.Pool.Pad[0]
	end := l.Output[0]
	if last := first + q.pool.Output[0]; last < l.Pool.Output[0] {
		end = last*l.Pool.Stride[0] - l.Pool.Pad[0]
	}
	if top > 0 {
		q.pool.Pad[0] = 0
	}
	top = max(top, 0)
	q.pool.Input[0] = end - top
	q.row = b*l.Output[0] + top
	q.at = (b*l.Pool.Output[0] + first) * l.Pool.Output[1] * l.OutC
	return q
}

// tallest is the largest number of rows before the pool that a block has.
func (l *PooledConv) tallest() int { return min(l.windowRows()*l.Pool.Kernel[0], l.Output[0]) }

// strip is the number of elements of those rows.
func (l *PooledConv) strip() int { return l.tallest() * l.Output[1] * l.OutC }

// imageCost is the cost of one image.
func (g Conv) imageCost() int { return g.Positions() * g.depth() * g.OutC }

// before computes the gradient before the pool, in the rows of block q.
func (q *poolBlock) before(strip, dy []float32, winners []int32) {
	q.pool.windowsOf(0, q.pool.Output[0], strip, func(at int, w windows) {
		at += q.at
		n := w.count * w.channels
		w.maxGrad(strip, dy[at:][:n], winners[at:][:n])
	})
}

// image computes the gradient before the pool of image b.
func (l *PooledConv) image(to, dy []float32, winners []int32, b int) {
	line := l.Output[1] * l.OutC
	for k := range l.blocks() {
		q := l.block(b, k)
		q.before(to[(q.row-b*l.Output[0])*line:][:q.pool.Input[0]*line], dy, winners)
	}
}

// Grad computes the gradients of the convolution's input, unless dx is nil, and of its weights and bias, as
// [Conv2DGrad] does of what [MaxPool2DGrad] and the gradient of the tail make of dy, the gradient of the pool's output. Where
// [Conv.Winograd] holds or dx is nil, the sums for dw and dbias are one chain per range of images,
// [PooledConv.GradChunks] of them. dbias may be nil.
func (l *PooledConv) Grad(ws *Workspace, dx, dw, dbias, x, dy []float32, winners []int32, w []float32) {
	if l.Winograd() {
		newWinograd(l.Conv).grad(ws, dx, dw, dbias, x, upstream{dy: dy, pool: l, winners: winners}, w)
		return
	}
	if dx != nil {
		Conv2DGrad(ws, l.Conv, dx, dw, dbias, x, l.whole(dy, winners), w)
		return
	}
	chunks := l.GradChunks()
	n, per := l.WeightsLen(), l.strip()+l.gradScratch()
	s := ws.floats(chunks*(n+l.OutC+per) + n)
	a := pooledGrad{l: l, chunks: chunks, per: per, x: x, dy: dy, winners: winners}
	a.sums, s = s[:chunks*n], s[chunks*n:]
	a.biases, s = s[:chunks*l.OutC], s[chunks*l.OutC:]
	a.scratch = s
	parallel.Each(chunks, chunks, a, pooledGrad.chunk)
	addChunks(chunks, n, a.sums)
	l.unpackGrad(dw, a.sums)
	if dbias != nil {
		addChunks(chunks, l.OutC, a.biases)
		copy(dbias, a.biases[:l.OutC])
	}
}

// GradInput is Grad for dx alone.
func (l *PooledConv) GradInput(ws *Workspace, dx, dy []float32, winners []int32, w []float32) {
	Conv2DGradInput(ws, l.Conv, dx, l.whole(dy, winners), w)
}

// GradChunks is the number of ranges of images (divided as by parallel.Range) that [PooledConv.Grad] sums separately.
func (l *PooledConv) GradChunks() int {
	if l.Winograd() {
		return l.WinogradChunks()
	}
	return split(l.Batch, l.imageCost())
}

// whole returns the gradient before the pool.
func (l *PooledConv) whole(dy []float32, winners []int32) []float32 {
	if l.full == nil {
		l.full = make([]float32, l.OutputLen())
	}
	type args struct {
		l       *PooledConv
		dy      []float32
		winners []int32
	}
	n := l.Positions() * l.OutC
	each(l.Batch, n*costMove, args{l, dy, winners}, func(a args, from, to int) {
		n := a.l.Positions() * a.l.OutC
		for b := from; b < to; b++ {
			a.l.image(a.l.full[b*n:][:n], a.dy, a.winners, b)
		}
	})
	return l.full
}

// pooledGrad is the arguments of Grad.
type pooledGrad struct {
	l                            *PooledConv
	chunks, per                  int
	sums, biases, scratch, x, dy []float32
	winners                      []int32
}

// chunk sums up some images.
func (a pooledGrad) chunk(c, _ int) {
	l, s := a.l, a.scratch[c*a.per:][:a.per]
	strip, s := s[:l.strip()], s[l.strip():]
	sum, bias := a.sums[c*l.WeightsLen():][:l.WeightsLen()], a.biases[c*l.OutC:][:l.OutC]
	clear(bias)
	from, to := parallel.Range(l.Batch, a.chunks, c)
	for b := from; b < to; b++ {
		for k := range l.blocks() {
			q := l.block(b, k)
			q.before(strip, a.dy, a.winners)
			pixels := q.pool.Input[0] * l.Output[1]
			first := q.row * l.Output[1]
			l.addGrad(sum, bias, s, a.x, strip, first, first+pixels, b > from || k > 0)
		}
	}
}

// addChunks adds further slices of n elements to the first one, in order.
func addChunks(chunks, n int, all []float32) {
	for c := 1; c < chunks; c++ {
		level.add(all[:n], all[:n], all[c*n:][:n])
	}
}
