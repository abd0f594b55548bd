package rng

import "math"

// Normal returns a standard normal value: mean 0, variance 1.
//
// It is Marsaglia's polar method with the second value of each pair dropped, so that a stream's state stays
// a key and a counter.
//
// Source: Marsaglia and Bray, "A Convenient Method for Generating Normal Variables", SIAM Review 6(3), 1964.
func (s *Stream) Normal() float64 {
	for {
		u := float64(2*s.Float64()) - 1
		v := float64(2*s.Float64()) - 1
		r := float64(u*u) + float64(v*v)
		if r > 0 && r < 1 {
			return u * math.Sqrt(-2*log(r)/r)
		}
	}
}

// TruncatedNormal returns a standard normal value conditioned on lying within two standard deviations:
// values beyond are drawn again, as Keras' truncated_normal does. Its standard deviation is 0.87962566;
// initializers that want a given variance divide by that.
func (s *Stream) TruncatedNormal() float64 {
	for {
		if x := s.Normal(); x >= -2 && x <= 2 {
			return x
		}
	}
}

// log is the natural logarithm of a positive normal number, to within a few units in the last place.
// math.Log is assembly on some architectures and differs there in the last bit.
//
// With x = m * 2^e, m in [sqrt(1/2), sqrt(2)) and t = (m-1)/(m+1):
//
//	log x = e*ln2 + 2*(t + t^3/3 + t^5/5 + ...)
//
// |t| <= 0.1716, so the first term left out, t^23/23, is below 1.2e-19.
func log(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	t := (m - 1) / (m + 1)
	square := float64(t * t)
	series := 0.0
	for k := 21; k >= 1; k -= 2 {
		series = float64(series*square) + 1/float64(k)
	}
	return float64(float64(e)*math.Ln2) + float64(2*t*series)
}
