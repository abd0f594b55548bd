package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/kernels/window"
)

// Window is the geometry of a convolution or pool over one NHWC image.
type Window struct {
	// A zero Stride or Dilation entry counts as 1.
	window.Window
	Channels int // of the input
}

// checked returns w with defaults filled in.
func (w Window) checked() (Window, error) {
	for axis := range 2 {
		w.Stride[axis] = max(w.Stride[axis], 1)
		w.Dilation[axis] = max(w.Dilation[axis], 1)
	}
	err := w.Check()
	if w.Channels <= 0 {
		err = errors.Join(err, fmt.Errorf("%d input channels", w.Channels))
	}
	return w, err
}

// inputSize is the number of elements of one input image.
func (w *Window) inputSize() int { return w.Pixels() * w.Channels }

// depth is the number of elements the window covers.
func (w *Window) depth() int { return w.Taps() * w.Channels }

// taps calls f with the offset in the image of the first channel under every
// tap inside the image, and the tap's number in the kernel.
func (w *Window) taps(position int, f func(tap, offset int)) {
	w.EachTap(position, func(tap, pixel int) { f(tap, pixel*w.Channels) })
}

// gather copies what the window covers at a position to dst [depth]; taps
// outside the image become outside.
func gather[T int8 | int16](w *Window, dst, image []T, position int, outside T) {
	top, left := w.Origin(position)
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
			gatherRow(w, to, image[y*w.Input[1]*w.Channels:], left, outside)
		}
	}
}

// gatherRow gathers one kernel row, tap by tap, from one image row.
func gatherRow[T int8 | int16](w *Window, dst, image []T, left int, outside T) {
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
func fill[T int8 | int16 | int32](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}
