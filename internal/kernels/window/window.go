package window

import (
	"errors"
	"fmt"
)

// Window is the geometry of a convolution or pool over one image. Each array is [height, width]; strides and dilations
// are at least 1.
//
// Output position o covers the input positions o*Stride - Pad + k*Dilation for k from 0 to Kernel-1; those outside the
// image are skipped. Padding after the image needs no number: it follows from Output.
type Window struct {
	Input, Output    [2]int
	Kernel           [2]int
	Stride, Dilation [2]int
	Pad              [2]int // rows above, columns to the left
}

// Complete returns w with Output and Pad by the rule for one axis.
func (w Window) Complete(rule func(in, kernel, stride, dilation int) (out, before int)) Window {
	for axis := range 2 {
		w.Output[axis], w.Pad[axis] = rule(w.Input[axis], w.Kernel[axis], w.Stride[axis], w.Dilation[axis])
	}
	return w
}

// Whole returns the window that covers a column of the given number of pixels at its only position.
func Whole(pixels int) Window {
	one, all := [2]int{1, 1}, [2]int{pixels, 1}
	return Window{Input: all, Output: one, Kernel: all, Stride: one, Dilation: one}
}

// Check reports sizes that cannot be.
func (w *Window) Check() error {
	var errs []error
	for axis, name := range []string{"height", "width"} {
		if min(w.Input[axis], w.Output[axis], w.Kernel[axis], w.Stride[axis], w.Dilation[axis]) < 1 || w.Pad[axis] < 0 {
			errs = append(errs, fmt.Errorf("%s: input %d, output %d, kernel %d, stride %d, dilation %d, pad %d",
				name, w.Input[axis], w.Output[axis], w.Kernel[axis], w.Stride[axis], w.Dilation[axis], w.Pad[axis]))
		}
	}
	return errors.Join(errs...)
}

// Pixels is the number of pixels of the input.
func (w *Window) Pixels() int { return w.Input[0] * w.Input[1] }

// Positions is the number of pixels of the output, which are numbered row by row.
func (w *Window) Positions() int { return w.Output[0] * w.Output[1] }

// Taps is the number of pixels that the kernel covers, which are numbered row by row.
func (w *Window) Taps() int { return w.Kernel[0] * w.Kernel[1] }

// Origin returns the input row and column under the first tap at an output position; either may be outside the image.
func (w *Window) Origin(position int) (y, x int) {
	return position/w.Output[1]*w.Stride[0] - w.Pad[0], position%w.Output[1]*w.Stride[1] - w.Pad[1]
}

// EachTap calls f, in order, for every tap that lies on a pixel of the image at an output position.
func (w *Window) EachTap(position int, f func(tap, pixel int)) {
	top, left := w.Origin(position)
	for ky := range w.Kernel[0] {
		y := top + ky*w.Dilation[0]
		for kx := range w.Kernel[1] {
			x := left + kx*w.Dilation[1]
			if y >= 0 && y < w.Input[0] && x >= 0 && x < w.Input[1] {
				f(ky*w.Kernel[1]+kx, y*w.Input[1]+x)
			}
		}
	}
}
