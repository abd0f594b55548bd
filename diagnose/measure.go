package diagnose

import (
	"encoding/json"
	"io"
	"math"
)

// Options say which samples are looked at. The zero value is the default.
type Options struct {
	// Samples is the number of rows, from the first on; 0 means 256.
	Samples int
	// BatchSize is the number of rows run at once; 0 means 32. It does not change
	// the result but for the rounding of sums.
	BatchSize int
	// Progress shows how far it is; nil for silence.
	Progress io.Writer
}

// Decibels is a ratio of powers as 10*log10; +Inf where nothing differs. JSON has
// null for what is not finite.
type Decibels float64

// MarshalJSON implements [json.Marshaler].
func (d Decibels) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(d))
}

// Error says how far values are from those they stand for.
type Error struct {
	// SQNR is the power of the reference divided by that of the difference.
	SQNR Decibels `json:"sqnr_db"`
	// Cosine of the angle between both, as vectors; 1 where both are zero.
	Cosine float64 `json:"cosine"`
	// Largest difference of two values.
	Largest float64 `json:"largest_error"`
}

// comparison sums what an [Error] is made of.
type comparison struct{ signal, noise, product, power, largest float64 }

// add compares more values.
func (c *comparison) add(reference, values []float32) {
	for i, r := range reference {
		a, b := float64(r), float64(values[i])
		c.signal += a * a
		c.power += b * b
		c.product += a * b
		c.noise += (a - b) * (a - b)
		c.largest = max(c.largest, math.Abs(a-b))
	}
}

// result returns the error over all values.
func (c *comparison) result() Error {
	e := Error{SQNR: Decibels(10 * math.Log10(c.signal/c.noise)), Cosine: 1, Largest: c.largest}
	switch {
	case c.noise == 0:
		e.SQNR = Decibels(math.Inf(1))
	case c.signal*c.power > 0:
		e.Cosine = c.product / math.Sqrt(c.signal*c.power)
	default: // one of both is zero
		e.Cosine = 0
	}
	return e
}
