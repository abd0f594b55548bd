package quant

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Observer collects what an [Estimator] needs to know of one tensor, or of
// several that share a range, while sample rows run through a network. Its memory
// is bounded, whatever the number of samples. Only MovingAverage depends on the
// order of the rows; nothing depends on how they are divided into batches.
type Observer struct {
	estimator Estimator
	extremes  Range
	average   Range
	batch     []Range // extremes of the rows since the last Step; MovingAverage only
	group     Range   // of the last rows before these, fewer than averaged
	grouped   int     // how many
	histogram histogram
	nonzero   int
	sum       float64 // of magnitudes
}

// NewObserver returns an observer that has seen nothing.
//
// Errors: those of [Estimator.Check].
func NewObserver(e Estimator) (*Observer, error) {
	return &Observer{estimator: e.completed()}, e.Check()
}

// Observe notes the values of a tensor for a number of rows.
//
// Errors: a NaN or infinite value, by row and index in it; values that do not
// fill the rows. The observer is then of no use.
func (o *Observer) Observe(values []float32, rows int) error {
	if rows < 1 || len(values) == 0 || len(values)%rows != 0 {
		return fmt.Errorf("quant: %d values do not fill %d rows", len(values), rows)
	}
	size := len(values) / rows
	summaries := make([]Summary, rows)
	for r := range summaries {
		summaries[r] = Summarize(values[r*size:][:size])
	}
	return o.ObserveRows(values, summaries)
}

// ObserveRows is [Observer.Observe] for rows that have been summarized, which may be
// done at the same time.
//
// Errors: those of [Observer.Observe].
func (o *Observer) ObserveRows(values []float32, summaries []Summary) error {
	if len(summaries) == 0 || len(values) == 0 || len(values)%len(summaries) != 0 {
		return fmt.Errorf("quant: %d values do not fill %d rows", len(values), len(summaries))
	}
	size := len(values) / len(summaries)
	for r, s := range summaries {
		lo, hi := s.lo, s.hi
		if s.sum-s.sum != 0 { // which no number of finite float32 values makes
			row := values[r*size:][:size]
			i := slices.IndexFunc(row, func(v float32) bool { return v-v != 0 })
			return fmt.Errorf("quant: row %d: value %d is %v", r, i, row[i])
		}
		o.nonzero, o.sum = o.nonzero+s.nonzero, o.sum+s.sum
		o.extremes, _ = o.extremes.Extended(lo, hi) // finite, as checked above
		if o.estimator.Method == MovingAverage {
			for len(o.batch) <= r {
				o.batch = append(o.batch, Range{})
			}
			o.batch[r], _ = o.batch[r].Extended(lo, hi)
		}
	}
	if o.estimator.counts() {
		o.histogram.add(values)
	}
	return nil
}

// Summary is what an [Observer] notes of a row: its extremes, the sum of the
// magnitudes, which is not finite if a value is not, and how many values are not zero.
type Summary struct {
	lo, hi  float32
	sum     float64
	nonzero int
}

// Summarize returns the summary of a row. Two sums do not wait for each other.
func Summarize(row []float32) Summary {
	const sign = 1 << 31
	lo, hi := float32(math.Inf(1)), float32(math.Inf(-1))
	var sum, odd float64
	var zeros uint32
	i := 1
	for ; i < len(row); i += 2 {
		v, w := row[i-1], row[i]
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
		if w < lo {
			lo = w
		}
		if w > hi {
			hi = w
		}
		a, b := math.Float32bits(v)&^sign, math.Float32bits(w)&^sign
		sum += float64(math.Float32frombits(a))
		odd += float64(math.Float32frombits(b))
		zeros += (a-1)>>31 + (b-1)>>31
	}
	sum += odd
	if i == len(row) {
		v := row[i-1]
		lo, hi, sum = min(lo, v), max(hi, v), sum+math.Abs(float64(v))
		zeros += (math.Float32bits(v)&^sign - 1) >> 31
	}
	return Summary{lo, hi, sum, len(row) - int(zeros)}
}

// averaged is the number of rows whose extremes a moving average takes as one:
// those of single rows are far inside of what all rows need.
const averaged = 32

// Step ends a batch: all tensors that share the range have been observed for the
// same rows.
func (o *Observer) Step() {
	for _, r := range o.batch {
		o.group, _ = o.group.Extended(r.Min, r.Max)
		if o.grouped++; o.grouped == averaged {
			o.flush()
		}
	}
	o.batch = o.batch[:0]
}

// flush averages the last rows.
func (o *Observer) flush() {
	if o.grouped > 0 {
		o.average, _ = o.average.Averaged(o.group.Min, o.group.Max, o.estimator.Decay)
		o.group, o.grouped = Range{}, 0
	}
}

// Extremes returns the least and the greatest value.
func (o *Observer) Extremes() Range { return o.extremes }

// Magnitude returns the mean absolute value of what is not zero, which every grid
// holds exactly; 0 if nothing is.
func (o *Observer) Magnitude() float64 { return o.sum / float64(max(o.nonzero, 1)) }

// Range returns the range that the estimator chooses for codes of g, symmetric
// about zero or not. Its weight is 1.
//
// Errors: nothing observed.
func (o *Observer) Range(g Grid, symmetric bool) (Range, error) {
	if !o.extremes.Known() {
		return Range{}, errors.New("quant: range was never observed")
	}
	lo, hi := o.extremes.Bounds()
	switch o.estimator.Method {
	case MovingAverage:
		o.Step()
		o.flush()
		lo, hi = o.average.Bounds()
	case Percentile:
		lo, hi = o.histogram.counted(lo, hi).percentile(o.estimator.Percent)
	case MSE:
		lo, hi = o.histogram.counted(lo, hi).leastSquares(g, symmetric)
	case Entropy:
		lo, hi = o.histogram.counted(lo, hi).leastDivergence(g, symmetric)
	}
	return Range{Min: lo, Max: hi, Weight: 1}, nil
}
