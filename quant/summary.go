package quant

import (
	"fmt"
	"math"
)

// Summary is what an [Observer] notes of a row.
type Summary struct {
	// Lo and Hi are the extremes of what is not NaN: +Inf and -Inf of nothing.
	Lo, Hi float32
	// Sum is that of the magnitudes: lane l of 16 adds those with index l modulo 16, in
	// order, and the lanes are added pairwise (l and l+8, then l and l+4, l+2, l+1).
	Sum float32
	// Nonzero is how many values are not zero.
	Nonzero int
	// NaN says that there is one.
	NaN bool
}

// Summarize returns the summary of a row.
func Summarize(row []float32) Summary {
	s := Summary{Lo: float32(math.Inf(1)), Hi: float32(math.Inf(-1))}
	var lanes [16]float32
	for i, v := range row {
		if v != v {
			s.NaN = true
		} else {
			s.Lo, s.Hi = min(s.Lo, v)+0, max(s.Hi, v)+0 // never -0
		}
		if v != 0 {
			s.Nonzero++
		}
		lanes[i%16] += max(v, -v)
	}
	for half := 8; half > 0; half /= 2 {
		for l := range half {
			lanes[l] += lanes[l+half]
		}
	}
	s.Sum = lanes[0]
	return s
}

// Check reports the first value of the summarized row that is NaN or infinite.
func (s Summary) Check(row []float32) error {
	if !s.NaN && s.Lo >= -math.MaxFloat32 && s.Hi <= math.MaxFloat32 {
		return nil
	}
	for i, v := range row {
		if v-v != 0 {
			return fmt.Errorf("value %d is %v", i, v)
		}
	}
	return nil
}
