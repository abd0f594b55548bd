package graph

import (
	"fmt"

	"github.com/goqat/goqat/quant"
)

// Source says where a quantizer's parameters come from.
type Source uint8

const (
	// LastValue recomputes the parameters from the tensor at every use: weights
	// and other data.
	LastValue Source = iota + 1
	// MovingAverage observes the tensor: activations.
	MovingAverage
	// Fixed parameters never change: softmax outputs.
	Fixed
	// Dynamic parameters are computed per row as the model runs, as hybrid
	// kernels do: the activations of a dynamic-range model.
	Dynamic
)

var sourceNames = [...]string{LastValue: "last value", MovingAverage: "moving average", Fixed: "fixed", Dynamic: "dynamic"}

func (s Source) String() string {
	if s.known() {
		return sourceNames[s]
	}
	return fmt.Sprintf("source %d", uint8(s))
}

func (s Source) known() bool { return int(s) < len(sourceNames) && sourceNames[s] != "" }

// Quantizer says how a tensor is rounded to codes. FakeQuant nodes point to it;
// those that must have equal codes share one.
type Quantizer struct {
	// Name is the name of the tensor it quantizes.
	Name      string `json:"name"`
	Bits      int    `json:"bits"`
	Symmetric bool   `json:"symmetric"`
	Narrow    bool   `json:"narrow"`
	// Axis of per-channel scales; -1 for one scale. For Dynamic: the last of
	// the leading axes whose indices each form a row with its own parameters.
	Axis   int    `json:"axis"`
	Source Source `json:"source"`
	// Decay of the moving average; 0 for other sources.
	Decay float32 `json:"decay,omitempty"`
	// FixedParams are the parameters when Source is Fixed.
	FixedParams *quant.Params `json:"fixed,omitempty"`
	// MinScale, one entry per scale, keeps a weight scale large enough for the
	// channel's bias to fit int32; nil for no limit.
	MinScale []float32 `json:"min_scale,omitempty"`
	// Range is the variable [3] that holds minimum, maximum and weight of a
	// [quant.Range] when Source is MovingAverage; nil for other sources.
	Range *Tensor `json:"-"`
}

// NewObserved returns a moving-average quantizer for the activation t whose
// range is still unknown.
func NewObserved(t string, s quant.Scheme, decay float32) *Quantizer {
	return &Quantizer{
		Name: t, Bits: s.Bits, Symmetric: s.Symmetric, Narrow: s.Narrow, Axis: -1,
		Source: MovingAverage, Decay: decay,
		Range: &Tensor{Name: t + "/range", Role: Statistic, Shape: []int{3}, Data: make([]float32, 3)},
	}
}

// Grid returns the quantizer's codes.
func (q *Quantizer) Grid() quant.Grid { return quant.Signed(q.Bits, q.Narrow) }

// Observed returns what the quantizer has observed; unknown for sources other
// than MovingAverage.
func (q *Quantizer) Observed() quant.Range {
	if q.Range == nil {
		return quant.Range{}
	}
	d := q.Range.Float32s()
	return quant.Range{Min: d[0], Max: d[1], Weight: d[2]}
}

// SetRange replaces what a MovingAverage quantizer has observed.
func (q *Quantizer) SetRange(r quant.Range) {
	copy(q.Range.Float32s(), []float32{r.Min, r.Max, r.Weight})
}

// Known reports whether Params can answer: a MovingAverage quantizer has
// observed something, or the parameters are Fixed.
func (q *Quantizer) Known() bool { return q.Source == Fixed || q.Observed().Known() }

// Params returns the parameters of a MovingAverage or Fixed quantizer.
//
// Errors: a range never observed, or not finite, by tensor name; other sources.
func (q *Quantizer) Params() (quant.Params, error) {
	if q.Source == Fixed {
		return *q.FixedParams, nil
	}
	scale, zero, err := q.Scale()
	if err != nil {
		return quant.Params{}, err
	}
	return quant.PerTensor(scale, zero), nil
}

// Scale is Params for a quantizer with one scale; of a Fixed one with several it
// returns the first.
func (q *Quantizer) Scale() (scale float32, zero int32, err error) {
	switch q.Source {
	case Fixed:
		return q.FixedParams.Scale[0], q.FixedParams.ZeroPoint[0], nil
	case MovingAverage:
		r := q.Observed()
		if !r.Known() {
			return 0, 0, fmt.Errorf("graph: quantizer of tensor %q: range was never observed: calibrate or train first", q.Name)
		}
		return q.fromBounds(r.Bounds())
	}
	return 0, 0, fmt.Errorf("graph: quantizer of tensor %q: a %v quantizer has no stored parameters", q.Name, q.Source)
}

