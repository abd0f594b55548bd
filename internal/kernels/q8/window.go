package q8

import (
	"errors"
	"fmt"
)

// Window is the geometry of a convolution or pool over one NHWC image. Each
// array is [height, width]. A zero Stride or Dilation entry counts as 1.
//
// Output position o covers the input positions o*Stride - Pad + k*Dilation for
// k from 0 to Kernel-1; those outside the image are skipped. Padding after the
// image needs no number: it follows from Output.
type Window struct {
	Input, Output    [2]int
	Kernel           [2]int
	Stride, Dilation [2]int
	Pad              [2]int // rows above, columns to the left
	Channels         int    // of the input
}

// checked returns w with defaults filled in.
func (w Window) checked() (Window, error) {
	var errs []error
	for axis, name := range []string{"height", "width"} {
		w.Stride[axis] = max(w.Stride[axis], 1)
		w.Dilation[axis] = max(w.Dilation[axis], 1)
		if w.Input[axis] <= 0 || w.Output[axis] <= 0 || w.Kernel[axis] <= 0 || w.Pad[axis] < 0 {
			errs = append(errs, fmt.Errorf("%s: input %d, output %d, kernel %d, pad %d",
				name, w.Input[axis], w.Output[axis], w.Kernel[axis], w.Pad[axis]))
		}
	}
	if w.Channels <= 0 {
		errs = append(errs, fmt.Errorf("%d input channels", w.Channels))
	}
	return w, errors.Join(errs...)
}

// inputSize is the number of elements of one input image.
func (w *Window) inputSize() int { return w.Input[0] * w.Input[1] * w.Channels }

// positions is the number of output positions of one image.
func (w *Window) positions() int { return w.Output[0] * w.Output[1] }

// depth is the number of elements the window covers.
func (w *Window) depth() int { return w.Kernel[0] * w.Kernel[1] * w.Channels }

// origin returns the input row and column under the window's first tap at an
// output position; either may be outside the image.
func (w *Window) origin(position int) (y, x int) {
	return position/w.Output[1]*w.Stride[0] - w.Pad[0], position%w.Output[1]*w.Stride[1] - w.Pad[1]
}

// taps calls f with the offset in the image of the first channel under every
// tap inside the image, and the tap's number in the kernel.
func (w *Window) taps(position int, f func(tap, offset int)) {
	top, left := w.origin(position)
	for ky := range w.Kernel[0] {
		y := top + ky*w.Dilation[0]
		for kx := range w.Kernel[1] {
			x := left + kx*w.Dilation[1]
			if y >= 0 && y < w.Input[0] && x >= 0 && x < w.Input[1] {
				f(ky*w.Kernel[1]+kx, (y*w.Input[1]+x)*w.Channels)
			}
		}
	}
}

// gather copies what the window covers at a position to dst [depth]; taps
// outside the image become outside.
func (w *Window) gather(dst, image []int8, position int, outside int8) {
	top, left := w.origin(position)
	row := w.Kernel[1] * w.Channels
	inside := w.Dilation[1] == 1 && left >= 0 && left+w.Kernel[1] <= w.Input[1]
	for ky := range w.Kernel[0] {
		y, to := top+ky*w.Dilation[0], dst[ky*row:][:row]
		switch {
		case y < 0 || y >= w.Input[0]:
			fill(to, outside)
		case inside:
			copy(to, image[(y*w.Input[1]+left)*w.Channels:])
		default:
			w.gatherRow(to, image[y*w.Input[1]*w.Channels:], left, outside)
		}
	}
}

// gatherRow gathers one kernel row, tap by tap, from one image row.
func (w *Window) gatherRow(dst, image []int8, left int, outside int8) {
	for kx := range w.Kernel[1] {
		x, to := left+kx*w.Dilation[1], dst[kx*w.Channels:][:w.Channels]
		if x < 0 || x >= w.Input[1] {
			fill(to, outside)
		} else {
			copy(to, image[x*w.Channels:])
		}
	}
}

// fill sets every element of dst to v.
func fill(dst []int8, v int8) {
	for i := range dst {
		dst[i] = v
	}
}
