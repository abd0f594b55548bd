package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// MeanSpec describes an int8 MEAN operator on rows [Count, Inner].
type MeanSpec struct {
	Count, Inner  int
	Input, Output quant.Params // per tensor
	Profile       Profile
}

// Mean is a prepared int8 MEAN operator. It is read-only.
type Mean struct {
	count, inner int
	multiplier   quant.Multiplier
	factor, zero float32 // instead of multiplier, in XNNPACK
	in, out      int32   // zero points
	level        *dispatch
}

// maxCount is how many codes have a sum, away from any zero point, within int32.
const maxCount = 1 << 23

// NewMean prepares
//
//	y[i] = clamp(multiply(sum over n of (x[n,i] - z_x), s_x/(Count*s_y)) + z_y)
//
// with the [quant.MeanMultiplier]; in [XNNPACK] in float32, the sum times
// (s_x/s_y)*(1/Count), plus z_y less Count*z_x times the same, rounded once, half to
// even.
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/reduce.h, QuantizedMeanOrSum.
func NewMean(s MeanSpec) (*Mean, error) {
	err := checkBorders[int8, int8](s.Input, s.Output)
	if s.Count < 1 || s.Count > maxCount || s.Inner < 1 {
		err = errors.Join(err, fmt.Errorf("rows [%d, %d], want 1 to %d codes in each of 1 or more means", s.Count, s.Inner, maxCount))
	}
	if err != nil {
		return nil, fmt.Errorf("q8: mean: %w", err)
	}
	m := &Mean{
		level: level,
		count: s.Count, inner: s.Inner, in: s.Input.ZeroPoint[0], out: s.Output.ZeroPoint[0],
		multiplier: quant.MeanMultiplier(s.Input.Scale[0], s.Output.Scale[0], s.Count),
	}
	if s.Profile == XNNPACK {
		m.factor, m.zero = meanSingles(s)
	}
	return m, nil
}

// Run computes dst [rows, Inner] from src [rows, Count, Inner].
func (m *Mean) Run(dst, src []int8, rows int) {
	const codes = 1 << 18 // worth a goroutine
	parts := parallel.Parts(rows, codes/(m.count*m.inner)+1, parallel.MaxParts)
	parallel.Each(rows, parts, meanRows{m, dst, src}, meanRows.each)
}

// meanRows are rows of a batch.
type meanRows struct {
	*Mean
	dst, src []int8
}

func (m meanRows) each(lo, hi int) { m.run(m.dst, m.src, lo, hi) }

// run computes rows [lo, hi).
func (m *Mean) run(dst, src []int8, lo, hi int) {
	w := workers.Get().(*worker)
	w.sums = grown(w.sums, m.inner)
	grid, size := GridOf[int8](), m.count*m.inner
	for row := lo; row < hi; row++ {
		m.level.totals(w.sums, src[row*size:][:size])
		to := dst[row*m.inner:][:m.inner]
		for i, sum := range w.sums {
			if m.factor != 0 {
				to[i] = int8(halfEven(float32(float32(sum)*m.factor)+m.zero, 0, grid))
				continue
			}
			to[i] = int8(grid.Clamp(m.multiplier.Apply(sum-m.in*int32(m.count)) + m.out))
		}
	}
	workers.Put(w)
}

// totals adds up the rows of src, as long as sums.
func (d *dispatch) totals(sums []int32, src []int8) {
	const channels = 8
	if n := len(sums); d.lanes > 0 && n >= channels {
		for i := 0; i < n; i += channels {
			i := min(i, n-channels) // some once more
			d.total(&sums[i], pointer(src[i:]), len(src)/n, n)
		}
		return
	}
	clear(sums)
	for ; len(src) > 0; src = src[len(sums):] {
		for i, q := range src[:len(sums)] {
			sums[i] += int32(q)
		}
	}
}
