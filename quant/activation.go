package quant

import (
	"fmt"
	"math"
)

// Activation is a function that an operator applies to its output. Integer
// kernels can fuse clamps only, and these are the ones TensorFlow Lite has. The
// zero value is none.
type Activation uint8

// The activations.
const (
	NoActivation Activation = iota
	Relu                    // max(x, 0)
	Relu6                   // min(max(x, 0), 6)
	ReluN1To1               // min(max(x, -1), 1)
)

var activationNames = [...]string{"none", "relu", "relu6", "relu_n1_to_1"}

func (a Activation) String() string {
	if int(a) < len(activationNames) {
		return activationNames[a]
	}
	return fmt.Sprintf("activation %d", uint8(a))
}

// Check reports a value that is none of the activations.
func (a Activation) Check() error {
	if int(a) >= len(activationNames) {
		return fmt.Errorf("quant: unknown activation %d", uint8(a))
	}
	return nil
}

// MarshalText writes the activation by name.
func (a Activation) MarshalText() ([]byte, error) { return []byte(a.String()), a.Check() }

// UnmarshalText reads an activation by name.
func (a *Activation) UnmarshalText(b []byte) error {
	for i, name := range activationNames {
		if name == string(b) {
			*a = Activation(i)
			return nil
		}
	}
	return fmt.Errorf("quant: unknown activation %q", b)
}

// Bounds returns the interval of real numbers that a clamps to; infinite where
// there is no bound.
func (a Activation) Bounds() (lo, hi float32) {
	switch a {
	case Relu:
		return 0, float32(math.Inf(1))
	case Relu6:
		return 0, 6
	case ReluN1To1:
		return -1, 1
	}
	return float32(math.Inf(-1)), float32(math.Inf(1))
}

// Range returns the codes that a leaves of grid, for an output with per-tensor
// parameters p:
//
//	[max(grid.Min, Q(lo)), min(grid.Max, Q(hi))],  Q(x) = half_away(float32(x/scale)) + zero point
//
// Source: LiteRT, tflite/kernels/kernel_util.cc, CalculateActivationRangeQuantized.
func (a Activation) Range(p Params, grid Grid) Grid {
	lo, hi := a.Bounds()
	return Grid{
		Min: Code(lo, p.Scale[0], p.ZeroPoint[0], grid),
		Max: Code(hi, p.Scale[0], p.ZeroPoint[0], grid),
	}
}
