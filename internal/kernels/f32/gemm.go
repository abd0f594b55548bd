package f32

import "github.com/goqat/goqat/internal/parallel"

// matrix is the left operand of [gemm]: element t of row i is data[i*row + t*step].
// One with several segments has further elements: element t of segment s is
// data[i*row + s*jump + t*step].
type matrix struct {
	data      []float32
	row, step int
	segments  int // 0 counts as 1
	jump      int
}

// gemm multiplies matrices:
//
//	c[i*ldc+j] = sum over t < k of a[i,t]*b[t*ldb+j]    for i < m, j < n
//
// added to the old c if add is true. With several segments, k is the length of each, and row s*k+t of b belongs to element
// t of segment s. Each element is one chain of additions in ascending order of t, starting at c or 0; see [Fused] for how a
// product is added.
//
// Convolutions and dense layers, their gradients included, are all of this form: a is read with strides, so that the same
// memory serves as a matrix or its transpose, and rows of b are read in order.
func gemm(m, n, k int, c []float32, ldc int, a matrix, b []float32, ldb int, add bool) {
	if m <= 0 || n <= 0 {
		return
	}
	a.segments = max(a.segments, 1)
	if k <= 0 {
		if !add {
			for i := range m {
				clear(c[i*ldc:][:n])
			}
		}
		return
	}
	// The last elements that are touched: everything else is inside.
	_ = c[(m-1)*ldc+n-1]
	_ = a.data[(m-1)*a.row+(a.segments-1)*a.jump+(k-1)*a.step]
	_ = b[(a.segments*k-1)*ldb+n-1]
	level.gemm(m, n, k, c, ldc, a, b, ldb, add)
}

// gemmParts is gemm over all cores, without add and with rows of c contiguous: parts take ranges of the longer side,
// columns by whole tiles.
func gemmParts(m, n, k int, c []float32, a matrix, b []float32, ldb int) {
	p := product{m, n, k, c, a, b, ldb}
	if m >= n {
		each(m, n*k, p, func(p product, lo, hi int) {
			rows := p.a
			rows.data = rows.data[lo*rows.row:]
			gemm(hi-lo, p.n, p.k, p.c[lo*p.n:], p.n, rows, p.b, p.ldb, false)
		})
		return
	}
	each((n+panelCols-1)/panelCols, m*panelCols*k, p, func(p product, lo, hi int) {
		lo, hi = lo*panelCols, min(hi*panelCols, p.n)
		gemm(p.m, hi-lo, p.k, p.c[lo:], p.n, p.a, p.b[lo:], p.ldb, false)
	})
}

// panelCols are the columns of the widest tile.
const panelCols = 32

// product is the arguments of gemmParts.
type product struct {
	m, n, k int
	c       []float32
	a       matrix
	b       []float32
	ldb     int
}

// Costs of one element of work relative to a multiply-add of a tile, in round numbers: they only decide the number of
// parts.
const (
	costMove = 4  // loads, an operation or two, a store
	costExp  = 64 // an elementary function
	// minPart is the cost of the parts of work with sums or memory of their own for each part: some 30 microseconds. It decides
	// the order of additions, and so bits.
	minPart = 1 << 18
	// minPiece is the same for other work: handing a part over takes a fraction of a microsecond.
	minPiece = 1 << 16
)

// split returns the number of parts for items of the given cost each; it depends on its arguments only.
func split(items, cost int) int { return divide(items, cost, minPart) }

func divide(items, cost, least int) int {
	// In int64, so that machines of 32 bits count the same parts.
	parts := min(int64(items)*int64(cost)/int64(least), int64(items), parallel.MaxParts)
	return int(max(1, parts))
}
