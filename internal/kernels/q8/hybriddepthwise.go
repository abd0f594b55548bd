package q8

import (
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
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
	output    hybridOutput
	columns   *vectorDepthwise // nil: plain Go
	scratches *hybridScratches
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
	c, channels := &HybridDepthwiseConv2D{depthwise: d}, d.outputs
	if s.Kernel == Fast && level.lanes > 0 && d.window.Dilation[0] == 1 {
		c.columns = newVectorDepthwise(level, &d, make([]int32, d.outputs), 0, nil)
		channels = c.columns.channels
		c.scratches = newHybridScratches(level, c.columns.window.inputSize(), c.columns.size, len(c.columns.zero))
	}
	c.output = newHybridOutput(channels, channelScales(s.Weight, d.outputs), bias, s.Activation)
	for i, w := range weights {
		c.output.totals[i%d.outputs] += int32(w)
	}
	for i := d.outputs; i < channels; i++ {
		c.output.totals[i] = c.output.totals[i-d.outputs]
	}
	return c, nil
}

// Run computes dst [batch, output height, output width, outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *HybridDepthwiseConv2D) Run(dst, src []float32, batch int) {
	if c.columns != nil {
		c.vector(dst, src, batch)
		return
	}
	in := quantizeRows(src, batch, c.window.inputSize(), true)
	positions := c.window.Positions()
	c.each(in.codes, batch, func(image int) int32 { return in.zeros[image] }, func(row int, acc []int32) {
		scale, to := in.scales[row/positions], dst[row*c.outputs:][:c.outputs]
		for o, a := range acc {
			to[o] = c.output.value(a, scale, o)
		}
	})
	clampReal(dst[:batch*positions*c.outputs], c.output.activation)
}

// vector computes images by the routines of a level.
func (c *HybridDepthwiseConv2D) vector(dst, src []float32, batch int) {
	size, image, rows := c.window.Positions()*c.outputs, c.window.inputSize(), c.window.Output[0]
	perRow := c.window.Output[1] * len(c.weights)
	const products = vectorProducts / 8 // worth a goroutine: slower ones
	if batch == 1 {
		c.image(dst[:size], src[:image], parallel.Parts(rows, products/perRow+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, products/(perRow*rows)+1, parallel.MaxParts)
	parallel.Each(batch, parts, hybridImages{c, dst, src, size, image}, hybridImages.run)
}

// image computes one image, with its rows in parts.
func (c *HybridDepthwiseConv2D) image(dst, src []float32, parts int) {
	v := c.columns
	s := c.scratches.pool.Get().(*hybridScratch)
	scale, zero := quantizeRow(s.codes[:len(src)], src, true)
	if v.multiplier > 1 {
		w := workers.Get().(*worker)
		w.codes = append(w.codes[:0], s.codes[:len(src)]...)
		repeat(s.codes, w.codes, v.multiplier)
		w.free()
	}
	c.scratches.surround(s, zero)
	loadColumns(v, s.plane, s.codes, s.outside)
	parallel.Each(v.window.Output[0], parts, hybridParts{c, dst, s.plane, scale, zero}, hybridParts.run)
	c.scratches.pool.Put(s)
}

// part computes some output rows of an image.
func (c *HybridDepthwiseConv2D) part(dst []float32, plane []byte, scale float32, zero int32, lo, hi int) {
	w := workers.Get().(*worker)
	v := c.columns
	for step := v.rowsAtOnce(); lo < hi; lo += step {
		n := min(step, hi-lo)
		for i := range v.blocks {
			b := &v.blocks[i]
			v.sum(w, plane, b, lo, lo+n)
			c.output.write(w, dst[lo*v.width*v.channels+b.first:], v.channels, w.sums, v.level.lanes, b.first, b.count, n*v.width, scale, zero)
		}
	}
	w.free()
}
