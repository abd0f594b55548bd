package layers

import (
	"context"
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
)

// Normalization gives each channel (the last axis) mean 0 and variance 1, for
// data of the given Mean and Variance:
//
//	y = (x - Mean) / max(sqrt(Variance), Epsilon)
//
// computed as x*factor + shift, with factor and shift rounded to float32 once;
// where a mean is many deviations from zero, that costs digits which the
// subtraction would keep. [Normalization.Adapt] finds Mean and Variance.
//
// Shapes: any [N, ..., C]; y as x; Mean and Variance [C], or [1] for all
// channels alike.
//
// Quantized: as [Rescaling]. The codes of the model's input have one scale for
// all channels: where channels differ by orders of magnitude, the small ones
// lose their digits before this layer sees them. Bring them to one unit first.
//
// Errors: Mean and Variance that are missing, of another length, not finite or
// negative.
//
// Source: Keras 3, Normalization.
type Normalization struct {
	Mean, Variance []float32
	// Epsilon is the least standard deviation; zero: 1e-7, as in Keras. A channel
	// of variance 0 is multiplied by 1/Epsilon, which no quantized model can
	// hold: raise it there.
	Epsilon float32
	Name    string
}

// Identity implements [Layer].
func (l Normalization) Identity() (class, name string) { return "Normalization", l.Name }

// Lower implements [Layer].
func (l Normalization) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	channels := x.Shape[len(x.Shape)-1]
	for _, v := range []struct {
		name   string
		values []float32
	}{{"mean", l.Mean}, {"variance", l.Variance}} {
		if n := len(v.values); n != 1 && n != channels {
			return nil, fmt.Errorf("%s has %d values, want 1 or one for each of %d channels: Adapt finds them", v.name, n, channels)
		}
	}
	least := float64(l.Epsilon)
	if least == 0 {
		least = 1e-7
	}
	if !(least > 0) || math.IsInf(least, 0) {
		return nil, fmt.Errorf("epsilon is %v, want a positive number", l.Epsilon)
	}
	factor, shift := make([]float32, channels), make([]float32, channels)
	for c := range factor {
		mean, variance := float64(l.Mean[c%len(l.Mean)]), float64(l.Variance[c%len(l.Variance)])
		deviation := max(math.Sqrt(variance), least)
		factor[c], shift[c] = float32(1/deviation), float32(-mean/deviation)
		if !(variance >= 0) || math.IsInf(variance, 0) || shift[c]-shift[c] != 0 {
			return nil, fmt.Errorf("channel %d has mean %v and variance %v, want finite numbers, the variance not negative", c, mean, variance)
		}
	}
	return b.affine(x, factor, shift)
}

// Rows is what [Normalization.Adapt] reads of a data set; data.Dataset has it.
type Rows interface {
	Len() int
	InputShape() []int
	TargetShape() []int
	Read(index []int, x, y []float32) error
}

// Adapt returns the layer with the mean and the biased variance of each channel
// over all rows and positions, in one pass in float64.
//
// Errors: no rows; a value that is NaN or infinite, by row; those of rows; ctx's
// error.
func (l Normalization) Adapt(ctx context.Context, rows Rows) (Normalization, error) {
	shape := rows.InputShape()
	if rows.Len() == 0 || len(shape) == 0 {
		return l, fmt.Errorf("layers: normalization: no rows to adapt to")
	}
	channels, width := shape[len(shape)-1], graph.Elements(shape)
	mean, squares := make([]float64, channels), make([]float64, channels)
	x, y := make([]float32, width), make([]float32, graph.Elements(rows.TargetShape()))
	count := 0.0 // of values of a channel
	for r := range rows.Len() {
		if err := ctx.Err(); err != nil {
			return l, err
		}
		if err := rows.Read([]int{r}, x, y); err != nil {
			return l, fmt.Errorf("layers: normalization: %w", err)
		}
		// Welford's recurrence: the squares are those of deviations from the mean.
		for at := 0; at < width; at += channels {
			count++
			for c, v := range x[at : at+channels] {
				if v-v != 0 {
					return l, fmt.Errorf("layers: normalization: row %d has %v at %d", r, v, at+c)
				}
				d := float64(v) - mean[c]
				mean[c] += d / count
				squares[c] += float64(d * (float64(v) - mean[c]))
			}
		}
	}
	l.Mean, l.Variance = make([]float32, channels), make([]float32, channels)
	for c := range mean {
		l.Mean[c], l.Variance[c] = float32(mean[c]), float32(squares[c]/count)
	}
	return l, nil
}
