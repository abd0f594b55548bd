package f32

import "github.com/goqat/goqat/quant"

// Summarize is [quant.Summarize], on the caller's goroutine.
func Summarize(row []float32) quant.Summary {
	var s quant.Summary
	s.Lo, s.Hi, s.NaN = level.minMax(row)
	s.Lo, s.Hi = s.Lo+0, s.Hi+0
	var sum [lanes]float32
	whole := len(row) &^ (lanes - 1)
	s.Nonzero = level.sumMagnitudes(sum[:], row[:whole]) + sumMagnitudesPortable(sum[:], row[whole:])
	s.Sum = tree(&sum)
	return s
}

// sumMagnitudesPortable adds magnitudes to the lanes, and returns how many are not zero.
func sumMagnitudesPortable(sum, x []float32) (nonzero int) {
	for i, v := range x {
		sum[i%lanes] += max(v, -v)
		if v != 0 {
			nonzero++
		}
	}
	return nonzero
}
