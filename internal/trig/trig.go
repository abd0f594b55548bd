package trig

import "math"

// Sincos returns the sine and cosine of an angle in turns, to within a few units in the last place. Multiples
// of a quarter turn are exact. An angle that is not finite gives NaN.
//
// With q the nearest multiple of a quarter turn and x = 2*pi*(turns - q), the Taylor series of x, |x| <= pi/4,
// are summed from their smallest term. The first terms left out, x^19/19! and x^18/18!, are below 1e-17.
func Sincos(turns float64) (sin, cos float64) {
	turns -= math.Floor(turns)
	q := math.Floor(float64(turns*4) + 0.5)
	x := float64((turns - q/4) * (2 * math.Pi))
	square := float64(x * x)
	sin, cos = 1, 1
	for k := 16.0; k >= 2; k -= 2 {
		sin = 1 - float64(square*sin)/float64(k*(k+1))
		cos = 1 - float64(square*cos)/float64(k*(k-1))
	}
	sin = float64(x * sin)
	switch q {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}

// Sin returns the sine of an angle in turns.
func Sin(turns float64) float64 {
	sin, _ := Sincos(turns)
	return sin
}
