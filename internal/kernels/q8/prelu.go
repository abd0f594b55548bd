package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/quant"
)

// PreluSpec describes a PRELU operator.
type PreluSpec struct {
	Input, Alpha, Output quant.Params // per tensor
	Profile              Profile
}

// Prelu is a prepared int8 PRELU operator. It is read-only.
type Prelu struct {
	identity, slope            quant.Multiplier
	inputZero, alphaZero, zero int32
}

// NewPrelu prepares PRELU, x where x is not negative and alpha*x elsewhere:
//
//	y = clamp(multiply(x - z_x, s_x/s_y) + z_y)                            x >= z_x
//	y = clamp(multiply((x - z_x)*(alpha - z_alpha), s_x*s_alpha/s_y) + z_y)  below
//
// with the [quant.Multiplier] of the factors, float32 throughout in [LiteRT] and
// float64 in [TFLM].
//
// Errors: scales that are not positive and finite, zero points out of range.
//
// Source: LiteRT, tflite/kernels/activations.cc, PreluPrepare;
// tflite/kernels/internal/reference/prelu.h; tflite-micro,
// tensorflow/lite/micro/kernels/prelu_common.cc.
func NewPrelu(s PreluSpec) (*Prelu, error) {
	err := errors.Join(checkBorders[int8, int8](s.Input, s.Output), checkTensor("alpha", s.Alpha, GridOf[int8]()))
	if err != nil {
		return nil, fmt.Errorf("q8: prelu: %w", err)
	}
	in, alpha, out := s.Input.Scale[0], s.Alpha.Scale[0], s.Output.Scale[0]
	identity, slope := float64(in/out), float64(float32(in*alpha)/out)
	if s.Profile == TFLM {
		identity, slope = float64(in)/float64(out), float64(in)*float64(alpha)/float64(out)
	}
	return &Prelu{
		identity: quant.QuantizeMultiplier(identity), slope: quant.QuantizeMultiplier(slope),
		inputZero: s.Input.ZeroPoint[0], alphaZero: s.Alpha.ZeroPoint[0], zero: s.Output.ZeroPoint[0],
	}, nil
}

// Run computes y from x and alpha, which p pairs; y has the shape of x.
func (o *Prelu) Run(p axes.Pair, y, x, alpha []int8) {
	grid := GridOf[int8]()
	stepX, stepAlpha := p.Steps()
	p.Runs(0, p.Len(), func(at, i, j, n int) {
		for k := range n {
			v := int32(x[i+k*stepX]) - o.inputZero
			if v >= 0 {
				v = o.identity.Apply(v)
			} else {
				v = o.slope.Apply(v * (int32(alpha[j+k*stepAlpha]) - o.alphaZero))
			}
			y[at+k] = int8(grid.Clamp(v + o.zero))
		}
	})
}
