package quant

import (
	"errors"
	"fmt"
	"math"
)

// FloorScale is the scale of a tensor or channel whose range has zero width
// (a dead channel, a dead ReLU): only zero was ever seen, and zero is exact at
// any scale. A power of two that keeps requantization multipliers below one.
const FloorScale = float32(1.0 / 256)

// smallestNormal is the least positive normal float32. A scale below it would
// lose precision or vanish, so such a range counts as having no width.
const smallestNormal = 0x1p-126

// Params are the affine parameters of one tensor: x = Scale*(q - ZeroPoint).
// The two slices have one entry for the whole tensor, or one entry per index
// along Axis.
type Params struct {
	Scale     []float32 `json:"scale"`
	ZeroPoint []int32   `json:"zero_point"`
	Axis      int       `json:"axis,omitempty"`
}

// PerTensor returns the parameters of a tensor with a single scale.
func PerTensor(scale float32, zeroPoint int32) Params {
	return Params{Scale: []float32{scale}, ZeroPoint: []int32{zeroPoint}}
}

// PerChannel reports whether the parameters differ along Axis.
func (p Params) PerChannel() bool { return len(p.Scale) > 1 }

// Equal reports whether both describe the same codes.
func (p Params) Equal(o Params) bool {
	if len(p.Scale) != len(o.Scale) || len(p.ZeroPoint) != len(o.ZeroPoint) {
		return false
	}
	for i := range p.Scale {
		if p.Scale[i] != o.Scale[i] || p.ZeroPoint[i] != o.ZeroPoint[i] {
			return false
		}
	}
	return !p.PerChannel() || p.Axis == o.Axis
}

// Check reports parameters that cannot belong to a tensor of the given shape:
// lengths that do not match, scales that are not positive and finite.
func (p Params) Check(shape []int) error {
	if len(p.Scale) == 0 || len(p.Scale) != len(p.ZeroPoint) {
		return fmt.Errorf("quant: %d scales and %d zero points", len(p.Scale), len(p.ZeroPoint))
	}
	for i, s := range p.Scale {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("quant: scale %d is %v, want a positive finite number", i, s)
		}
	}
	if !p.PerChannel() {
		return nil
	}
	if p.Axis < 0 || p.Axis >= len(shape) || shape[p.Axis] != len(p.Scale) {
		return fmt.Errorf("quant: %d scales along axis %d do not fit shape %v", len(p.Scale), p.Axis, shape)
	}
	return nil
}

var errRange = errors.New("quant: invalid range")

// checkRange refuses NaN, infinite and inverted ranges.
func checkRange(lo, hi float32) error {
	switch {
	case lo != lo || hi != hi:
		return fmt.Errorf("%w: [%v, %v] holds NaN", errRange, lo, hi)
	case math.IsInf(float64(lo), 0) || math.IsInf(float64(hi), 0):
		return fmt.Errorf("%w: [%v, %v] is not finite", errRange, lo, hi)
	case lo > hi:
		return fmt.Errorf("%w: [%v, %v] is inverted", errRange, lo, hi)
	}
	return nil
}

// Asymmetric returns the scale and zero point that spread the codes of g over
// the range [lo, hi], first widened to include zero so that zero is exact.
//
//	scale = (hi - lo) / (g.Max - g.Min)
//
// The zero point is the rounded code of zero, computed from the end of the
// range whose floating-point error is smaller, and clamped to g. A range of
// zero width gets [FloorScale].
//
// Errors: NaN, infinite or inverted ranges.
//
// Source: the affine rule of the TensorFlow Lite 8-bit quantization
// specification; the choice of end as in TensorFlow's converter.
func Asymmetric(lo, hi float32, g Grid) (scale float32, zeroPoint int32, err error) {
	if err := checkRange(lo, hi); err != nil {
		return 0, 0, err
	}
	l, h := math.Min(float64(lo), 0), math.Max(float64(hi), 0)
	step := (h - l) / float64(g.Max-g.Min)
	if step < smallestNormal {
		return FloorScale, g.Clamp(0), nil
	}
	if step > math.MaxFloat32 {
		return 0, 0, fmt.Errorf("%w: [%v, %v] is too wide", errRange, lo, hi)
	}
	fromLow, fromHigh := float64(g.Min)-l/step, float64(g.Max)-h/step
	errLow := math.Abs(float64(g.Min)) + math.Abs(l/step)
	errHigh := math.Abs(float64(g.Max)) + math.Abs(h/step)
	zero := fromHigh
	if errLow < errHigh {
		zero = fromLow
	}
	return float32(step), g.Clamp(int32(math.Round(zero))), nil
}

// Symmetric returns the scale that maps the larger magnitude of [lo, hi] to
// g.Max, with zero point 0:
//
//	scale = max(|lo|, |hi|) / g.Max
//
// A range of zero width gets [FloorScale]. Errors: as [Asymmetric].
func Symmetric(lo, hi float32, g Grid) (scale float32, err error) {
	if err := checkRange(lo, hi); err != nil {
		return 0, err
	}
	step := math.Max(math.Abs(float64(lo)), math.Abs(float64(hi))) / float64(g.Max)
	if step < smallestNormal {
		return FloorScale, nil
	}
	return float32(step), nil
}
