package q8

import "github.com/goqat/goqat/internal/parallel"

// A matrix is an [outputs, depth] weight matrix made ready for fast products, in
// plain Go by [packed], where the level has routines by these.
type matrix struct {
	packed
	sums   []int32  // sum of the weights of an output
	vector *product // in place of packed
	rowAt  []int32  // for vector: of the rows of a block in a plane
}

const blockItems = 32 // rows that share one pass over the weights; they stay in the L1 cache

// newMatrix packs weights.
func newMatrix(weights []int8, outputs, depth int) *matrix {
	m := &matrix{packed: packed{outputs: outputs, depth: depth}, sums: make([]int32, outputs)}
	for i, w := range weights {
		m.sums[i/depth] += int32(w)
	}
	if level.lanes > 0 {
		m.vector = newProduct(level, weights, outputs, []int32{0}, depth, make([]int32, outputs), 0, nil)
		m.rowAt = rowOffsets(blockItems, depth*level.element())
	} else {
		m.packed = packWeights(weights, outputs, depth, 8)
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
func (m *matrix) multiply(acc []int32, rows []int8, n int) {
	if m.vector != nil {
		m.multiplyVectors(acc, rows[:n*m.depth], n)
	} else {
		multiplyPacked(&m.packed, acc, rows, n)
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
