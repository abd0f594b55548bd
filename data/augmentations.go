package data

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/internal/rng"
)

// Flip says along which axes [RandomFlip] mirrors.
type Flip uint8

const (
	FlipBoth       Flip = iota // left and right, and top and bottom, independently
	FlipHorizontal             // left and right
	FlipVertical               // top and bottom; of a series, first and last
)

// RandomFlip mirrors an input along each axis of its mode with probability 1/2. The zero value is Keras' default,
// both axes.
//
// Source: Keras, layer RandomFlip.
type RandomFlip struct{ Mode Flip }

func (f RandomFlip) check(shape []int) error {
	_, err := imageOf(shape)
	if err == nil && f.Mode > FlipVertical {
		err = fmt.Errorf("unknown mode %d", f.Mode)
	}
	return err
}

func (f RandomFlip) apply(x, _ []float32, shape []int, random *rng.Stream) {
	m, _ := imageOf(shape)
	horizontal, vertical := random.Uint64()>>63 == 1, random.Uint64()>>63 == 1
	if f.Mode != FlipVertical && horizontal {
		for row := range m.height {
			reverse(x[row*m.width*m.channels:], m.width, m.channels)
		}
	}
	if f.Mode != FlipHorizontal && vertical {
		reverse(x, m.height, m.width*m.channels)
	}
}

// image is the geometry of one input.
type image struct{ height, width, channels int }

// imageOf reads the shape of an image [height, width, channels] or a series [steps, channels].
func imageOf(shape []int) (image, error) {
	switch len(shape) {
	case 2:
		return image{shape[0], 1, shape[1]}, nil
	case 3:
		return image{shape[0], shape[1], shape[2]}, nil
	}
	return image{}, fmt.Errorf("needs images [height, width, channels] or series [steps, channels], not inputs of shape %v", shape)
}

// reverse turns around the order of n groups of size values.
func reverse(x []float32, n, size int) {
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		for k := range size {
			x[i*size+k], x[j*size+k] = x[j*size+k], x[i*size+k]
		}
	}
}

// GaussianNoise adds noise to every value:
//
//	x + StdDev*n, n standard normal
//
// Shapes: any. Nothing is clipped.
//
// Source: Keras, layer GaussianNoise.
type GaussianNoise struct {
	StdDev float64 // standard deviation, in the units of the inputs; required
}

func (g GaussianNoise) check([]int) error {
	if !(g.StdDev > 0 && g.StdDev <= math.MaxFloat32) {
		return fmt.Errorf("standard deviation %v is not positive and finite", g.StdDev)
	}
	return nil
}

func (g GaussianNoise) apply(x, _ []float32, _ []int, random *rng.Stream) {
	for i, v := range x {
		x[i] = float32(float64(v) + float64(g.StdDev*random.Normal()))
	}
}

// RandomErasing overwrites one rectangle in all channels. Its share of the image's area is uniform in
// [MinArea, MaxArea], its height / width uniform in [MinAspect, 1/MinAspect]; each side is rounded, is at least 1,
// and at most the image's. Its place is uniform among those inside the image.
//
// The zero value has the limits of the paper.
//
// Source: Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation", AAAI 2020.
type RandomErasing struct {
	Probability      float64 // that an input is changed at all; 0 means 0.5
	MinArea, MaxArea float64 // both 0 mean 0.02 and 0.4
	MinAspect        float64 // 0 means 0.3
	Value            float32 // what is written
}

func (e RandomErasing) withDefaults() RandomErasing {
	if e.Probability == 0 {
		e.Probability = 0.5
	}
	if e.MinArea == 0 && e.MaxArea == 0 {
		e.MinArea, e.MaxArea = 0.02, 0.4
	}
	if e.MinAspect == 0 {
		e.MinAspect = 0.3
	}
	return e
}

func (e RandomErasing) check(shape []int) error {
	_, err := imageOf(shape)
	e = e.withDefaults()
	switch {
	case err != nil:
		return err
	case !(e.Probability > 0 && e.Probability <= 1):
		return fmt.Errorf("probability %v is not in (0, 1]", e.Probability)
	case !(e.MinArea >= 0 && e.MinArea <= e.MaxArea && e.MaxArea <= 1):
		return fmt.Errorf("areas from %v to %v are not in order in [0, 1]", e.MinArea, e.MaxArea)
	case !(e.MinAspect > 0 && e.MinAspect <= 1):
		return fmt.Errorf("smallest aspect %v is not in (0, 1]", e.MinAspect)
	case notFinite(e.Value) != "":
		return errors.New("value is " + notFinite(e.Value))
	}
	return nil
}

func (e RandomErasing) apply(x, _ []float32, shape []int, random *rng.Stream) {
	e = e.withDefaults()
	if random.Float64() >= e.Probability {
		return
	}
	m, _ := imageOf(shape)
	area := uniform(random, e.MinArea, e.MaxArea) * float64(m.height*m.width)
	aspect := uniform(random, e.MinAspect, 1/e.MinAspect)
	// math.Sqrt and math.Round are exact by their definitions.
	side := func(length float64, limit int) int { return min(max(int(math.Round(length)), 1), limit) }
	height, width := side(math.Sqrt(area*aspect), m.height), side(math.Sqrt(area/aspect), m.width)
	top, left := random.IntN(m.height-height+1), random.IntN(m.width-width+1)
	for row := top; row < top+height; row++ {
		line := x[(row*m.width+left)*m.channels:][:width*m.channels]
		for i := range line {
			line[i] = e.Value
		}
	}
}

// uniform draws from [low, high).
func uniform(random *rng.Stream, low, high float64) float64 {
	return low + float64((high-low)*random.Float64())
}
