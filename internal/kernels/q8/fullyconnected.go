package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// FullyConnectedSpec describes an int8 FULLY_CONNECTED operator.
type FullyConnectedSpec struct {
	Inputs, Outputs int
	Input, Output   quant.Params // per tensor
	Weight          quant.Params // per tensor, or one scale per output along axis 0
	Activation      quant.Activation
	Profile         Profile
	Kernel          Kernel
}

// FullyConnected is a prepared int8 FULLY_CONNECTED operator. It is read-only.
type FullyConnected struct {
	inputs, outputs       int
	inputZero, weightZero int32
	rescale               rescaler
	weights               []int8
	bias                  []int32
	packed                *matrix // nil: run the formula, or vector
	folded                []int32 // bias for packed, which multiplies codes without zero points
	vector                *vectorFullyConnected
}

// NewFullyConnected prepares
//
//	y[o] = clamp(rescale(b[o] + sum over i of (w[o,i] - z_w)*(x[i] - z_x)) + z_y)
//
// with an int32 accumulator that wraps around. rescale multiplies by
// s_x*s_w/s_y: in [LiteRT] in float64, rounding half away from zero; in [TFLM]
// by a [quant.Multiplier], made of the float32 product s_x*s_w for per-tensor
// weights and of the float64 product for per-channel weights; in [XNNPACK] as
// [NewConv2D] does.
//
// Shapes: weights [Outputs, Inputs]; bias [Outputs] at scale s_x*s_w, or nil.
// Per-tensor weights with a zero point, which the 8-bit specification does not
// foresee but the runtimes accept, run on the reference kernel.
//
// Errors: sizes that do not fit, scales that are not positive and finite, zero
// points out of range; in XNNPACK weights with a zero point, and factors outside
// [2^-32, 2^8).
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/fully_connected.h;
// tflite-micro, tensorflow/lite/micro/kernels/fully_connected_common.cc.
func NewFullyConnected(s FullyConnectedSpec, weights []int8, bias []int32) (*FullyConnected, error) {
	err := errors.Join(
		checkBorders[int8, int8](s.Input, s.Output),
		checkWeights(s.Outputs, s.Inputs, len(weights), len(bias), s.Weight),
	)
	if err == nil && s.Weight.PerChannel() {
		err = checkSymmetric(s.Weight)
	} else if err == nil {
		err = checkTensor("weights", s.Weight, GridOf[int8]())
	}
	if err != nil {
		return nil, fmt.Errorf("q8: fully connected: %w", err)
	}
	rescale, err := s.rescaler()
	if s.Profile == XNNPACK && s.Weight.ZeroPoint[0] != 0 {
		err = errors.New("XNNPACK takes weights without zero point only")
	}
	if err != nil {
		return nil, fmt.Errorf("q8: fully connected: %w", err)
	}
	f := &FullyConnected{
		inputs: s.Inputs, outputs: s.Outputs,
		inputZero: s.Input.ZeroPoint[0], weightZero: s.Weight.ZeroPoint[0],
		rescale: rescale,
		weights: weights,
		bias:    make([]int32, s.Outputs),
	}
	copy(f.bias, bias)
	switch {
	case s.Kernel == Reference || f.weightZero != 0:
	case level.lanes > 0:
		f.vector = newVectorFullyConnected(level, f)
	default:
		f.packed = newMatrix(weights, s.Outputs, s.Inputs)
		f.folded = f.packed.foldedBias(f.bias, f.inputZero)
	}
	return f, nil
}

// rescaler chooses the arithmetic by profile and granularity.
func (s *FullyConnectedSpec) rescaler() (rescaler, error) {
	scales := channelScales(s.Weight, s.Outputs)
	switch {
	case s.Profile == LiteRT:
		return newRealRescaler(s.Input, s.Output, scales, s.Activation), nil
	case s.Profile == TFLM && !s.Weight.PerChannel():
		return newSharedRescaler(s.Input, s.Output, s.Weight.Scale[0], s.Outputs, s.Activation), nil
	}
	return s.Profile.rescaler(s.Input, s.Output, scales, s.Activation)
}

// Run computes dst [rows, Outputs] from src [rows, Inputs].
func (f *FullyConnected) Run(dst, src []int8, rows int) {
	if f.vector != nil {
		f.vector.run(dst, src, rows)
		return
	}
	if f.packed == nil {
		f.reference(dst, src, rows)
		return
	}
	f.packed.each(rows,
		func(_ []int8, lo, hi int) []int8 { return src[lo*f.inputs : hi*f.inputs] },
		func(row int, acc []int32) { f.rescale.biased(dst[row*f.outputs:][:f.outputs], acc, f.folded) })
}

// reference is the formula.
func (f *FullyConnected) reference(dst, src []int8, rows int) {
	for r := range rows {
		for o := range f.outputs {
			acc := f.bias[o]
			for i := range f.inputs {
				acc += (int32(f.weights[o*f.inputs+i]) - f.weightZero) * (int32(src[r*f.inputs+i]) - f.inputZero)
			}
			dst[r*f.outputs+o] = f.rescale.code(acc, o)
		}
	}
}
