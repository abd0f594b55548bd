package q8

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/quant"
)

// NewLeakyRelu prepares LEAKY_RELU, x where x is not negative and alpha*x
// elsewhere:
//
//	y = clamp(multiply(x - z_x, m) + z_y),  m = s_x/s_y where x >= z_x, s_x*alpha/s_y below
//
// with [quant.LeakyMultipliers]; a negative alpha changes the sign of the rounded
// product with its magnitude. In [XNNPACK] with factors of 8 fractional bits, where
// it takes them, rounded half up.
//
// Errors: scales that are not positive and finite, zero points out of range; an
// alpha that is not finite.
//
// Source: LiteRT, tflite/kernels/activations.cc, LeakyReluPrepare;
// tflite/kernels/internal/reference/leaky_relu.h.
func NewLeakyRelu(alpha float32, in, out quant.Params, profile Profile) (*Table[int8, int8], error) {
	err := checkBorders[int8, int8](in, out)
	if alpha-alpha != 0 {
		err = errors.Join(err, fmt.Errorf("alpha is %v", alpha))
	}
	if err != nil {
		return nil, fmt.Errorf("q8: leaky relu: %w", err)
	}
	above := in.Scale[0] / out.Scale[0]
	if below := float32(above * alpha); profile == XNNPACK && takesFactors(above, below) {
		return eighthBits[int8, int8](in, out, above, below), nil
	}
	grid := GridOf[int8]()
	identity, slope := quant.LeakyMultipliers(alpha, in.Scale[0], out.Scale[0])
	sign := int32(1)
	if alpha < 0 {
		sign = -1
	}
	return newTable[int8, int8](func(x int32) int32 {
		v := x - in.ZeroPoint[0]
		if v < 0 {
			v = sign * slope.Apply(v)
		} else {
			v = identity.Apply(v)
		}
		return grid.Clamp(v + out.ZeroPoint[0])
	}), nil
}

// NewHardSwish prepares HARD_SWISH, x*min(max(x+3, 0), 6)/6, in 16 bits: the
// input with 7 more bits times a relu-ish factor min(max(x/3, -1), 1)/2 + 1/2 in
// Q0.15, each rounded, their product truncated. The same in every profile.
//
// Errors: scales that are not positive and finite, zero points out of range;
// s_x not below 128*s_y, for which the kernel has no shift.
//
// Source: LiteRT, tflite/kernels/internal/reference/hard_swish.h.
func NewHardSwish(in, out quant.Params) (*Table[int8, int8], error) {
	err := checkBorders[int8, int8](in, out)
	var scale, reach quant.Multiplier
	if err == nil {
		fine := in.Scale[0] / 128 // the scale of the input with 7 more bits
		scale = quant.QuantizeMultiplier(float64(fine / out.Scale[0]))
		reach = quant.QuantizeMultiplier(float64(fine / float32(3./32768)))
		if scale.Exponent > 0 {
			err = fmt.Errorf("input scale %v is not below 128 times the output scale %v", in.Scale[0], out.Scale[0])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("q8: hard swish: %w", err)
	}
	grid := GridOf[int8]()
	scale16, reach16 := halved(scale.Mantissa), halved(reach.Mantissa)
	return newTable[int8, int8](func(x int32) int32 {
		fine := (x - in.ZeroPoint[0]) << 7
		// The factor saturates in two steps, so that the shift before the product
		// keeps the precision and the one behind it does not wrap.
		factor := fine
		if reach.Exponent > 0 {
			factor = saturate16(factor << min(reach.Exponent-1, 16))
		}
		factor = mul16(factor, reach16)
		if reach.Exponent > 0 {
			factor = saturate16(factor << 1)
		} else {
			factor = divide16(factor, -reach.Exponent)
		}
		factor = (factor + 1<<15) >> 1
		product := factor * mul16(fine, scale16) / (1 << 15)
		return grid.Clamp(divide16(product, -scale.Exponent) + out.ZeroPoint[0])
	}), nil
}

// halved returns a Q0.31 number as the nearest in Q0.15.
func halved(a int32) int32 {
	return int32(min((int64(a)+1<<15)>>16, math.MaxInt16))
}

// mul16 returns the rounded product of two Q0.15 numbers, not both -1.
func mul16(a, b int32) int32 { return (a*b + 1<<14) >> 15 }

// divide16 returns the int16 x/2^n rounded half away from zero. Where 2^n has more
// than 16 bits the kernel's mask has none left over, and it returns the sign.
func divide16(x int32, n int) int32 {
	switch {
	case n < 16:
		return quant.RoundingDivideByPOT(x, n)
	case x < 0:
		return -1
	}
	return 1
}

// saturate16 limits x to int16.
func saturate16(x int32) int32 { return min(max(x, math.MinInt16), math.MaxInt16) }
