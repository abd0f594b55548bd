package quant

import (
	"math"
	"slices"
)

// histogram counts float32 values by sign, exponent and the upper 8 bits of the
// mantissa: 256 bins of equal width between each power of two and the next, so
// that a bin is at most 1/256 as wide as its values are large, whatever the
// outliers. What it counts does not depend on the order of the values. It takes
// 2 kB for each power of two that occurs, 1 MB at most.
type histogram struct {
	octaves [512]*[256]uint64 // by sign and exponent
	zeros   uint64            // and subnormal numbers
}

// add counts finite values.
func (h *histogram) add(values []float32) {
	for _, v := range values {
		b := math.Float32bits(v)
		if b<<1 < 1<<24 {
			h.zeros++
			continue
		}
		octave := h.octaves[b>>23]
		if octave == nil {
			octave = new([256]uint64)
			h.octaves[b>>23] = octave
		}
		octave[b>>15&0xff]++
	}
}

// bin is an interval and how many values it holds, evenly spread.
type bin struct{ lo, hi, count float64 }

// counted is a distribution as bins in ascending order, that of zero, which has
// no width, among them.
type counted struct {
	bins   []bin
	lo, hi float64 // the extremes
}

// counted returns the bins that hold values, the outermost ones cut at the
// extremes.
func (h *histogram) counted(lo, hi float32) counted {
	c := counted{lo: float64(lo), hi: float64(hi)}
	side := func(sign int) []bin {
		var bins []bin
		for exponent, octave := range h.octaves[256*sign:][:256] {
			if octave == nil {
				continue
			}
			for i, n := range octave {
				if n > 0 {
					at := float64(math.Float32frombits(uint32(exponent<<23 | i<<15)))
					width := math.Ldexp(1, exponent-127-8)
					bins = append(bins, bin{at, at + width, float64(n)})
				}
			}
		}
		return bins
	}
	negative := side(1)
	slices.Reverse(negative)
	for _, b := range negative {
		c.bins = append(c.bins, bin{-b.hi, -b.lo, b.count})
	}
	if h.zeros > 0 {
		c.bins = append(c.bins, bin{count: float64(h.zeros)})
	}
	c.bins = append(c.bins, side(0)...)
	for i, b := range c.bins {
		c.bins[i].lo, c.bins[i].hi = max(b.lo, min(c.lo, b.hi)), min(b.hi, max(c.hi, b.lo))
	}
	return c
}

// percentile returns the bounds below and above which the rest of percent lies.
func (c counted) percentile(percent float64) (lo, hi float32) {
	total := 0.0
	for _, b := range c.bins {
		total += b.count
	}
	at := func(share float64) float32 {
		rest := share * total
		for _, b := range c.bins {
			if rest <= b.count {
				return float32(b.lo + (b.hi-b.lo)*rest/b.count)
			}
			rest -= b.count
		}
		return float32(c.hi)
	}
	return at(1 - percent/100), at(percent / 100)
}
