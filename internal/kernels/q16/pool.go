package q16

import (
	"fmt"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Pool is a prepared MAX_POOL_2D or AVERAGE_POOL_2D operator. It is read-only.
type Pool struct {
	window  q8.Window
	average bool
	clamp   quant.Grid
	fast    *q8.Pool[int16] // nil: run the formula
}

// NewMaxPool2D prepares y[p,c] = clamp(max over taps t in the image of x[p+t,c]).
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewMaxPool2D(s q8.PoolSpec) (*Pool, error) { return newPool(s, false) }

// NewAveragePool2D prepares y[p,c] = clamp(S/n rounded half away from zero),
// where S is the sum of the codes under the n taps inside the image.
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewAveragePool2D(s q8.PoolSpec) (*Pool, error) { return newPool(s, true) }

func newPool(s q8.PoolSpec, average bool) (*Pool, error) {
	if err := checkTensor("input", s.Quantized); err != nil {
		return nil, fmt.Errorf("q16: pool: %w", err)
	}
	if err := s.Window.Check(); err != nil {
		return nil, fmt.Errorf("q16: pool: %w", err)
	}
	p := &Pool{window: s.Window, average: average, clamp: s.Activation.Range(s.Quantized, Grid)}
	if s.Kernel == q8.Reference {
		return p, nil
	}
	maker := q8.NewWordsMaxPool2D
	if average {
		maker = q8.NewWordsAveragePool2D
	}
	var err error
	p.fast, err = maker(s, Grid)
	return p, err
}

// Run computes dst [batch, output height, output width, channels] from
// src [batch, input height, input width, channels].
func (o *Pool) Run(dst, src []int16, batch int) {
	if o.fast != nil {
		o.fast.Run(dst, src, batch)
		return
	}
	w, channels := &o.window, o.window.Channels
	each(batch*w.Positions(), w.Taps()*channels, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			image := src[p/w.Positions()*w.Pixels()*channels:]
			for c := range channels {
				sum, largest, n := int32(0), Grid.Min, int32(0)
				w.EachTap(p%w.Positions(), func(_, pixel int) {
					q := int32(image[pixel*channels+c])
					sum, largest, n = sum+q, max(largest, q), n+1
				})
				code := largest
				if o.average {
					if code = (sum - n/2) / n; sum > 0 {
						code = (sum + n/2) / n
					}
				}
				dst[p*channels+c] = int16(o.clamp.Clamp(code))
			}
		}
	})
}

// Mean is a prepared MEAN operator. It is read-only.
type Mean struct {
	count, inner int
	multiplier   quant.Multiplier
}

// maxCount is how many codes have a sum within int32.
const maxCount = 1 << 15

// NewMean prepares
//
//	y[i] = clamp(multiply(sum over n of x[n,i], s_x/(Count*s_y)))
//
// with the [quant.MeanMultiplier].
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/reduce.h, QuantizedMeanOrSum.
func NewMean(s q8.MeanSpec) (*Mean, error) {
	if err := checkBorders(s.Input, s.Output); err != nil {
		return nil, fmt.Errorf("q16: mean: %w", err)
	}
	if s.Count < 1 || s.Count > maxCount || s.Inner < 1 {
		return nil, fmt.Errorf("q16: mean: rows [%d, %d], want 1 to %d codes in each of 1 or more means", s.Count, s.Inner, maxCount)
	}
	return &Mean{s.Count, s.Inner, quant.MeanMultiplier(s.Input.Scale[0], s.Output.Scale[0], s.Count)}, nil
}

// Run computes dst [rows, Inner] from src [rows, Count, Inner].
func (m *Mean) Run(dst, src []int16, rows int) {
	parallel.Each(rows, parallel.Parts(rows, worthwhile/(m.count*m.inner)+1, parallel.MaxParts), meanRows{m, dst, src}, meanRows.run)
}

// meanRows are rows of a batch.
type meanRows struct {
	*Mean
	dst, src []int16
}

func (m meanRows) run(lo, hi int) {
	for r := lo; r < hi; r++ {
		m.row(m.dst[r*m.inner:][:m.inner], m.src[r*m.count*m.inner:][:m.count*m.inner])
	}
}

// row computes a row, some means at a time where there are routines.
func (m *Mean) row(dst, src []int16) {
	const most = 64 // sums
	for i := q8.WordsMeans(dst, src, m.count, m.multiplier, Grid); i < len(dst); i += most {
		var scratch [most]int32
		sums := scratch[:min(most, len(dst)-i)]
		for n := range m.count {
			from := src[n*m.inner+i:][:len(sums)]
			for c := range sums {
				sums[c] += int32(from[c])
			}
		}
		for c, sum := range sums {
			dst[i+c] = int16(Grid.Clamp(m.multiplier.Apply(sum)))
		}
	}
}
