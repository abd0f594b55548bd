package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// A Table is an element-wise operator on 8-bit codes: the result for each of
// the 256 codes, computed once by the operator's formula.
type Table[In, Out Code] struct{ results [256]Out }

// newTable tabulates f, whose results lie in the grid of Out.
func newTable[In, Out Code](f func(code int32) int32) *Table[In, Out] {
	var t Table[In, Out]
	for i := range t.results {
		t.results[i] = Out(f(int32(In(i))))
	}
	return &t
}

// Run sets dst[i] to the operator's result for src[i]; both have one length.
func (t *Table[In, Out]) Run(dst []Out, src []In) {
	dst = dst[:len(src)]
	for i, code := range src {
		dst[i] = t.results[uint8(code)]
	}
}

// NewRequantize prepares QUANTIZE between two 8-bit types:
//
//	y = clamp(multiply(x - z_x, s_x/s_y) + z_y)
//
// with the [quant.Multiplier] of the float64 quotient; in [XNNPACK], between codes
// of one type, with 8 bits of the float32 quotient and rounded half up.
//
// Errors: scales that are not positive and finite, zero points out of range;
// quotients that XNNPACK does not take.
//
// Source: LiteRT, tflite/kernels/internal/reference/requantize.h.
func NewRequantize[In, Out Code](in, out quant.Params, profile Profile) (*Table[In, Out], error) {
	if err := checkBorders[In, Out](in, out); err != nil {
		return nil, fmt.Errorf("q8: requantize: %w", err)
	}
	grid := GridOf[Out]()
	if GridOf[In]() == grid && profile == XNNPACK {
		ratio := in.Scale[0] / out.Scale[0]
		if !takesFactors(ratio, ratio) {
			return nil, fmt.Errorf("q8: requantize: XNNPACK takes quotients of scales in [1/256, 128], not %v", ratio)
		}
		return eighthBits[In, Out](in, out, ratio, ratio), nil
	}
	m := quant.QuantizeMultiplier(float64(in.Scale[0]) / float64(out.Scale[0]))
	return newTable[In, Out](func(x int32) int32 {
		return grid.Clamp(m.Apply(x-in.ZeroPoint[0]) + out.ZeroPoint[0])
	}), nil
}

// NewRelu prepares a stand-alone RELU, RELU6 or RELU_N1_TO_1:
//
//	y = clamp(multiply(x - z_x, s_x/s_y) + z_y)
//
// to the codes [quant.Activation.Range] of the output, with the [quant.Multiplier] of
// the float32 quotient. RELU6 in [TFLM] only clamps, to the range of the input,
// whose parameters the output is taken to have.
//
// Errors: scales that are not positive and finite, zero points out of range;
// an activation other than these.
//
// Source: LiteRT, tflite/kernels/activations.cc; tflite-micro,
// tensorflow/lite/micro/kernels/activations.cc.
func NewRelu(activation quant.Activation, in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	err := checkBorders[int8, int8](in, out)
	if activation == quant.NoActivation {
		err = errors.Join(err, errors.New("no activation"))
	}
	if err != nil {
		return nil, fmt.Errorf("q8: relu: %w", err)
	}
	grid := GridOf[int8]()
	if profile == TFLM && activation == quant.Relu6 {
		return newTable[int8, int8](activation.Range(in, grid).Clamp), nil
	}
	clamp := activation.Range(out, grid)
	m := quant.QuantizeMultiplier(float64(in.Scale[0] / out.Scale[0]))
	return newTable[int8, int8](func(x int32) int32 {
		return clamp.Clamp(m.Apply(x-in.ZeroPoint[0]) + out.ZeroPoint[0])
	}), nil
}
