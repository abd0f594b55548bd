package q8

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/quant"
)

// newRealTable tabulates a function of real numbers in float32:
//
//	y = clamp(half_away(f(s_x*(x - z_x)) * (1/s_y)) + z_y)
//
// every operation rounded to float32.
//
// Source: LiteRT, tflite/kernels/internal/common.h, LUTPopulate.
func newRealTable(in, out quant.Params, f func(x float32) float32) *Table[int8, int8] {
	grid := GridOf[int8]()
	inverse := 1 / out.Scale[0]
	return newTable[int8, int8](func(x int32) int32 {
		y := float32(f(quant.Value(x, in.Scale[0], in.ZeroPoint[0])) * inverse)
		code := math.Round(float64(y)) + float64(out.ZeroPoint[0])
		return int32(min(max(code, float64(grid.Min)), float64(grid.Max)))
	})
}

// exp32 is e^x, correctly rounded but for one in many million.
func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }

// NewElu prepares ELU, x where x is not negative and e^x - 1 elsewhere, by
// float32 arithmetic; half to even in [XNNPACK].
//
// Errors: scales that are not positive and finite, zero points out of range.
//
// Source: LiteRT, tflite/kernels/activations.cc, EluPrepare.
func NewElu(in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	if err := checkBorders[int8, int8](in, out); err != nil {
		return nil, fmt.Errorf("q8: elu: %w", err)
	}
	if profile == XNNPACK {
		return newEvenTable(in, out, GridOf[int8](), func(x float32) float32 {
			if x < 0 {
				return float32(math.Expm1(float64(x)))
			}
			return x
		}), nil
	}
	return newRealTable(in, out, func(x float32) float32 {
		if x < 0 {
			return exp32(x) - 1
		}
		return x
	}), nil
}

// A squashing function has a fixed output range: LOGISTIC and TANH.
type squashing struct {
	name   string
	output quant.Params
	// real is the function in float32, of LiteRT.
	real func(x float32) float32
	// even is the function in float32, of XNNPACK.
	even func(x float32) float32
	// fixed is the function of Q4.27 in Q0.31, of TFLM.
	fixed func(a int32) int32
	// shift leads from Q0.31 to the output's codes, before the zero point.
	shift int
}

var logistic = squashing{
	name: "logistic", output: quant.PerTensor(1.0/256, -128), shift: 23, fixed: fixedLogistic,
	real: func(x float32) float32 { return 1 / (1 + exp32(-x)) },
	even: func(x float32) float32 {
		e := math.Exp(float64(min(max(x, -100), 100)))
		return float32(e / (1 + e))
	},
}

var tanh = squashing{
	name: "tanh", output: quant.PerTensor(1.0/128, 0), shift: 24, fixed: fixedTanh,
	real: tanh32, even: tanh32,
}

// tanh32 is the hyperbolic tangent, correctly rounded but for one in many million.
func tanh32(x float32) float32 { return float32(math.Tanh(float64(x))) }

// NewLogistic prepares LOGISTIC, 1/(1+e^-x): by float32 arithmetic in [LiteRT],
// in fixed point in [TFLM], where the input saturates at ±16, and by float32
// arithmetic that rounds half to even in [XNNPACK]. All give the same codes but for
// some in a million.
//
// Errors: scales that are not positive and finite, zero points out of range; an
// output scale other than 1/256 or zero point other than -128, which the kernels
// take for granted.
//
// Source: LiteRT, tflite/kernels/activations.cc, SigmoidPrepare; tflite-micro,
// tensorflow/lite/micro/kernels/logistic_common.cc.
func NewLogistic(in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	return logistic.table(in, out, profile)
}

// NewTanh prepares TANH as [NewLogistic] does LOGISTIC. The output has scale
// 1/128 and zero point 0.
//
// Source: LiteRT, tflite/kernels/activations.cc, TanhPrepare; tflite-micro,
// tensorflow/lite/micro/kernels/tanh.cc.
func NewTanh(in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	return tanh.table(in, out, profile)
}

func (f squashing) table(in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	err := checkBorders[int8, int8](in, out)
	if err == nil && !out.Equal(f.output) {
		err = fmt.Errorf("output has scale %v and zero point %d, want %v and %d", out.Scale[0], out.ZeroPoint[0], f.output.Scale[0], f.output.ZeroPoint[0])
	}
	if err != nil {
		return nil, fmt.Errorf("q8: %s: %w", f.name, err)
	}
	grid := GridOf[int8]()
	switch profile {
	case LiteRT:
		return newRealTable(in, out, f.real), nil
	case XNNPACK:
		return newEvenTable(in, out, grid, f.even), nil
	}
	const integerBits, fractionalBits = 4, 31 - 4
	m := quant.QuantizeMultiplier(float64(in.Scale[0]) * (1 << fractionalBits))
	radius := math.Floor(math.Ldexp(1<<integerBits-1, fractionalBits-m.Exponent))
	return newTable[int8, int8](func(x int32) int32 {
		switch d := x - in.ZeroPoint[0]; {
		case float64(d) <= -radius:
			return grid.Min
		case float64(d) >= radius:
			return grid.Max
		default:
			y := quant.RoundingDivideByPOT(f.fixed(m.Apply(d)), f.shift)
			return grid.Clamp(y + out.ZeroPoint[0])
		}
	}), nil
}
