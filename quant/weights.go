package quant

import "fmt"

// LastValue returns the parameters of a weight tensor from its current values:
// one scale for the tensor (axis < 0) or one per index along axis, symmetric
// with zero point 0, so that the largest magnitude gets the code g.Max.
//
// Errors: values that do not fit shape; an axis beyond it; NaN or Inf in values.
func LastValue(values []float32, shape []int, axis int, g Grid) (Params, error) {
	p := Params{Scale: []float32{1}, ZeroPoint: []int32{0}}
	if axis >= len(shape) {
		return Params{}, fmt.Errorf("quant: axis %d of shape %v", axis, shape)
	}
	if axis >= 0 {
		p = Params{Scale: make([]float32, shape[axis]), ZeroPoint: make([]int32, shape[axis]), Axis: axis}
		for i := range p.Scale {
			p.Scale[i] = 1 // a placeholder that passes Check
		}
	}
	if _, _, _, err := Observe(values); err != nil {
		return Params{}, err
	}
	ranges := make([]Range, len(p.Scale))
	err := p.eachRun(shape, len(values), func(c, lo, hi int) {
		if l, h, ok, err := Observe(values[lo:hi]); ok && err == nil {
			ranges[c], _ = ranges[c].Extended(l, h) // finite, as checked above
		}
	})
	if err != nil {
		return Params{}, err
	}
	for c, r := range ranges {
		if p.Scale[c], err = Symmetric(r.Min, r.Max, g); err != nil {
			return Params{}, err
		}
	}
	return p, nil
}
