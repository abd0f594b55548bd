package synth

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// The streams of random values of this package; see internal/rng.
const (
	streamLine = 0x73796e74_00000001 + iota // "synt" in ASCII
	streamCentres
	streamBlobs
	streamImages
	streamSpeakers
	streamWords
	streamMotion
	streamMotor
	streamMachine
)

// Line is a synthetic regression problem in one variable:
//
//	y = Slope*x + Intercept + Noise*n, n standard normal
//
// at Rows values of x, evenly spaced from From to To. The zero value is y = 2x - 1 at x = -1, 0, 1, 2, 3, 4.
//
// Shapes: input [1], target [1].
type Line struct {
	Rows             int     // 0 means 6
	From, To         float64 // both 0 mean -1 and 4
	Slope, Intercept float64 // both 0 mean 2 and -1
	Noise            float64 // standard deviation of the noise
}

// Make builds the set.
//
// Errors: fewer than 2 rows, or values that are not finite float32 numbers.
func (l Line) Make(seed uint64) (*data.Memory, error) {
	if l.Rows == 0 {
		l.Rows = 6
	}
	if l.From == 0 && l.To == 0 {
		l.From, l.To = -1, 4
	}
	if l.Slope == 0 && l.Intercept == 0 {
		l.Slope, l.Intercept = 2, -1
	}
	if l.Rows < 2 {
		return nil, fmt.Errorf("synth: line: %d rows, want at least 2", l.Rows)
	}
	random := rng.New(seed, streamLine)
	x, y := make([]float32, l.Rows), make([]float32, l.Rows)
	for i := range x {
		// float64(...) around each product keeps the compiler from fusing it with the sum.
		at := l.From + float64((l.To-l.From)*float64(i))/float64(l.Rows-1)
		x[i] = float32(at)
		y[i] = float32(float64(l.Slope*at) + l.Intercept + float64(l.Noise*random.Normal()))
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: x, Y: y})
	if err != nil {
		return nil, fmt.Errorf("synth: line: %w", err)
	}
	return ds, nil
}
