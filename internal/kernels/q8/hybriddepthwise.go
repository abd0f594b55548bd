package q8

import (
	"fmt"

	"github.com/goqat/goqat/quant"
)

// HybridDepthwiseConv2DSpec describes a DEPTHWISE_CONV_2D operator with float32
// activations and int8 weights.
type HybridDepthwiseConv2DSpec struct {
	Window     Window
	Multiplier int          // output channels of each input channel
	Weight     quant.Params // per tensor, or one scale per output channel along axis 3; no zero points
	Activation quant.Activation
	Kernel     Kernel
}

// HybridDepthwiseConv2D is a prepared hybrid DEPTHWISE_CONV_2D operator. It is
// read-only.
type HybridDepthwiseConv2D struct {
	depthwise
	activation quant.Activation
	scales     []float32 // of the weights, per output channel
	bias       []float32
}

// NewHybridDepthwiseConv2D prepares, with q, s, z of each image by
// [QuantizeAsymmetric],
//
//	y[p,o] = activation(float32(acc * float32(s_w[o]*s)) + b[o]),  acc = sum over taps t in the image of w[t,o]*(q[p+t,o/Multiplier] - z)
//
// with an int32 sum and float32 rest. [TFLM] has no such kernel.
//
// Shapes: weights [1, kernel height, kernel width, outputs] with Multiplier
// outputs for each input channel; bias [outputs], or nil.
//
// Errors: those of [NewHybridConv2D].
//
// Source: LiteRT, tflite/kernels/depthwise_conv.cc, EvalHybridPerChannel;
// tflite/kernels/internal/reference/integer_ops/depthwise_conv.h.
func NewHybridDepthwiseConv2D(s HybridDepthwiseConv2DSpec, weights []int8, bias []float32) (*HybridDepthwiseConv2D, error) {
	d, err := newDepthwise(s.Window, s.Multiplier, weights, len(bias), s.Weight, s.Kernel)
	if err != nil {
		return nil, fmt.Errorf("q8: hybrid depthwise convolution: %w", err)
	}
	c := &HybridDepthwiseConv2D{
		depthwise:  d,
		activation: s.Activation,
		scales:     channelScales(s.Weight, d.outputs),
		bias:       make([]float32, d.outputs),
	}
	copy(c.bias, bias)
	return c, nil
}

// Run computes dst [batch, output height, output width, outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *HybridDepthwiseConv2D) Run(dst, src []float32, batch int) {
	in := quantizeRows(src, batch, c.window.inputSize(), true)
	positions := c.window.Positions()
	c.each(in.codes, batch, func(image int) int32 { return in.zeros[image] }, func(row int, acc []int32) {
		scale, to := in.scales[row/positions], dst[row*c.outputs:][:c.outputs]
		for o, a := range acc {
			to[o] = float32(float32(a)*float32(c.scales[o]*scale)) + c.bias[o]
		}
	})
	clampReal(dst[:batch*positions*c.outputs], c.activation)
}
