package synth

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// Blobs is a synthetic classification problem: each class is a cloud of points, normally distributed around
// a centre with standard deviation Spread in every feature. The centres lie in the cube [-1, 1]^Features,
// far apart from each other; row i belongs to class i mod Classes. The zero value has 300 points of 3 classes
// in the plane.
//
// Shapes: input [Features], target [1], a class label.
type Blobs struct {
	Rows     int     // 0 means 300
	Classes  int     // 0 means 3
	Features int     // 0 means 2
	Spread   float64 // 0 means 0.1
}

// Make builds the set.
//
// Errors: a negative count, fewer rows than classes, or a spread that leads to values beyond float32.
func (b Blobs) Make(seed uint64) (*data.Memory, error) {
	if b.Rows == 0 {
		b.Rows = 300
	}
	if b.Classes == 0 {
		b.Classes = 3
	}
	if b.Features == 0 {
		b.Features = 2
	}
	if b.Spread == 0 {
		b.Spread = 0.1
	}
	if b.Classes < 1 || b.Features < 1 || b.Rows < b.Classes {
		return nil, fmt.Errorf("synth: blobs: %d rows of %d classes and %d features", b.Rows, b.Classes, b.Features)
	}
	centres := b.centres(rng.New(seed, streamCentres))
	random := rng.New(seed, streamBlobs)
	x := make([]float32, 0, b.Rows*b.Features)
	y := make([]float32, b.Rows)
	for i := range y {
		y[i] = float32(i % b.Classes)
		for _, c := range centres[i%b.Classes] {
			x = append(x, float32(c+float64(b.Spread*random.Normal())))
		}
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{b.Features}, X: x, Y: y, Classes: b.Classes})
	if err != nil {
		return nil, fmt.Errorf("synth: blobs: %w", err)
	}
	return ds, nil
}

// centres draws 32 candidates for each centre and keeps the one farthest from the centres before it
// (Mitchell's best-candidate sampling).
func (b Blobs) centres(random *rng.Stream) [][]float64 {
	var centres [][]float64
	for range b.Classes {
		var best []float64
		farthest := -1.0
		for range 32 {
			candidate := make([]float64, b.Features)
			for f := range candidate {
				candidate[f] = float64(2*random.Float64()) - 1
			}
			if d := nearest(candidate, centres); d > farthest {
				best, farthest = candidate, d
			}
		}
		centres = append(centres, best)
	}
	return centres
}

// nearest is the squared distance from p to the closest of points, or 0 if there are none.
func nearest(p []float64, points [][]float64) float64 {
	least := 0.0
	for i, q := range points {
		sum := 0.0
		for f := range p {
			d := p[f] - q[f]
			sum += float64(d * d)
		}
		if i == 0 || sum < least {
			least = sum
		}
	}
	return least
}
