package graph

import (
	"fmt"

	"github.com/goqat/goqat/quant"
)

// LeakyRelu is x where x is positive and Alpha*x elsewhere. Shapes: y as x.
//
// Quantized: input and output have parameters of their own.
type LeakyRelu struct {
	Alpha float32 `json:"alpha"`
}

func (LeakyRelu) Name() string { return "LEAKY_RELU" }
func (LeakyRelu) Class() Class { return Requantize }

// Infer implements [Op].
func (o LeakyRelu) Infer(in [][]int) ([]int, error) {
	if o.Alpha-o.Alpha != 0 {
		return nil, fmt.Errorf("alpha is %v", o.Alpha)
	}
	return elementwise(in)
}

// Elu is x where x is positive and e^x - 1 elsewhere: TensorFlow Lite has no
// other factor of the exponential. Shapes: y as x.
//
// Quantized: input and output have parameters of their own.
type Elu struct{}

func (Elu) Name() string { return "ELU" }
func (Elu) Class() Class { return Requantize }

// Infer implements [Op].
func (Elu) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// HardSwish is x * min(max(x+3, 0), 6) / 6. Shapes: y as x.
//
// Quantized: input and output have parameters of their own; the scale of the
// input must be below 128 times that of the output.
type HardSwish struct{}

func (HardSwish) Name() string { return "HARD_SWISH" }
func (HardSwish) Class() Class { return Requantize }

// Infer implements [Op].
func (HardSwish) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// CheckScales implements [Rescaling]: the factor s_x/(128*s_y) must be below 1,
// where LiteRT's kernel stops.
func (HardSwish) CheckScales(_ int, in []float32, out float32) error {
	if m := quant.QuantizeMultiplier(float64(in[0] / 128 / out)); m.Exponent > 0 {
		return fmt.Errorf("input scale %v is not below 128 times the output scale %v: the output range is too narrow for the input's", in[0], out)
	}
	return nil
}

// Logistic is the sigmoid 1/(1+e^-x). Shapes: y as x.
//
// Quantized: the output has scale 1/256 and zero point -128 at 8 bits, 1/32768 and
// 0 at 16.
type Logistic struct{}

func (Logistic) Name() string { return "LOGISTIC" }
func (Logistic) Class() Class { return FixedOutput }

// Infer implements [Op].
func (Logistic) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// FixedParams implements [FixedParams].
func (o Logistic) FixedParams(bits int) (quant.Params, error) {
	return fixedOutput(o, bits, quant.PerTensor(1.0/256, -128))
}

// Tanh is the hyperbolic tangent. Shapes: y as x.
//
// Quantized: the output has scale 1/128 and zero point 0 at 8 bits, 1/32768 and 0
// at 16.
type Tanh struct{}

func (Tanh) Name() string { return "TANH" }
func (Tanh) Class() Class { return FixedOutput }

// Infer implements [Op].
func (Tanh) Infer(in [][]int) ([]int, error) { return elementwise(in) }

// FixedParams implements [FixedParams].
func (o Tanh) FixedParams(bits int) (quant.Params, error) {
	return fixedOutput(o, bits, quant.PerTensor(1.0/128, 0))
}

// fixedOutput returns the output parameters of op, given those at 8 bits: at 16
// bits all have scale 1/32768 and zero point 0.
func fixedOutput(op Op, bits int, at8 quant.Params) (quant.Params, error) {
	switch bits {
	case 8:
		return at8, nil
	case 16:
		return quant.PerTensor(1.0/32768, 0), nil
	}
	return quant.Params{}, fmt.Errorf("graph: %s has no fixed output parameters at %d bits", op.Name(), bits)
}
