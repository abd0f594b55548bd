package kerneltest

import (
	"math"

	"github.com/goqat/goqat/internal/kernels/f32"
)

// Add returns s + a*b as matrix products add: with one rounding where f32.Fused, else with the product rounded first.
func Add(s, a, b float32) float32 {
	if f32.Fused() {
		return fma(a, b, s)
	}
	return s + float32(a*b)
}

// fma returns a*b + c rounded once. The product of two float32 is exact in float64. Their sum with c is rounded to odd
// there: where it is not exact, the last bit is set. That keeps apart what the final rounding must tell apart.
//
// Source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd",
// IEEE Transactions on Computers 57 (2008).
func fma(a, b, c float32) float32 {
	p, q := float64(a)*float64(b), float64(c)
	s := p + q
	// The error of the sum, exactly (Knuth's two-sum).
	t := s - p
	e := (p - (s - t)) + (q - t)
	if e != 0 && e == e && math.Float64bits(s)&1 == 0 {
		if (e > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return float32(s)
}
