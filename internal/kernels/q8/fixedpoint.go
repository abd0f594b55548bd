package q8

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// Fixed-point exponential and reciprocal on int32, after gemmlowp,
// fixedpoint/fixedpoint.h. Qi.f is a number with i integer bits and f = 31-i
// fractional bits.

// mul returns the Q0.31 product.
func mul(a, b int32) int32 { return quant.SaturatingRoundingDoublingHighMul(a, b) }

// shiftLeft returns x * 2^n, saturated.
func shiftLeft(x int32, n int) int32 {
	limit := int32(1)<<(31-n) - 1
	if x > limit {
		return math.MaxInt32
	}
	if x < -limit {
		return math.MinInt32
	}
	return x << n
}

// expQuarter returns e^a in Q0.31 for a in [-1/4, 0), in Q0.31: the Taylor
// series to the fourth degree about -1/8.
func expQuarter(a int32) int32 {
	const (
		expEighth = 1895147668 // e^(-1/8)
		third     = 715827883
	)
	x := a + 1<<28
	x2 := mul(x, x)
	x3 := mul(x2, x)
	x4 := mul(x2, x2)
	tail := quant.RoundingDivideByPOT(mul(quant.RoundingDivideByPOT(x4, 2)+x3, third)+x2, 1)
	return expEighth + mul(expEighth, x+tail)
}

// expFactors are e^(-2^power) in Q0.31.
var expFactors = [...]struct {
	power  int
	factor int32
}{
	{-2, 1672461947}, {-1, 1302514674}, {0, 790015084}, {1, 290630308}, {2, 39332535}, {3, 720401}, {4, 242},
}

// expNegative returns e^a in Q0.31 for a <= 0 with up to 5 integer bits: a
// quarter interval by [expQuarter], times e^(-2^power) for every bit of the rest.
func expNegative(a int32, integerBits int) int32 {
	fractionalBits := 31 - integerBits
	quarter := int32(1) << (fractionalBits - 2)
	if a == 0 {
		return math.MaxInt32
	}
	within := a&(quarter-1) - quarter
	result := expQuarter(shiftLeft(within, integerBits))
	rest := within - a
	for _, f := range expFactors {
		if rest>>(fractionalBits+f.power)&1 == 1 {
			result = mul(result, f.factor)
		}
	}
	return result
}

// one is 1 in Q2.29.
const one = 1 << 29

// reciprocalOnePlus returns 1/(1+a) in Q0.31 for a in [0, 1), in Q0.31.
func reciprocalOnePlus(a int32) int32 { return shiftLeft(reciprocalMean(a), 1) }

// oneMinusOverOnePlus returns (1-a)/(1+a) in Q0.31 for a in [0, 1), in Q0.31.
func oneMinusOverOnePlus(a int32) int32 { return shiftLeft(reciprocalMean(a)-one, 2) }

// reciprocalMean returns 2/(1+a) in Q2.29 for a in [0, 1), in Q0.31, by three
// Newton steps from a linear estimate.
func reciprocalMean(a int32) int32 {
	const (
		estimate = 1515870810  // 48/17
		slope    = -1010580540 // -32/17
	)
	half := int32((int64(a) + 1<<31) / 2) // (a+1)/2, of a non-negative sum with 2^31-1 for 1, rounded up
	x := estimate + mul(half, slope)
	for range 3 {
		x += shiftLeft(mul(x, one-mul(half, x)), 2)
	}
	return x
}

// fixedLogistic returns 1/(1+e^-a) in Q0.31 for a in Q4.27.
func fixedLogistic(a int32) int32 {
	switch {
	case a == 0:
		return 1 << 30
	case a > 0:
		return reciprocalOnePlus(expNegative(-a, 4))
	}
	return math.MaxInt32 - reciprocalOnePlus(expNegative(a, 4))
}

// fixedTanh returns the hyperbolic tangent in Q0.31 of a in Q4.27, by way of
// e^(-2|a|): the same bits with one integer bit more.
func fixedTanh(a int32) int32 {
	switch {
	case a == 0:
		return 0
	case a > 0:
		return oneMinusOverOnePlus(expNegative(-a, 5))
	}
	return -oneMinusOverOnePlus(expNegative(a, 5))
}
