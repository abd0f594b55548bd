package quant

import (
	"errors"
	"fmt"
)

// Method is a rule that chooses the range of a tensor from its values.
type Method uint8

const (
	// MinMax takes the least and the greatest value.
	MinMax Method = iota
	// MovingAverage averages the extremes of every 32 rows, as [Range.Averaged] does
	// with those of batches in training; late rows count more.
	MovingAverage
	// Percentile leaves out a share of the values at either end.
	Percentile
	// MSE minimizes the mean squared error of rounding and clipping.
	MSE
	// Entropy minimizes the Kullback-Leibler divergence of the distribution of
	// the codes from that of the values.
	Entropy
)

var methodNames = [...]string{MinMax: "min-max", MovingAverage: "moving-average", Percentile: "percentile", MSE: "mse", Entropy: "entropy"}

func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// MarshalText writes the method by name.
func (m Method) MarshalText() ([]byte, error) {
	if int(m) >= len(methodNames) {
		return nil, fmt.Errorf("quant: unknown range method %d", uint8(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads a method by name.
func (m *Method) UnmarshalText(b []byte) error {
	for i, name := range methodNames {
		if name == string(b) {
			*m = Method(i)
			return nil
		}
	}
	return fmt.Errorf("quant: unknown range method %q, want one of %v", b, methodNames)
}

// Estimator is plain data that says how ranges are found. The zero value is
// [MinMax].
type Estimator struct {
	Method Method `json:"method"`
	// Decay of MovingAverage; 0 means 0.99.
	Decay float32 `json:"decay,omitempty"`
	// Percent of Percentile: so many of a hundred values lie below the upper
	// bound, and as many above the lower one. 0 means 99.99.
	Percent float64 `json:"percent,omitempty"`
}

func (e Estimator) String() string {
	switch e = e.completed(); e.Method {
	case MovingAverage:
		return fmt.Sprintf("%v %v", e.Method, e.Decay)
	case Percentile:
		return fmt.Sprintf("%v %v", e.Method, e.Percent)
	}
	return e.Method.String()
}

// Check reports every fault of the estimator at once.
func (e Estimator) Check() error {
	e = e.completed()
	var faults []error
	if _, err := e.Method.MarshalText(); err != nil {
		faults = append(faults, err)
	}
	if !(e.Decay > 0 && e.Decay < 1) {
		faults = append(faults, fmt.Errorf("quant: decay %v of a moving average is outside (0, 1)", e.Decay))
	}
	if !(e.Percent > 50 && e.Percent <= 100) {
		faults = append(faults, fmt.Errorf("quant: percentile %v is outside (50, 100]", e.Percent))
	}
	return errors.Join(faults...)
}

// completed returns e with defaults filled in.
func (e Estimator) completed() Estimator {
	if e.Decay == 0 {
		e.Decay = 0.99
	}
	if e.Percent == 0 {
		e.Percent = 99.99
	}
	return e
}

// counts reports whether the method needs a histogram.
func (e Estimator) counts() bool { return e.Method >= Percentile }
