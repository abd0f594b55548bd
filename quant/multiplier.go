package quant

import (
	"math"
	"math/bits"
)

// Multiplier is a non-negative real factor in the form integer hardware
// multiplies by:
//
//	real = Mantissa * 2^(Exponent-31),   2^30 <= Mantissa < 2^31 or Mantissa = 0
//
// where that of a mean ([MeanMultiplier]) may be half as large.
// The zero Multiplier is the factor 0.
type Multiplier struct {
	Mantissa int32
	Exponent int
}

// QuantizeMultiplier returns the Multiplier nearest to real, with ties away
// from zero:
//
//	(f, e) = frexp(real);  Mantissa = round(f * 2^31);  Exponent = e
//
// A mantissa that rounds up to 2^31 is halved and the exponent raised. A factor
// below 2^-32 becomes 0, as it cannot move any int32 away from 0.
//
// real is a quotient of scales, finite and not negative; the result for other
// values is meaningless and callers check scales before they come here.
//
// Source: LiteRT, tflite/kernels/internal/quantization_util.cc, QuantizeMultiplier.
func QuantizeMultiplier(real float64) Multiplier {
	if real == 0 {
		return Multiplier{}
	}
	fraction, exponent := math.Frexp(real)
	mantissa := int64(math.Round(fraction * (1 << 31)))
	if mantissa == 1<<31 {
		mantissa /= 2
		exponent++
	}
	if exponent < -31 {
		return Multiplier{}
	}
	return Multiplier{Mantissa: int32(mantissa), Exponent: exponent}
}

// MeanMultiplier returns the Multiplier by which MEAN turns the sum of count codes
// of scale in, taken from their zero point, into a code of scale out:
//
//	QuantizeMultiplier(in/out) / count
//
// where the mantissa is shifted left before it is divided, by as many bits as
// keep its size, and rounded down. The exponent of the result is little above
// -log2(count); so the second rounding of [Multiplier.Apply] works on few bits,
// and often gives the code beside the nearest, farther from the zero point.
//
// Source: LiteRT, tflite/kernels/internal/reference/reduce.h, QuantizedMeanOrSum.
func MeanMultiplier(in, out float32, count int) Multiplier {
	m := QuantizeMultiplier(float64(in) / float64(out))
	shift := min(bits.Len(uint(count))-1, 31+m.Exponent)
	return Multiplier{Mantissa: int32(int64(m.Mantissa) << shift / int64(count)), Exponent: m.Exponent - shift}
}

// LeakyMultipliers returns the Multipliers by which LEAKY_RELU turns codes of scale
// in, taken from their zero point, into codes of scale out: in/out for those that
// are not negative, in*|alpha|/out below, in float32 throughout. A small slope has
// an exponent below 0, and then [Multiplier.Apply] often gives the code beside the
// nearest, farther from the zero point.
//
// Source: LiteRT, tflite/kernels/activations.cc, LeakyReluPrepare.
func LeakyMultipliers(alpha, in, out float32) (identity, slope Multiplier) {
	return QuantizeMultiplier(float64(in / out)), QuantizeMultiplier(float64(float32(in*max(alpha, -alpha)) / out))
}

// Real returns the factor m stands for, Mantissa * 2^(Exponent-31). It is exact.
func (m Multiplier) Real() float64 {
	return math.Ldexp(float64(m.Mantissa), m.Exponent-31)
}

// Apply returns x times the factor, rounded twice as the scalar kernels of
// LiteRT and TFLite Micro do:
//
//	RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x << max(e,0), m), max(-e,0))
//
// The two roundings can give a result one away from the nearest integer. The
// left shift of a factor above 1 wraps around, as in those kernels.
//
// Source: LiteRT, tflite/kernels/internal/common.h, MultiplyByQuantizedMultiplier
// (without TFLITE_SINGLE_ROUNDING, which no shipped build sets).
func (m Multiplier) Apply(x int32) int32 {
	if m.Exponent > 0 {
		return SaturatingRoundingDoublingHighMul(x<<m.Exponent, m.Mantissa)
	}
	return RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x, m.Mantissa), -m.Exponent)
}

// Apply64 returns x times the factor as kernels with 64-bit sums do, from 15 bits
// of the mantissa and with one rounding, a half toward +infinity:
//
//	(x*m + 2^(14-e)) >> (15-e),  m = min(round(Mantissa/2^16), 2^15-1)
//
// The exponent e is between -31 and 7, and x below 2^47 in magnitude.
//
// Source: LiteRT, tflite/kernels/internal/common.cc, MultiplyByQuantizedMultiplier
// of int64_t.
func (m Multiplier) Apply64(x int64) int32 {
	shift := 15 - m.Exponent
	return int32((x*m.reduced() + 1<<(shift-1)) >> shift)
}

// Factor64 returns the factor of [Multiplier.Apply64], which has 15 bits:
// m*2^(e-15).
func (m Multiplier) Factor64() float64 { return math.Ldexp(float64(m.reduced()), m.Exponent-15) }

func (m Multiplier) reduced() int64 {
	if m.Mantissa < 0x7fff0000 {
		return (int64(m.Mantissa) + 1<<15) >> 16
	}
	return math.MaxInt16
}

// SaturatingRoundingDoublingHighMul returns the product of two Q0.31 numbers as
// a Q0.31 number:
//
//	floor((a*b + 2^30) / 2^31)
//
// that is, a half is rounded toward +infinity. The one product that does not
// fit, (-2^31)*(-2^31), saturates to 2^31-1.
//
// Source: gemmlowp, fixedpoint/fixedpoint.h, where the same value is reached by
// a nudge with the sign of the product and a truncating division.
func SaturatingRoundingDoublingHighMul(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	return int32((int64(a)*int64(b) + 1<<30) >> 31)
}

// RoundingDivideByPOT returns x / 2^exponent rounded to the nearest integer,
// with ties away from zero. The exponent is between 0 and 31.
//
// Source: gemmlowp, fixedpoint/fixedpoint.h.
func RoundingDivideByPOT(x int32, exponent int) int32 {
	// Twice the quotient plus one half, in int64: floor((2x + 2^e)/2^(e+1))
	// rounds ties up, and one less under a negative x rounds them down.
	e := uint(exponent) & 31 // a bound the compiler sees
	return int32((2*int64(x) + 1<<e + int64(x>>31)) >> (e + 1))
}
