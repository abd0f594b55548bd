package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// Conv2DSpec describes an int8 CONV_2D operator.
type Conv2DSpec struct {
	Window        Window
	Outputs       int          // output channels
	Input, Output quant.Params // per tensor
	Weight        quant.Params // per tensor, or one scale per output channel along axis 0
	Activation    quant.Activation
	Profile       Profile
	Kernel        Kernel
}

// Conv2D is a prepared int8 CONV_2D operator. It is read-only.
type Conv2D struct {
	window    Window
	outputs   int
	inputZero int32
	rescale   rescaler
	weights   []int8
	bias      []int32
	packed    *matrix // nil: run the formula, or vector
	folded    []int32 // bias for packed, which multiplies codes without zero points
	vector    *vectorConv
}

// NewConv2D prepares
//
//	y[p,o] = clamp(rescale(b[o] + sum over taps t in the image, channels i of w[o,t,i]*(x[p+t,i] - z_x)) + z_y)
//
// with an int32 accumulator that wraps around. rescale multiplies by the
// [quant.Multiplier] of the float64 quotient s_x*s_w[o]/s_y, also for per-tensor
// weights; in [XNNPACK] by the float32 quotient, and rounds half to even.
//
// Shapes: weights [Outputs, kernel height, kernel width, Window.Channels]; bias
// [Outputs] at scale s_x*s_w, or nil. Grouped convolution is not supported.
//
// Errors: sizes that do not fit, scales that are not positive and finite, zero
// points out of range, weights with a zero point; in XNNPACK no bias, and factors
// outside [2^-32, 2^8).
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/conv.h.
func NewConv2D(s Conv2DSpec, weights []int8, bias []int32) (*Conv2D, error) {
	window, err := s.Window.checked()
	err = errors.Join(err,
		checkBorders[int8, int8](s.Input, s.Output),
		checkWeights(s.Outputs, window.depth(), len(weights), len(bias), s.Weight),
		checkSymmetric(s.Weight),
	)
	if err != nil {
		return nil, fmt.Errorf("q8: convolution: %w", err)
	}
	rescale, err := s.Profile.biasedRescaler(s.Input, s.Output, channelScales(s.Weight, s.Outputs), s.Activation, bias)
	if err != nil {
		return nil, fmt.Errorf("q8: convolution: %w", err)
	}
	c := &Conv2D{
		window:    window,
		outputs:   s.Outputs,
		inputZero: s.Input.ZeroPoint[0],
		rescale:   rescale,
		weights:   weights,
		bias:      make([]int32, s.Outputs),
	}
	copy(c.bias, bias)
	switch {
	case s.Kernel == Reference:
	case level.lanes > 0:
		c.vector = newVectorConv(level, c)
	default:
		c.packed = newMatrix(weights, s.Outputs, window.depth())
		c.folded = c.packed.foldedBias(c.bias, c.inputZero)
	}
	return c, nil
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *Conv2D) Run(dst, src []int8, batch int) {
	if c.vector != nil {
		c.vector.run(dst, src, batch)
		return
	}
	if c.packed == nil {
		c.reference(dst, src, batch)
		return
	}
	// Outside the image stands the zero point: it adds nothing.
	outside := func(int) int8 { return int8(c.inputZero) }
	c.packed.each(batch*c.window.Positions(), c.window.patches(src, outside),
		func(row int, acc []int32) { c.rescale.biased(dst[row*c.outputs:][:c.outputs], acc, c.folded) })
}

// reference is the formula.
func (c *Conv2D) reference(dst, src []int8, batch int) {
	w := &c.window
	for n := range batch {
		image := src[n*w.inputSize():]
		for p := range w.Positions() {
			for o := range c.outputs {
				acc := c.bias[o]
				w.taps(p, func(tap, offset int) {
					for i := range w.Channels {
						acc += int32(c.weights[o*w.depth()+tap*w.Channels+i]) * (int32(image[offset+i]) - c.inputZero)
					}
				})
				dst[(n*w.Positions()+p)*c.outputs+o] = c.rescale.code(acc, o)
			}
		}
	}
}

// patches returns the function that gathers, for [matrix.each], what the window
// covers at successive positions of successive images. outside gives the code
// that stands outside an image.
func (w *Window) patches(src []int8, outside func(image int) int8) func(scratch []int8, lo, hi int) []int8 {
	return func(scratch []int8, lo, hi int) []int8 {
		depth := w.depth()
		for row := lo; row < hi; row++ {
			n, position := row/w.Positions(), row%w.Positions()
			image := src[n*w.inputSize():][:w.inputSize()]
			gather(w, scratch[(row-lo)*depth:][:depth], image, position, outside(n))
		}
		return scratch
	}
}
