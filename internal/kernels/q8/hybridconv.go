package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// HybridConv2DSpec describes a CONV_2D operator with float32 activations and
// int8 weights.
type HybridConv2DSpec struct {
	Window     Window
	Outputs    int          // output channels
	Weight     quant.Params // per tensor, or one scale per output channel along axis 0; no zero points
	Activation quant.Activation
	Kernel     Kernel
}

// HybridConv2D is a prepared hybrid CONV_2D operator. It is read-only.
type HybridConv2D struct {
	window  Window
	spec    HybridConv2DSpec
	weights []int8
	bias    []float32
	packed  *matrix // nil: run the formula

	perChannel bool // the weight scales differ
}

// NewHybridConv2D prepares, for weights with one scale, or several that are all
// equal, and with q, s of each image by [QuantizeSymmetric],
//
//	y[p,o] = activation(float32(acc * float32(s*s_w)) + b[o]),  acc = sum over taps t in the image, channels i of w[o,t,i]*q[p+t,i]
//
// and for weights whose scales differ, with q, s, z of each image by
// [QuantizeAsymmetric],
//
//	y[p,o] = activation(float32(float32(acc*s_w[o])*s) + b[o]),  acc = the sum of w[o,t,i]*(q[p+t,i] - z)
//
// with an int32 sum and float32 rest. [TFLM] has no such kernel.
//
// Shapes: weights [Outputs, kernel height, kernel width, Window.Channels]; bias
// [Outputs], or nil.
//
// Errors: sizes that do not fit, scales that are not positive and finite,
// weights with a zero point.
//
// Source: LiteRT, tflite/kernels/conv.cc, EvalHybrid and EvalHybridPerChannel;
// tflite/kernels/internal/reference/conv.h.
func NewHybridConv2D(s HybridConv2DSpec, weights []int8, bias []float32) (*HybridConv2D, error) {
	window, err := s.Window.checked()
	err = errors.Join(err,
		checkWeights(s.Outputs, window.depth(), len(weights), len(bias), s.Weight),
		checkSymmetric(s.Weight),
	)
	if err != nil {
		return nil, fmt.Errorf("q8: hybrid convolution: %w", err)
	}
	c := &HybridConv2D{window: window, spec: s, weights: weights, bias: make([]float32, s.Outputs)}
	copy(c.bias, bias)
	for _, scale := range s.Weight.Scale {
		c.perChannel = c.perChannel || scale != s.Weight.Scale[0]
	}
	if s.Kernel == Fast {
		c.packed = newMatrix(weights, s.Outputs, window.depth())
	}
	return c, nil
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *HybridConv2D) Run(dst, src []float32, batch int) {
	in := quantizeRows(src, batch, c.window.inputSize(), c.perChannel)
	positions := c.window.Positions()
	if c.packed == nil {
		c.reference(dst, in)
	} else {
		// Outside the image stands its zero point: it adds nothing.
		outside := func(image int) int8 { return int8(in.zeros[image]) }
		c.packed.each(batch*positions, c.window.patches(in.codes, outside), func(row int, acc []int32) {
			image := row / positions
			for o, a := range acc {
				dst[row*c.spec.Outputs+o] = c.output(a-in.zeros[image]*c.packed.sums[o], in.scales[image], o)
			}
		})
	}
	clampReal(dst[:batch*positions*c.spec.Outputs], c.spec.Activation)
}

// output returns the output of an accumulator, before the activation.
func (c *HybridConv2D) output(acc int32, scale float32, o int) float32 {
	if c.perChannel {
		return float32(float32(float32(acc)*c.spec.Weight.Scale[o])*scale) + c.bias[o]
	}
	return float32(float32(acc)*float32(scale*c.spec.Weight.Scale[0])) + c.bias[o]
}

// reference is the formula.
func (c *HybridConv2D) reference(dst []float32, in quantized) {
	w := &c.window
	for n := range in.scales {
		image := in.codes[n*w.inputSize():]
		for p := range w.Positions() {
			for o := range c.spec.Outputs {
				acc := int32(0)
				w.taps(p, func(tap, offset int) {
					for i := range w.Channels {
						acc += int32(c.weights[o*w.depth()+tap*w.Channels+i]) * (int32(image[offset+i]) - in.zeros[n])
					}
				})
				dst[(n*w.Positions()+p)*c.spec.Outputs+o] = c.output(acc, in.scales[n], o)
			}
		}
	}
}
