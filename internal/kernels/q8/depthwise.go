package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// DepthwiseConv2DSpec describes an int8 DEPTHWISE_CONV_2D operator.
type DepthwiseConv2DSpec struct {
	Window        Window
	Multiplier    int          // output channels of each input channel
	Input, Output quant.Params // per tensor
	Weight        quant.Params // per tensor, or one scale per output channel along axis 3
	Activation    quant.Activation
	Profile       Profile
	Kernel        Kernel
}

// DepthwiseConv2D is a prepared int8 DEPTHWISE_CONV_2D operator. It is read-only.
type DepthwiseConv2D struct {
	depthwise
	inputZero int32
	rescale   rescaler
	bias      []int32
	vector    *vectorDepthwise // nil: as the hybrid operator does
}

// NewDepthwiseConv2D prepares
//
//	y[p,o] = clamp(rescale(b[o] + sum over taps t in the image of w[t,o]*(x[p+t,o/Multiplier] - z_x)) + z_y)
//
// with an int32 accumulator that wraps around and the rescale of [NewConv2D].
//
// Shapes: weights [1, kernel height, kernel width, outputs] with Multiplier
// outputs for each input channel; bias [outputs] at scale s_x*s_w, or nil.
//
// Errors: those of [NewConv2D].
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/depthwise_conv.h.
func NewDepthwiseConv2D(s DepthwiseConv2DSpec, weights []int8, bias []int32) (*DepthwiseConv2D, error) {
	d, err := newDepthwise(s.Window, s.Multiplier, weights, len(bias), s.Weight, s.Kernel)
	var rescale rescaler
	if err = errors.Join(err, checkBorders[int8, int8](s.Input, s.Output)); err == nil {
		rescale, err = s.Profile.biasedRescaler(s.Input, s.Output, channelScales(s.Weight, d.outputs), s.Activation, bias)
	}
	if err != nil {
		return nil, fmt.Errorf("q8: depthwise convolution: %w", err)
	}
	c := &DepthwiseConv2D{
		depthwise: d,
		inputZero: s.Input.ZeroPoint[0],
		rescale:   rescale,
		bias:      make([]int32, d.outputs),
	}
	copy(c.bias, bias)
	if s.Kernel == Fast && level.lanes > 0 && d.window.Dilation[0] == 1 {
		c.vector = newVectorDepthwise(level, &c.depthwise, c.bias, c.inputZero, &c.rescale)
	}
	return c, nil
}

// Run computes dst [batch, output height, output width, outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *DepthwiseConv2D) Run(dst, src []int8, batch int) {
	if c.vector != nil {
		c.vector.run(dst, src[:batch*c.window.inputSize()], batch)
		return
	}
	c.each(src, batch, func(int) int32 { return c.inputZero },
		func(row int, acc []int32) { c.rescale.biased(dst[row*c.outputs:][:c.outputs], acc, c.bias) })
}

// depthwise multiplies every channel with weights of its own.
type depthwise struct {
	window              Window
	multiplier, outputs int
	weights             []int8 // [taps, outputs]
	reference           bool
}

// newDepthwise checks what depthwise operators have in common.
func newDepthwise(w Window, multiplier int, weights []int8, biases int, p quant.Params, k Kernel) (depthwise, error) {
	window, err := w.checked()
	d := depthwise{window, multiplier, window.Channels * multiplier, weights, k == Reference}
	if err == nil && multiplier < 1 {
		err = fmt.Errorf("depth multiplier %d", multiplier)
	}
	if err == nil {
		shape := []int{1, window.Kernel[0], window.Kernel[1], d.outputs}
		err = errors.Join(p.Check(shape), checkCounts(d.outputs, window.Taps(), len(weights), biases), checkSymmetric(p))
	}
	return d, err
}

// each hands the sums of all output pixels, one per output channel, to emit:
//
//	acc[o] = sum over taps t in the image of w[t,o]*(x[p+t,o/multiplier] - zero(image))
//
// Calls of emit for different rows run at the same time; acc is reused after emit
// returns.
func (d *depthwise) each(src []int8, batch int, zero func(image int) int32, emit func(row int, acc []int32)) {
	const products = 1 << 16 // worth a goroutine
	sum := depthwiseSums[int8]
	if d.reference {
		sum = (*depthwise).formula
	} else {
		src = repeated(src[:batch*d.window.inputSize()], d.multiplier)
	}
	rows, image := batch*d.window.Positions(), len(src)/batch
	parts := parallel.Parts(rows, products/len(d.weights)+1, parallel.MaxParts)
	parallel.For(parts, func(part int) {
		acc := make([]int32, d.outputs)
		lo, hi := parallel.Range(rows, parts, part)
		for row := lo; row < hi; row++ {
			n := row / d.window.Positions()
			sum(d, acc, src[n*image:], row%d.window.Positions(), zero(n))
			emit(row, acc)
		}
	})
}

// repeated returns src with every code n times; src itself for n = 1.
func repeated[T int8 | int16](src []T, n int) []T {
	if n == 1 {
		return src
	}
	dst := make([]T, len(src)*n)
	repeat(dst, src, n)
	return dst
}

// repeat writes every code of src n times to dst.
func repeat[T int8 | int16](dst, src []T, n int) {
	for i, q := range src {
		fill(dst[i*n:][:n], q)
	}
}

// depthwiseSums computes the sums of one output pixel from an image with repeated
// channels, three taps at a time.
func depthwiseSums[T int8 | int16](d *depthwise, acc []int32, image []T, position int, zero int32) {
	clear(acc)
	var tap, pixel [3]int
	n := 0
	d.window.EachTap(position, func(t, p int) {
		tap[n], pixel[n] = t*d.outputs, p*d.outputs
		if n++; n < len(tap) {
			return
		}
		n = 0
		w0, w1, w2 := d.weights[tap[0]:][:len(acc)], d.weights[tap[1]:][:len(acc)], d.weights[tap[2]:][:len(acc)]
		x0, x1, x2 := image[pixel[0]:][:len(acc)], image[pixel[1]:][:len(acc)], image[pixel[2]:][:len(acc)]
		for o, sum := range acc {
			acc[o] = sum + int32(w0[o])*(int32(x0[o])-zero) + int32(w1[o])*(int32(x1[o])-zero) + int32(w2[o])*(int32(x2[o])-zero)
		}
	})
	for i := range n {
		w, x := d.weights[tap[i]:][:len(acc)], image[pixel[i]:][:len(acc)]
		for o, sum := range acc {
			acc[o] = sum + int32(w[o])*(int32(x[o])-zero)
		}
	}
}

// formula computes the sums of one output pixel from the image as it is.
func (d *depthwise) formula(acc []int32, image []int8, position int, zero int32) {
	for o := range acc {
		acc[o] = 0
		d.window.taps(position, func(tap, offset int) {
			acc[o] += int32(d.weights[tap*d.outputs+o]) * (int32(image[offset+o/d.multiplier]) - zero)
		})
	}
}
