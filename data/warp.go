package data

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/internal/trig"
)

// Fill says what lies outside an image that is moved. Keras' default, reflection, is not offered.
type Fill uint8

const (
	FillConstant Fill = iota // zeros
	FillNearest              // the nearest pixel of the border
)

// RandomTranslation moves an image by dy pixels down and dx to the right, uniform in [-Height, Height) times the
// height and [-Width, Width) times the width. Between pixels it interpolates:
//
//	y(r, c) = x(r-dy, c-dx)
//	x(r, c) = (1-u)*(1-v)*x(i, j) + (1-u)*v*x(i, j+1) + u*(1-v)*x(i+1, j) + u*v*x(i+1, j+1)
//	i = floor(r), j = floor(c), u = r-i, v = c-j
//
// It is computed in float64 along columns, then rows, each as a + t*(b-a), and rounded once to float32.
//
// Source: Keras, layer RandomTranslation with bilinear interpolation.
type RandomTranslation struct {
	Height, Width float64 // largest shift as a fraction of each side, 0 to 1; a series moves by Height
	Fill          Fill
}

func (t RandomTranslation) check(shape []int) error {
	if _, err := imageOf(shape); err != nil {
		return err
	}
	for _, f := range []float64{t.Height, t.Width} {
		if !(f >= 0 && f <= 1) {
			return fmt.Errorf("shift by %v of a side is not in [0, 1]", f)
		}
	}
	if t.Height == 0 && (t.Width == 0 || len(shape) == 2) {
		return fmt.Errorf("shifts by nothing")
	}
	return t.Fill.check()
}

func (f Fill) check() error {
	if f > FillNearest {
		return fmt.Errorf("unknown fill %d", f)
	}
	return nil
}

func (t RandomTranslation) apply(x, scratch []float32, shape []int, random *rng.Stream) {
	m, _ := imageOf(shape)
	dy := float64(uniform(random, -t.Height, t.Height) * float64(m.height))
	dx := float64(uniform(random, -t.Width, t.Width) * float64(m.width))
	if len(shape) == 2 {
		dx = 0
	}
	m.warp(x, scratch, affine{cos: 1, down: -dy, right: -dx}, t.Fill)
}

// RandomRotation turns an image around its centre by an angle that is uniform in [-Factor, Factor) turns, counter-
// clockwise where it is positive. With the centre (cy, cx) = ((height-1)/2, (width-1)/2) and the angle a:
//
//	y(r, c) = x(cy + (r-cy)*cos(a) + (c-cx)*sin(a), cx + (c-cx)*cos(a) - (r-cy)*sin(a))
//
// interpolated as by [RandomTranslation].
//
// Source: Keras, layer RandomRotation with bilinear interpolation.
type RandomRotation struct {
	Factor float64 // largest angle in turns, up to 1: 0.05 is 18 degrees; required
	Fill   Fill
}

func (t RandomRotation) check(shape []int) error {
	if len(shape) != 3 {
		return fmt.Errorf("needs images [height, width, channels], not inputs of shape %v", shape)
	}
	if !(t.Factor > 0 && t.Factor <= 1) {
		return fmt.Errorf("factor %v is not in (0, 1]", t.Factor)
	}
	return t.Fill.check()
}

func (t RandomRotation) apply(x, scratch []float32, shape []int, random *rng.Stream) {
	m, _ := imageOf(shape)
	sin, cos := trig.Sincos(uniform(random, -t.Factor, t.Factor))
	m.warp(x, scratch, affine{sin: sin, cos: cos}, t.Fill)
}

// affine says where the pixel at (r, c), seen from the centre, comes from:
//
//	(r*cos + c*sin + down, c*cos - r*sin + right)
type affine struct{ sin, cos, down, right float64 }

// warp moves the pixels of x. float64(...) around each product keeps the compiler from fusing it with a sum, so
// that all architectures compute the same bits.
func (m image) warp(x, scratch []float32, a affine, fill Fill) {
	copy(scratch, x)
	cy, cx := float64(m.height-1)/2, float64(m.width-1)/2
	border := make([]float32, 4*m.channels)
	for row := range m.height {
		r := float64(row) - cy
		for column := range m.width {
			c := float64(column) - cx
			fromRow := cy + (float64(r*a.cos) + float64(c*a.sin)) + a.down
			fromColumn := cx + (float64(c*a.cos) - float64(r*a.sin)) + a.right
			m.sample(x[(row*m.width+column)*m.channels:][:m.channels], scratch, border, fromRow, fromColumn, fill)
		}
	}
}

// sample interpolates the pixel at (r, c) of x, which may lie outside. It has border for its own use.
func (m image) sample(to, x, border []float32, r, c float64, fill Fill) {
	floorRow, floorColumn := math.Floor(r), math.Floor(c)
	u, v := r-floorRow, c-floorColumn
	i, j := int(floorRow), int(floorColumn)
	var p, q []float32 // the pixels (i, j) and (i+1, j), each followed by the one to its right
	if i >= 0 && j >= 0 && i+1 < m.height && j+1 < m.width {
		p = x[(i*m.width+j)*m.channels:][:2*m.channels]
		q = x[((i+1)*m.width+j)*m.channels:][:2*m.channels]
	} else {
		p, q = border[:2*m.channels], border[2*m.channels:]
		m.pair(p, x, i, j, fill)
		m.pair(q, x, i+1, j, fill)
	}
	for k := range to {
		left, right := float64(p[k]), float64(p[m.channels+k])
		top := left + float64(v*(right-left))
		left, right = float64(q[k]), float64(q[m.channels+k])
		bottom := left + float64(v*(right-left))
		to[k] = float32(top + float64(u*(bottom-top)))
	}
}

// pair copies a pixel and the one to its right, of which any may lie outside.
func (m image) pair(to, x []float32, row, column int, fill Fill) {
	clear(to)
	for n := range 2 {
		r, c := row, column+n
		if fill == FillNearest {
			r, c = min(max(r, 0), m.height-1), min(max(c, 0), m.width-1)
		}
		if r >= 0 && r < m.height && c >= 0 && c < m.width {
			copy(to[n*m.channels:], x[(r*m.width+c)*m.channels:][:m.channels])
		}
	}
}
