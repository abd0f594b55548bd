package q8

import "github.com/goqat/goqat/internal/parallel"

// A matrix is an [outputs, depth] weight matrix made ready for fast products.
//
// Three weights of one input, those of three consecutive outputs, share an
// int64 in lanes of 21 bits, so that one 64-bit multiplication by an activation
// is three multiply-adds:
//
//	x * (w0 + w1*2^21 + w2*2^42) = x*w0 + (x*w1)*2^21 + (x*w2)*2^42
//
// A lane holds a sum in [-2^20, 2^20), hence of 63 products of at most 2^14.
// After so many the lanes are spilled into int32 accumulators.
//
// That is plain Go; where the level has routines, these multiply.
type matrix struct {
	outputs, depth int
	lanes          [][]int64 // of [depth], one for each three outputs
	sums           []int32   // sum of the weights of an output
	vector         *product  // in place of lanes
	rowAt          []int32   // for vector: of the rows of a block in a plane
}

const (
	laneBits   = 21
	laneLimit  = 63 // products a lane can hold
	lanesPer   = 3
	blockItems = 32 // rows that share one pass over the weights; they stay in the L1 cache
)

// newMatrix packs weights.
func newMatrix(weights []int8, outputs, depth int) *matrix {
	m := &matrix{outputs: outputs, depth: depth, sums: make([]int32, outputs)}
	if level.lanes > 0 {
		m.vector = newProduct(level, weights, outputs, []int32{0}, depth, make([]int32, outputs), 0, nil)
		m.rowAt = rowOffsets(blockItems, depth*level.element())
		for o := range outputs {
			for _, w := range weights[o*depth : (o+1)*depth] {
				m.sums[o] += int32(w)
			}
		}
		return m
	}
	m.lanes = make([][]int64, (outputs+lanesPer-1)/lanesPer)
	for i := range m.lanes {
		m.lanes[i] = make([]int64, depth)
	}
	for o := range outputs {
		lane, shift := m.lanes[o/lanesPer], o%lanesPer*laneBits
		for k, w := range weights[o*depth : (o+1)*depth] {
			lane[k] += int64(w) << shift
			m.sums[o] += int32(w)
		}
	}
	return m
}

// foldedBias returns bias - zero*sum(w): with it, sum(w*x) gives the accumulator
// of x - zero. Arithmetic modulo 2^32, like the accumulator's.
func (m *matrix) foldedBias(bias []int32, zero int32) []int32 {
	folded := make([]int32, m.outputs)
	copy(folded, bias)
	for o, s := range m.sums {
		folded[o] -= zero * s
	}
	return folded
}

// each multiplies the matrix with n rows of depth codes and hands every row's
// accumulators, one per output, to emit. rows returns the codes of rows
// [lo, hi), in scratch or elsewhere. Calls of emit for different rows run at the
// same time; acc is reused after emit returns.
func (m *matrix) each(n int, rows func(scratch []int8, lo, hi int) []int8, emit func(row int, acc []int32)) {
	const products = 1 << 19 // worth a goroutine: some 50 microseconds
	parts := parallel.Parts(n, products/(m.outputs*m.depth)+1, parallel.MaxParts)
	parallel.For(parts, func(part int) {
		lo, hi := parallel.Range(n, parts, part)
		block := min(blockItems, hi-lo)
		scratch := make([]int8, block*m.depth)
		acc := make([]int32, block*m.outputs)
		for ; lo < hi; lo += block {
			end := min(lo+block, hi)
			m.multiply(acc, rows(scratch, lo, end), end-lo)
			for r := lo; r < end; r++ {
				emit(r, acc[(r-lo)*m.outputs:][:m.outputs])
			}
		}
	})
}

// multiply sets acc[r][o] to the sum over k of rows[r][k] * weight[o][k].
// Tiles are two rows by two lanes; a missing partner at a ragged edge is the
// first one again, and its result is dropped.
func (m *matrix) multiply(acc []int32, rows []int8, n int) {
	if m.vector != nil {
		m.multiplyVectors(acc, rows[:n*m.depth], n)
		return
	}
	for l := 0; l < len(m.lanes); l += 2 {
		w0, w1 := m.lanes[l], m.lanes[min(l+1, len(m.lanes)-1)]
		first := l * lanesPer
		count := min(2*lanesPer, m.outputs-first)
		for r := 0; r < n; r += 2 {
			other := min(r+1, n-1)
			var tile [2][2 * lanesPer]int32
			dot2x2(&tile, rows[r*m.depth:][:m.depth], rows[other*m.depth:][:m.depth], w0, w1)
			copy(acc[r*m.outputs+first:][:count], tile[0][:])
			if other > r {
				copy(acc[other*m.outputs+first:][:count], tile[1][:])
			}
		}
	}
}

// multiplyVectors is multiply by routines.
func (m *matrix) multiplyVectors(acc []int32, rows []int8, n int) {
	w := workers.Get().(*worker)
	w.plane = grown(w.plane, len(rows)*m.vector.level.element()+slack)
	m.vector.level.elements(w.plane, rows)
	m.vector.sum(w, w.plane, m.rowAt[:n])
	for r := range n {
		copy(acc[r*m.outputs:][:m.outputs], w.sums[r*m.vector.width:])
	}
	w.free()
}

// dot2x2 adds the products of two rows with two lanes of weights to tile.
func dot2x2(tile *[2][2 * lanesPer]int32, x0, x1 []int8, w0, w1 []int64) {
	for lo := 0; lo < len(x0); lo += laneLimit {
		hi := min(lo+laneLimit, len(x0))
		a, b, c, d := dots(x0[lo:hi], x1[lo:hi], w0[lo:hi], w1[lo:hi])
		spill(tile[0][:lanesPer], a)
		spill(tile[0][lanesPer:], b)
		spill(tile[1][:lanesPer], c)
		spill(tile[1][lanesPer:], d)
	}
}

// dots returns the products of x0 with w0 and w1, then of x1 with both. It is a
// function of its own, not inlined, so that its sums stay in registers.
//
//go:noinline
func dots(x0, x1 []int8, w0, w1 []int64) (a, b, c, d int64) {
	n := len(x0)
	x1, w0, w1 = x1[:n], w0[:n], w1[:n]
	for k := range x0 {
		x, y := int64(x0[k]), int64(x1[k])
		v, w := w0[k], w1[k]
		a += x * v
		b += x * w
		c += y * v
		d += y * w
	}
	return a, b, c, d
}

// spill adds the three signed lanes of v to sums. Taking a lane off leaves the
// next one without the borrow of a negative sum below it.
func spill(sums []int32, v int64) {
	const unused = 64 - laneBits
	_ = sums[2]
	low := v << unused >> unused
	sums[0] += int32(low)
	v = (v - low) >> laneBits
	low = v << unused >> unused
	sums[1] += int32(low)
	sums[2] += int32((v - low) >> laneBits)
}
