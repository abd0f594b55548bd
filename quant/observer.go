package quant

import (
	"errors"
	"fmt"
	"sync"
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
	counting  sync.Mutex
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
		row := values[r*size:][:size]
		summaries[r] = Summarize(row)
		if err := summaries[r].Check(row); err != nil {
			return fmt.Errorf("quant: row %d: %w", r, err)
		}
	}
	o.Count(values)
	o.ObserveRows(summaries)
	return nil
}

// ObserveRows and [Observer.Count] are [Observer.Observe] in two parts: ObserveRows
// takes finite rows that have been summarized, which may be done at the same time.
func (o *Observer) ObserveRows(summaries []Summary) {
	for r, s := range summaries {
		o.nonzero, o.sum = o.nonzero+s.Nonzero, o.sum+float64(s.Sum)
		o.extremes, _ = o.extremes.Extended(s.Lo, s.Hi) // finite, as checked
		if o.estimator.Method == MovingAverage {
			for len(o.batch) <= r {
				o.batch = append(o.batch, Range{})
			}
			o.batch[r], _ = o.batch[r].Extended(s.Lo, s.Hi)
		}
	}
}

// Count notes what estimators need of finite values that summaries do not tell. Several
// goroutines may call it at the same time.
func (o *Observer) Count(values []float32) {
	if o.estimator.counts() {
		o.counting.Lock()
		o.histogram.add(values)
		o.counting.Unlock()
	}
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
