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

// addChunks adds further slices of n elements to the first one, in order.
func addChunks(chunks, n int, all []float32) {
	for c := 1; c < chunks; c++ {
		level.add(all[:n], all[:n], all[c*n:][:n])
	}
}
