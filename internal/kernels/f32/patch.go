package f32

import "math"

// split returns the parameters of the columns that lie one behind the other.
func (p *patch) split(params []float32, n int) (s [5][]float32) {
	for i := range n {
		s[i] = params[i*p.channels:][:p.channels]
	}
	return s
}

// each calls f for each line: where it begins in what is written and in what is read, and its length.
func (p *patch) each(f func(to, from, n int)) {
	n := p.pixels * p.channels
	for l := range p.lines {
		f(l*(n+p.gap), l*n, n)
	}
}

func rectifyPortable(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) {
	s := p.split(params, 4)
	p.each(func(to, from, n int) {
		var bits []uint8
		if len(mask) > 0 {
			bits = mask[from/8:][:n/8]
		}
		clampNormalizedPortable(dst[to:to+n], x[from:from+n], s[0], s[1], s[2], s[3], bits, k)
	})
}

func roundRectifiedPortable(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) (least, most float32, nan bool) {
	s, e := p.split(params, 4), extent{lo: float32(math.Inf(1)), hi: float32(math.Inf(-1))}
	p.each(func(to, from, n int) {
		e.add(roundNormalizedPortable(dst[to:to+n], x[from:from+n], s[0], s[1], s[2], s[3], mask[from/8:][:n/8], k))
	})
	return e.lo, e.hi, e.nan
}

func restoreRectifiedPortable(dst, x, params []float32, k *tailConstants, p patch) (nan bool) {
	s := p.split(params, 4)
	p.each(func(to, from, n int) {
		restoreNormalizedPortable(dst[to:to+n], x[from:from+n], s[0], s[1], s[2], s[3], k)
	})
	return false // as it is valid all the same
}

func normalizeMaskedGradPortable(dx, dy []float32, mask []uint8, x, params []float32, step int, p patch) {
	s, c := p.split(params, 5), p.channels
	p.each(func(to, from, n int) {
		for i := 0; i < n; i += c {
			d, at := dx[to+i:][:c], from+i
			maskGradPortable(d, dy[at/c*step:][:c], mask[at/8:][:c/8])
			normalizeGradPortable(d, d, x[at:at+c], s[0], s[1], s[2], s[3], s[4])
		}
	})
}

func sumMaskedNormalizedPortable(rows int, sum, products, dy []float32, mask []uint8, x, mean, invStd []float32, step int) {
	cols := len(sum)
	var d [64]float32
	for r := range rows {
		for c := 0; c < cols; c += len(d) {
			n, at := min(len(d), cols-c), r*cols+c
			maskGradPortable(d[:n], dy[r*step+c:][:n], mask[at/8:])
			sumNormalizedPortable(1, sum[c:c+n], products[c:c+n], d[:n], x[at:], mean[c:], invStd[c:])
		}
	}
}
