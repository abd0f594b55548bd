package quant

import "math"

// leastSquares returns the range whose codes of g have the least squared error,
// rounding and clipping together. Starting at the extremes it moves one end after
// the other toward zero, in steps of an eighth of an octave and then of a 64th.
func (c counted) leastSquares(g Grid, symmetric bool) (lo, hi float32) {
	return c.search(symmetric, func(lo, hi float64) float64 {
		var scale float32
		var zero int32
		var err error
		if symmetric {
			scale, err = Symmetric(float32(lo), float32(hi), g)
		} else {
			scale, zero, err = Asymmetric(float32(lo), float32(hi), g)
		}
		if err != nil {
			return math.Inf(1) // wider than float32
		}
		return c.squaredError(float64(scale), float64(g.Min-zero), float64(g.Max-zero))
	})
}

// search returns the range of the least cost.
func (c counted) search(symmetric bool, cost func(lo, hi float64) float64) (float32, float32) {
	lo, hi := min(c.lo, 0), max(c.hi, 0)
	if symmetric {
		hi = max(-lo, hi)
		hi = shrink(hi, func(hi float64) float64 { return cost(-hi, hi) })
		return float32(-hi), float32(hi)
	}
	for range 2 {
		hi = shrink(hi, func(hi float64) float64 { return cost(lo, hi) })
		lo = shrink(lo, func(lo float64) float64 { return cost(lo, hi) })
	}
	return float32(lo), float32(hi)
}

// shrink returns the end between bound and bound/1024 whose cost is the least.
func shrink(bound float64, cost func(float64) float64) float64 {
	if bound == 0 {
		return 0
	}
	best, least := 0.0, cost(bound)
	try := func(octaves float64) (c float64) {
		if c = cost(bound * math.Exp2(-octaves)); c < least {
			best, least = octaves, c
		}
		return c
	}
	for i := 1; i <= 80; i++ {
		if try(float64(i)/8) > 100*least {
			break // clipping, which only grows, outweighs everything
		}
	}
	for i, around := -7, best; i <= 7; i++ {
		try(max(around+float64(i)/64, 0))
	}
	return bound * math.Exp2(-best)
}

// squaredError returns the sum of the squared errors of codes from least to
// most, relative to the zero point. With u = x/scale and n the integer nearest to
// u, the error inside the grid is scale*(u-n), whose square has the primitive
//
//	scale^3 * (n/12 + (u-n)^3/3)
//
// and beyond an end of the grid, at e, it is x-e.
func (c counted) squaredError(scale, least, most float64) float64 {
	primitive := func(x float64) float64 {
		u := x / scale
		n := min(max(math.Round(u), least), most)
		r := u - n
		return n/12 + r*r*r/3
	}
	sum := 0.0
	for _, b := range c.bins {
		if b.hi > b.lo {
			sum += b.count * (primitive(b.hi) - primitive(b.lo)) / (b.hi - b.lo)
		} else {
			r := b.lo/scale - min(max(math.Round(b.lo/scale), least), most)
			sum += b.count * r * r / scale
		}
	}
	return sum * scale * scale * scale
}

// linearBins is the number of equal bins between the ends of a range whose
// divergence is measured.
const linearBins = 2048

// leastDivergence returns the range whose codes of g have the distribution that
// diverges least from that of the values. Ends are bin edges of equal bins, at
// least as many as there are codes; a search that ends there goes on with bins of
// what it found. Zeros, exact on every grid, do not count. Grids of more than
// half as many codes as bins get the extremes.
//
// Source: the entropy calibration of TensorRT (S. Migacz, 8-bit inference with
// TensorRT, GPU Technology Conference 2017), with both ends free.
func (c counted) leastDivergence(g Grid, symmetric bool) (lo, hi float32) {
	a, b := min(c.lo, 0), max(c.hi, 0)
	if symmetric {
		b = max(-a, b)
		a = -b
	}
	levels := int(g.Max-g.Min) + 1
	if levels > linearBins/2 || a == b {
		return float32(a), float32(b)
	}
	for range 10 {
		i, j := c.linear(a, b).narrowest(a, b, levels, symmetric)
		width := (b - a) / linearBins
		a, b = a+width*float64(i), b-width*float64(linearBins-j)
		if j-i > 2*levels {
			break
		}
	}
	return float32(a), float32(b)
}

// linear is a distribution over equal bins; values outside are not counted.
type linear struct {
	counts       []float64
	below, above float64
}

// linear spreads the bins over equal ones between a and b.
func (c counted) linear(a, b float64) linear {
	l := linear{counts: make([]float64, linearBins)}
	width := (b - a) / linearBins
	for _, n := range c.bins {
		if n.lo == 0 && n.hi == 0 {
			continue
		}
		span := n.hi - n.lo
		if span <= 0 { // a single value
			span = width * 1e-9
		}
		l.below += n.count * min(max(a-n.lo, 0), span) / span
		l.above += n.count * min(max(n.lo+span-b, 0), span) / span
		first := max(int((n.lo-a)/width), 0)
		for i := first; i < linearBins; i++ {
			lo, hi := a+width*float64(i), a+width*float64(i+1)
			if lo >= n.lo+span {
				break
			}
			l.counts[i] += n.count * max(min(hi, n.lo+span)-max(lo, n.lo), 0) / span
		}
	}
	return l
}

// narrowest returns the bins [i, j) of the range with the least divergence, as
// many as there are levels at least, zero, which lies between a and b, inside.
func (l linear) narrowest(a, b float64, levels int, symmetric bool) (i, j int) {
	const step = 16
	zero := int(math.Round(-a / (b - a) * linearBins))
	i, j = 0, linearBins
	least := l.divergence(i, j, levels)
	try := func(p, q int) {
		if q-p < levels || p > zero || q < zero {
			return
		}
		if d := l.divergence(p, q, levels); d < least {
			i, j, least = p, q, d
		}
	}
	if symmetric {
		for cut := step; cut < linearBins/2; cut += step {
			try(cut, linearBins-cut)
		}
		return i, j
	}
	for range 2 {
		for q := linearBins - step; q > 0; q -= step {
			try(i, q)
		}
		for p := step; p < linearBins; p += step {
			try(p, j)
		}
	}
	return i, j
}

// divergence returns sum p*log(p/q) over the bins [i, j): p has what lies outside
// in its outermost bins; q spreads the count of each level evenly over those of
// its bins that are not empty.
func (l linear) divergence(i, j, levels int) float64 {
	below, above := l.below, l.above
	for _, n := range l.counts[:i] {
		below += n
	}
	for _, n := range l.counts[j:] {
		above += n
	}
	inside := l.counts[i:j]
	kept := 0.0
	for _, n := range inside {
		kept += n
	}
	total := kept + below + above
	if kept == 0 {
		return math.Inf(1)
	}
	const floor = 1e-9 // of q, where only p has a share
	sum := 0.0
	for level := range levels {
		from, to := level*len(inside)/levels, (level+1)*len(inside)/levels
		count, filled := 0.0, 0
		for _, n := range inside[from:to] {
			count += n
			if n > 0 {
				filled++
			}
		}
		for k, n := range inside[from:to] {
			p, q := n, floor
			if n > 0 {
				q = max(count/float64(filled)/kept, floor)
			}
			if from+k == 0 {
				p += below
			}
			if from+k == len(inside)-1 {
				p += above
			}
			if p > 0 {
				sum += p / total * math.Log(p/total/q)
			}
		}
	}
	return sum
}
