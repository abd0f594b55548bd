package quant

import "math"

// Grid is the inclusive interval of integer codes that a quantizer may use, and
// how values between them are rounded.
type Grid struct {
	Min, Max int32
	Ties     Ties
	// Sum, unless zero, replaces Ties: the value is the mean of codes, or a code
	// times a slope, and is rounded as the kernel rounds their sum.
	Sum Sum
	// Negative, unless zero, is the Sum of negative values.
	Negative Sum
}

// Sum says how a kernel gets a code from the sum of codes that a value is made of:
// MEAN from that of all its codes, LEAKY_RELU from a single one.
type Sum struct {
	// PerUnit is the sum for each unit of the value: for a mean the number of
	// codes, divided by their scale.
	PerUnit    float64
	Multiplier Multiplier
}

// SumOf returns the Sum of count codes of scale in, for a mean of scale out.
func SumOf(count int, in, out float32) Sum {
	return Sum{PerUnit: float64(count) / float64(in), Multiplier: MeanMultiplier(in, out, count)}
}

// LeakySums returns the Sums of one code of scale in, for the non-negative and the
// negative outputs, of scale out, of a LEAKY_RELU with a positive alpha.
func LeakySums(alpha, in, out float32) (identity, slope Sum) {
	m, below := LeakyMultipliers(alpha, in, out)
	return Sum{PerUnit: 1 / float64(in), Multiplier: m}, Sum{PerUnit: 1 / (float64(in) * float64(alpha)), Multiplier: below}
}

// code returns the code of the value x before saturation:
//
//	multiply(half_away(x*PerUnit)) + zero
//
// The float32 mean of some hundred codes gives back their exact sum.
func (s Sum) code(x float32, zero int32) int32 {
	const limit = 1 << 30 // the sum of some million codes
	sum := math.Round(min(max(float64(x)*s.PerUnit, -limit), limit))
	return s.Multiplier.Apply(int32(sum)) + zero
}

// Ties says which way a value halfway between two codes is rounded.
type Ties uint8

const (
	// FromZeroPoint rounds ties away from the zero point, as QUANTIZE and
	// requantization do: half_away(x/scale) + zero point.
	FromZeroPoint Ties = iota
	// FromCodeZero rounds ties away from code 0, as integer means of codes do:
	// half_away(x/scale + zero point). The mean of n codes is a multiple of 1/n,
	// known in float32 up to rounding error, so quotients within 2^-10 of a tie
	// count as ties: right for means of up to 512 codes.
	FromCodeZero
)

// Signed returns the two's-complement grid of the given width:
// [-2^(bits-1), 2^(bits-1)-1], or [-(2^(bits-1)-1), 2^(bits-1)-1] when narrow.
// Narrow grids are symmetric about zero; TensorFlow Lite uses them for weights.
func Signed(bits int, narrow bool) Grid {
	g := Grid{Min: -1 << (bits - 1), Max: 1<<(bits-1) - 1}
	if narrow {
		g.Min++
	}
	return g
}

// Contains reports whether code lies in the grid.
func (g Grid) Contains(code int32) bool { return g.Min <= code && code <= g.Max }

// Clamp saturates code to the grid.
func (g Grid) Clamp(code int32) int32 { return min(max(code, g.Min), g.Max) }