// fromBounds turns a range into a scale and a zero point.
func (q *Quantizer) fromBounds(lo, hi float32) (scale float32, zero int32, err error) {
	if q.Symmetric {
		scale, err = quant.Symmetric(lo, hi, q.Grid())
	} else {
		scale, zero, err = quant.Asymmetric(lo, hi, q.Grid())
	}
	if err != nil {
		return 0, 0, fmt.Errorf("graph: quantizer of tensor %q: %w", q.Name, err)
	}
	return scale, zero, nil
}

// ParamsOf returns the parameters of a LastValue quantizer for the data it
// quantizes, given their current values: weights by [quant.LastValue], other data
// (Symmetric is false) by their minimum and maximum as activations are. Those of a
// Fixed quantizer do not depend on the values.
//
// Errors: NaN or Inf in values, by tensor name; other sources.
func (q *Quantizer) ParamsOf(values []float32, shape []int) (quant.Params, error) {
	if q.Source == Fixed {
		return *q.FixedParams, nil
	}
	if q.Source != LastValue {
		return quant.Params{}, fmt.Errorf("graph: quantizer of tensor %q: a %v quantizer does not follow values", q.Name, q.Source)
	}
	if !q.Symmetric {
		lo, hi, _, err := quant.Observe(values)
		if err != nil {
			return quant.Params{}, fmt.Errorf("graph: quantizer of tensor %q: %w", q.Name, err)
		}
		scale, zero, err := q.fromBounds(lo, hi)
		if err != nil {
			return quant.Params{}, err
		}
		return quant.PerTensor(scale, zero), nil
	}
	p, err := quant.LastValue(values, shape, q.Axis, q.Grid())
	if err != nil {
		return quant.Params{}, fmt.Errorf("graph: quantizer of tensor %q: %w", q.Name, err)
	}
	return p, q.limit(p.Scale)
}

// ScaleIn is scale i of ParamsOf for a Symmetric quantizer where the values that it is for are known by their bounds
// only. The zero point is 0.
//
// Errors: bounds that are not finite, by tensor name.
func (q *Quantizer) ScaleIn(i int, lo, hi float32) (scale float32, err error) {
	if scale, err = quant.Symmetric(lo, hi, q.Grid()); err != nil {
		return 0, fmt.Errorf("graph: quantizer of tensor %q: %w", q.Name, err)
	}
	if q.MinScale != nil {
		scale = max(scale, q.MinScale[i])
	}
	return scale, nil
}

// limit raises scales to MinScale.
func (q *Quantizer) limit(scale []float32) error {
	if q.MinScale == nil {
		return nil
	}
	if len(q.MinScale) != len(scale) {
		return fmt.Errorf("graph: quantizer of tensor %q: %d least scales for %d scales", q.Name, len(q.MinScale), len(scale))
	}
	for i, least := range q.MinScale {
		scale[i] = max(scale[i], least)
	}
	return nil
}

// check reports a quantizer that is not well formed, or cannot belong to a
// tensor of the given shape.
func (q *Quantizer) check(shape []int) error {
	switch {
	case q == nil:
		return fmt.Errorf("fake quantization without a quantizer")
	case q.Bits < 2 || q.Bits > 16:
		return fmt.Errorf("quantizer of tensor %q: %d bits", q.Name, q.Bits)
	case !q.Source.known():
		return fmt.Errorf("quantizer of tensor %q: unknown source %d", q.Name, uint8(q.Source))
	case q.Source == LastValue && q.Axis >= len(shape):
		return fmt.Errorf("quantizer of tensor %q: axis %d of shape %v", q.Name, q.Axis, shape)
	case q.Source == Fixed && q.FixedParams == nil:
		return fmt.Errorf("quantizer of tensor %q: fixed without parameters", q.Name)
	case q.Source == MovingAverage && (q.Range == nil || len(q.Range.Float32s()) != 3):
		return fmt.Errorf("quantizer of tensor %q: no range", q.Name)
	case q.Source != MovingAverage && q.Range != nil:
		return fmt.Errorf("quantizer of tensor %q: a %v quantizer with a range", q.Name, q.Source)
	case q.Source == LastValue && q.Axis >= 0 && !q.Symmetric:
		return fmt.Errorf("quantizer of tensor %q: scales for each channel are symmetric only", q.Name)
	}
	if q.Source == Fixed {
		if err := q.FixedParams.Check(shape); err != nil {
			return fmt.Errorf("quantizer of tensor %q: %w", q.Name, err)
		}
	}
	return nil
}
