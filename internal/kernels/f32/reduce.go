package f32

import "math"

// lanes is the number of partial sums of a reduction over a slice: one AVX-512 register.
const lanes = 16

// Sum returns the sum of x: lane l adds the elements with index l modulo 16 in ascending order, and the lanes are added
// pairwise (l and l+8, then l and l+4, l+2, l+1).
func Sum(x []float32) float32 {
	var s [lanes]float32
	for i, v := range x {
		s[i%lanes] += v
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

// SumRows computes dst[c] = sum over r of x[r,c] for x [rows, cols].
func SumRows(ws *Workspace, rows, cols int, dst, x []float32) {
	dst = dst[:cols]
	clear(dst)
	for r := range rows {
		for c := range dst {
			dst[c] += x[r*cols+c]
		}
	}
}

// MinMax returns the smallest and largest element of x and whether x holds a NaN; NaNs are left out of lo and hi. If
// there is no element but NaNs, lo is +Inf and hi is -Inf.
func MinMax(x []float32) (lo, hi float32, nan bool) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range x {
		if v != v {
			nan = true
			continue
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi, nan
}
