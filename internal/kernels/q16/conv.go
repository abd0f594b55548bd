package q16

import (
	"fmt"

	"github.com/goqat/goqat/internal/kernels/q8"
)

// Conv2D is a prepared CONV_2D operator. It is read-only.
type Conv2D struct {
	*sums
	window q8.Window
}

// NewConv2D prepares
//
//	y[p,o] = clamp(round((b[o] + sum over taps t in the image, channels i of w[o,t,i]*x[p+t,i]) * s_x*s_w[o]/s_y))
//
// with an int64 sum, multiplied by [quant.Multiplier.Apply64], the same in every
// profile.
//
// Shapes: weights [Outputs, kernel height, kernel width, channels]; bias [Outputs]
// at scale s_x*s_w, or nil.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/conv.h.
func NewConv2D(l Linear, w q8.Window, weights []int8, bias []int64) (*Conv2D, error) {
	if err := w.Check(); err != nil {
		return nil, fmt.Errorf("q16: convolution: %w", err)
	}
	s, err := l.sums("convolution", w.Taps()*w.Channels, weights, bias)
	if err != nil {
		return nil, err
	}
	s.accelerate(l.Kernel, w, 0)
	return &Conv2D{s, w}, nil
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, channels].
func (c *Conv2D) Run(dst, src []int16, batch int) {
	if c.words != nil {
		c.words.Run(dst, src, batch)
		return
	}
	w, outputs, channels := &c.window, len(c.bias), c.window.Channels
	depth := w.Taps() * channels
	each(batch*w.Positions(), depth*outputs, func(lo, hi int) {
		acc := make([]int64, outputs)
		for p := lo; p < hi; p++ {
			image := src[p/w.Positions()*w.Pixels()*channels:]
			copy(acc, c.bias)
			w.EachTap(p%w.Positions(), func(tap, pixel int) {
				for o := range acc {
					acc[o] += dot(c.weights[o*depth+tap*channels:][:channels], image[pixel*channels:])
				}
			})
			for o, sum := range acc {
				dst[p*outputs+o] = c.code(sum, o)
			}
		}
	})
}

// DepthwiseConv2D is a prepared DEPTHWISE_CONV_2D operator. It is read-only.
type DepthwiseConv2D struct {
	*sums
	window     q8.Window
	multiplier int
}

// NewDepthwiseConv2D prepares a convolution of every channel by itself, output o
// reading channel o/multiplier, as [NewConv2D].
//
// Shapes: weights [kernel height, kernel width, Outputs]; bias [Outputs] at scale
// s_x*s_w, or nil.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/depthwise_conv.h.
func NewDepthwiseConv2D(l Linear, w q8.Window, multiplier int, weights []int8, bias []int64) (*DepthwiseConv2D, error) {
	if err := w.Check(); err != nil || multiplier*w.Channels != l.Outputs {
		return nil, fmt.Errorf("q16: depthwise convolution: %d outputs of %d channels times %d: %w", l.Outputs, w.Channels, multiplier, err)
	}
	s, err := l.sums("depthwise convolution", w.Taps(), weights, bias)
	if err != nil {
		return nil, err
	}
	s.accelerate(l.Kernel, w, multiplier)
	return &DepthwiseConv2D{s, w, multiplier}, nil
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, channels].
func (c *DepthwiseConv2D) Run(dst, src []int16, batch int) {
	if c.words != nil {
		c.words.Run(dst, src, batch)
		return
	}
	w, outputs := &c.window, len(c.bias)
	each(batch*w.Positions(), w.Taps()*outputs, func(lo, hi int) {
		acc := make([]int64, outputs)
		for p := lo; p < hi; p++ {
			image := src[p/w.Positions()*w.Pixels()*w.Channels:]
			copy(acc, c.bias)
			w.EachTap(p%w.Positions(), func(tap, pixel int) {
				x := image[pixel*w.Channels:]
				for o, v := range c.weights[tap*outputs:][:outputs] {
					acc[o] += int64(int32(v) * int32(x[o/c.multiplier]))
				}
			})
			for o, sum := range acc {
				dst[p*outputs+o] = c.code(sum, o)
			}
		}
	})
}
