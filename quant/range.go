package quant

import (
	"fmt"
	"math"
)

// Range is what an observer has learned of a tensor: the running minimum and
// maximum and the weight they carry. Weight 0 means never observed. The bounds
// are Min/Weight and Max/Weight: for a moving average the division removes the
// bias of the start at zero.
type Range struct{ Min, Max, Weight float32 }

// Known reports whether anything was observed.
func (r Range) Known() bool { return r.Weight > 0 }

// Bounds returns the observed minimum and maximum. It is meaningful only when
// the range is Known.
func (r Range) Bounds() (lo, hi float32) { return r.Min / r.Weight, r.Max / r.Weight }

// Extended is the min-max observer: the least interval that holds both r and
// [lo, hi]. The result has weight 1.
//
// Errors: NaN, infinite or inverted observations.
func (r Range) Extended(lo, hi float32) (Range, error) {
	if err := checkRange(lo, hi); err != nil {
		return r, err
	}
	if r.Known() {
		l, h := r.Bounds()
		lo, hi = min(lo, l), max(hi, h)
	}
	return Range{Min: lo, Max: hi, Weight: 1}, nil
}

// Averaged is the moving-average observer with bias correction:
//
//	Min    = decay*Min    + (1-decay)*lo
//	Max    = decay*Max    + (1-decay)*hi
//	Weight = decay*Weight + (1-decay)
//
// so that after the first observation the bounds are [lo, hi], and a range set
// by calibration (weight 1) goes on as a fully formed average. Float32, one
// rounding per operation.
//
// Errors: NaN, infinite or inverted observations.
func (r Range) Averaged(lo, hi, decay float32) (Range, error) {
	if err := checkRange(lo, hi); err != nil {
		return r, err
	}
	rest := 1 - decay
	return Range{
		Min:    float32(decay*r.Min) + float32(rest*lo),
		Max:    float32(decay*r.Max) + float32(rest*hi),
		Weight: float32(decay*r.Weight) + rest,
	}, nil
}

// Observe returns the least and the greatest of values; ok is false when there
// are none.
//
// Errors: a NaN or infinite value, by index.
func Observe(values []float32) (lo, hi float32, ok bool, err error) {
	if len(values) == 0 {
		return 0, 0, false, nil
	}
	lo, hi = values[0], values[0]
	for i, v := range values {
		if v != v || math.IsInf(float64(v), 0) {
			return 0, 0, false, fmt.Errorf("quant: value %d is %v", i, v)
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi, true, nil
}
