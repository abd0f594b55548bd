package f32

import (
	"math"
	"sync"

	"github.com/goqat/goqat/internal/parallel"
)

// lanes is the number of partial sums of a reduction over a slice: one AVX-512 register.
const lanes = 16

// Sum returns the sum of x: lane l adds the elements with index l modulo 16 in ascending order, and the lanes are added
// pairwise (l and l+8, then l and l+4, l+2, l+1).
func Sum(x []float32) float32 {
	var s [lanes]float32
	sumLanes(&s, x)
	return tree(&s)
}

// sumLanes adds the elements of x to the lanes.
func sumLanes(s *[lanes]float32, x []float32) {
	for ; len(x) >= lanes; x = x[lanes:] {
		for l, v := range (*[lanes]float32)(x) {
			s[l] += v
		}
	}
	for l, v := range x {
		s[l] += v
	}
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
	quarter := func(l int) float32 { return (s[l] + s[l+8]) + (s[l+4] + s[l+12]) }
	return (quarter(0) + quarter(2)) + (quarter(1) + quarter(3))
}

// MinMax returns the smallest and largest element of x and whether x holds a NaN; NaNs are left out of lo and hi. If
// there is no element but NaNs, lo is +Inf and hi is -Inf. A zero is returned as +0, whatever its sign in x.
func MinMax(x []float32) (lo, hi float32, nan bool) {
	parts := divide(len(x), costMove, minPiece)
	if parts == 1 {
		lo, hi, nan = level.minMax(x)
		return lo + 0, hi + 0, nan
	}
	found := extents.Get().(*[parallel.MaxParts]extent)
	type args struct {
		x     []float32
		found []extent // by part
	}
	parallel.Each(parts, parts, args{x, found[:parts]}, func(a args, p, _ int) {
		from, to := parallel.Range(len(a.x), len(a.found), p)
		f := &a.found[p]
		f.lo, f.hi, f.nan = level.minMax(a.x[from:to])
	})
	all := merged(found[:parts])
	extents.Put(found)
	return all.lo + 0, all.hi + 0, all.nan
}

// extent is what MinMax finds in a part.
type extent struct {
	lo, hi float32
	nan    bool
}

// extents are recycled.
var extents = sync.Pool{New: func() any { return new([parallel.MaxParts]extent) }}

func (e *extent) add(lo, hi float32, nan bool) {
	e.lo, e.hi, e.nan = min(e.lo, lo), max(e.hi, hi), e.nan || nan
}

// merged returns the extent of all parts.
func merged(parts []extent) extent {
	all := parts[0]
	for _, e := range parts[1:] {
		all.add(e.lo, e.hi, e.nan)
	}
	return all
}

func minMaxPortable(x []float32) (lo, hi float32, nan bool) {
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
