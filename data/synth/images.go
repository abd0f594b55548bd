package synth

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// Images is a synthetic image classification problem: each image shows one shape in a random size, place and
// brightness on a dark, noisy ground, and its class is the kind of shape. In order of class: filled square,
// frame, horizontal stripes, vertical stripes, checkerboard, plus, cross, disc. Row i belongs to class
// i mod Classes. The zero value has 200 grey images of 12x12 pixels in 4 classes.
//
// Shapes: input [Height, Width, Channels], values in 0..1; target [1], a class label.
type Images struct {
	Rows          int     // 0 means 200
	Height, Width int     // 0 means 12; at least 8
	Channels      int     // 0 means 1; a shape has another brightness in each channel
	Classes       int     // 0 means 4; at most 8
	Noise         float64 // standard deviation of the noise; 0 means 0.05, below 0 none
}

// shapes tell whether a shape of size*size pixels covers the pixel (r, c). Integer arithmetic only, so that the
// images are the same on every architecture.
var shapes = []func(r, c, size int) bool{
	func(r, c, size int) bool { return true },
	func(r, c, size int) bool { return r == 0 || c == 0 || r == size-1 || c == size-1 },
	func(r, c, size int) bool { return r%2 == 0 },
	func(r, c, size int) bool { return c%2 == 0 },
	func(r, c, size int) bool { return (r+c)%2 == 0 },
	func(r, c, size int) bool { return r == size/2 || c == size/2 },
	func(r, c, size int) bool { return r == c || r == size-1-c },
	func(r, c, size int) bool { // in half pixels around the centre, so that even sizes work too
		y, x := 2*r-(size-1), 2*c-(size-1)
		return y*y+x*x <= size*size
	},
}

const (
	minSide = 8 // of an image
	minSize = 5 // of a shape; below, some shapes look alike
)

// Make builds the set.
//
// Errors: sizes or counts outside the stated limits.
func (im Images) Make(seed uint64) (*data.Memory, error) {
	im.normalize()
	if im.Classes < 1 || im.Classes > len(shapes) || im.Rows < im.Classes {
		return nil, fmt.Errorf("synth: images: %d rows of %d classes, want 1 to %d classes", im.Rows, im.Classes, len(shapes))
	}
	if im.Height < minSide || im.Width < minSide || im.Channels < 1 {
		return nil, fmt.Errorf("synth: images: %dx%d pixels and %d channels, want at least %dx%d and 1",
			im.Height, im.Width, im.Channels, minSide, minSide)
	}
	size := im.Height * im.Width * im.Channels
	x, y := make([]float32, im.Rows*size), make([]float32, im.Rows)
	for i := range y {
		class := i % im.Classes
		y[i] = float32(class)
		im.draw(x[i*size:(i+1)*size], class, rng.New(seed, streamImages, uint64(i)))
	}
	ds, err := data.NewMemory(data.Arrays{
		InputShape: []int{im.Height, im.Width, im.Channels}, X: x, Y: y, Classes: im.Classes,
	})
	if err != nil {
		return nil, fmt.Errorf("synth: images: %w", err)
	}
	return ds, nil
}

func (im *Images) normalize() {
	for _, d := range []struct {
		value       *int
		replacement int
	}{{&im.Rows, 200}, {&im.Height, 12}, {&im.Width, 12}, {&im.Channels, 1}, {&im.Classes, 4}} {
		if *d.value == 0 {
			*d.value = d.replacement
		}
	}
	if im.Noise == 0 {
		im.Noise = 0.05
	}
	im.Noise = max(im.Noise, 0)
}

// draw fills one image in NHWC order.
func (im Images) draw(pixels []float32, class int, random *rng.Stream) {
	largest := min(im.Height, im.Width)
	size := minSize + random.IntN(largest-minSize+1)
	top, left := random.IntN(im.Height-size+1), random.IntN(im.Width-size+1)
	brightness := make([]float64, im.Channels)
	for c := range brightness {
		brightness[c] = 0.5 + float64(random.Float64()*0.5)
	}
	i := 0
	for row := range im.Height {
		for column := range im.Width {
			r, c := row-top, column-left
			covered := r >= 0 && r < size && c >= 0 && c < size && shapes[class](r, c, size)
			for channel := range im.Channels {
				v := float64(im.Noise * random.Normal())
				if covered {
					v += brightness[channel]
				}
				pixels[i] = float32(min(max(v, 0), 1))
				i++
			}
		}
	}
}
