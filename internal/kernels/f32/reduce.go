package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
)

// lanes is the number of partial sums of a reduction over a slice: one AVX-512 register.
const lanes = 16

// Sum returns the sum of x: lane l adds the elements with index l modulo 16 in ascending order, and the lanes are added
// pairwise (l and l+8, then l and l+4, l+2, l+1).
func Sum(x []float32) float32 {
	var s [lanes]float32
	for ; len(x) >= lanes; x = x[lanes:] {
		for l, v := range (*[lanes]float32)(x) {
			s[l] += v
		}
	}
	for l, v := range x {
		s[l] += v
	}
	return tree(&s)
}

// Dot returns the sum of x[i]*y[i] over len(x) elements, in the order of [Sum].
func Dot(x, y []float32) float32 {
	var s [lanes]float32
	y = y[:len(x)]
	for i, v := range x {
		s[i%lanes] += float32(v * y[i])
	}
	return tree(&s)
}

// tree adds the lanes pairwise.
func tree(s *[lanes]float32) float32 {
	for h := lanes / 2; h > 0; h /= 2 {
		for l := range h {
			s[l] += s[l+h]
		}
	}
	return s[0]
}

// SumRows computes dst[c] = sum over r of x[r,c] for x [rows, cols]: one chain per chunk of rows, [RowChunks] of them.
func SumRows(ws *Workspace, rows, cols int, dst, x []float32) {
	sumChunks(ws, rows, cols, dst, func(sum []float32, lo, hi int) {
		r := lo
		for ; r+4 <= hi; r += 4 {
			x0, x1 := x[r*cols:][:len(sum)], x[(r+1)*cols:][:len(sum)]
			x2, x3 := x[(r+2)*cols:][:len(sum)], x[(r+3)*cols:][:len(sum)]
			for c, s := range sum {
				sum[c] = s + x0[c] + x1[c] + x2[c] + x3[c]
			}
		}
		for ; r < hi; r++ {
			for c, v := range x[r*cols:][:len(sum)] {
				sum[c] += v
			}
		}
	})
}

// RowChunks is the number of chunks of rows (divided as by parallel.Range) that reductions over the rows of
// [rows, cols] sum separately and then add in order.
func RowChunks(rows, cols int) int { return split(rows, cols*costMove) }

// sumChunks lets add sum up one chunk of rows after another in zeroed slices of len(cols), on all cores, and adds those
// in order to dst.
func sumChunks(ws *Workspace, rows, cols int, dst []float32, add func(sum []float32, lo, hi int)) {
	chunks := RowChunks(rows, cols)
	sums := ws.floats(chunks * cols)
	clear(sums)
	parallel.For(chunks, func(p int) {
		lo, hi := parallel.Range(rows, chunks, p)
		add(sums[p*cols:][:cols], lo, hi)
	})
	copy(dst[:cols], sums)
	for p := 1; p < chunks; p++ {
		for c, v := range sums[p*cols:][:cols] {
			dst[c] += v
		}
	}
}

// MinMax returns the smallest and largest element of x and whether x holds a NaN; NaNs are left out of lo and hi. If
// there is no element but NaNs, lo is +Inf and hi is -Inf. A zero is returned as +0, whatever its sign in x.
func MinMax(x []float32) (lo, hi float32, nan bool) {
	var found [parallel.MaxParts]struct {
		lo, hi float32
		nan    bool
	}
	parts := split(len(x), costMove)
	parallel.For(parts, func(p int) {
		from, to := parallel.Range(len(x), parts, p)
		f := &found[p]
		f.lo, f.hi, f.nan = minMax(x[from:to])
	})
	lo, hi, nan = found[0].lo, found[0].hi, found[0].nan
	for _, f := range found[1:parts] {
		lo, hi, nan = min(lo, f.lo), max(hi, f.hi), nan || f.nan
	}
	return lo + 0, hi + 0, nan
}

func minMax(x []float32) (lo, hi float32, nan bool) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range x {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
		if v != v {
			nan = true
		}
	}
	return lo, hi, nan
}
