package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
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
	hybridOutput
	window     Window
	weights    []int8
	perChannel bool    // the weight scales differ
	packed     *matrix // nil: run the formula, or product

	product   *product
	plane     *plane
	pixels    []int32
	scratches *hybridScratches
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
	c := &HybridConv2D{
		window: window, weights: weights,
		hybridOutput: newHybridOutput(s.Outputs, channelScales(s.Weight, s.Outputs), bias, s.Activation),
	}
	for _, scale := range s.Weight.Scale {
		c.perChannel = c.perChannel || scale != s.Weight.Scale[0]
	}
	c.last = c.perChannel
	switch {
	case s.Kernel == Reference:
	case level.lanes > 0:
		c.setTotals(weights)
		c.plane = newPlane(level, &c.window, 0)
		c.pixels = c.plane.pixels(&c.window)
		segments, depth := c.plane.segments(&c.window)
		c.product = newProduct(level, weights, s.Outputs, segments, depth, make([]int32, s.Outputs), 0, nil)
		c.scratches = newHybridScratches(level, window.inputSize(), c.plane.size, 0)
	default:
		c.setTotals(weights)
		c.packed = newMatrix(weights, s.Outputs, window.depth())
	}
	return c, nil
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, Window.Channels].
func (c *HybridConv2D) Run(dst, src []float32, batch int) {
	if c.product != nil {
		c.vector(dst, src, batch)
		return
	}
	in := quantizeRows(src, batch, c.window.inputSize(), c.perChannel)
	positions := c.window.Positions()
	if c.packed == nil {
		c.reference(dst, in)
		return
	}
	// Outside the image stands its zero point: it adds nothing.
	outside := func(image int) int8 { return int8(in.zeros[image]) }
	c.packed.each(batch*positions, c.window.patches(in.codes, outside), func(row int, acc []int32) {
		image := row / positions
		c.write(nil, dst[row*c.outputs:], 0, acc, 0, 0, c.outputs, 1, in.scales[image], in.zeros[image])
	})
}

// reference is the formula.
func (c *HybridConv2D) reference(dst []float32, in quantized) {
	w := &c.window
	for n := range in.scales {
		image := in.codes[n*w.inputSize():]
		for p := range w.Positions() {
			for o := range c.outputs {
				acc := int32(0)
				w.taps(p, func(tap, offset int) {
					for i := range w.Channels {
						acc += int32(c.weights[o*w.depth()+tap*w.Channels+i]) * (int32(image[offset+i]) - in.zeros[n])
					}
				})
				dst[(n*w.Positions()+p)*c.outputs+o] = c.value(acc, in.scales[n], o)
			}
		}
	}
	clampReal(dst[:len(in.scales)*w.Positions()*c.outputs], c.activation)
}

// vector computes images by the routines of a level.
func (c *HybridConv2D) vector(dst, src []float32, batch int) {
	positions := c.window.Positions()
	size, perPixel := positions*c.outputs, c.outputs*c.window.depth()
	if batch == 1 {
		c.image(dst[:size], src, parallel.Parts(positions, vectorProducts/perPixel+1, parallel.MaxParts))
		return
	}
	parts := parallel.Parts(batch, vectorProducts/(perPixel*positions)+1, parallel.MaxParts)
	parallel.Each(batch, parts, hybridImages{c, dst, src, size, c.window.inputSize()}, hybridImages.run)
}

// hybridImages are images of a batch.
type hybridImages struct {
	op interface {
		image(dst, src []float32, parts int)
	}
	dst, src  []float32
	size, row int // of an output, of an input
}

func (h hybridImages) run(lo, hi int) {
	for n := lo; n < hi; n++ {
		h.op.image(h.dst[n*h.size:][:h.size], h.src[n*h.row:][:h.row], 1)
	}
}

// image computes one image, with its positions in parts.
func (c *HybridConv2D) image(dst, src []float32, parts int) {
	s, scale, zero := c.scratches.take(c.plane, src, c.perChannel)
	parallel.Each(len(c.pixels), parts, hybridParts{c, dst, s.plane, scale, zero}, hybridParts.run)
	c.scratches.pool.Put(s)
}

// hybridParts are the parts of an image.
type hybridParts struct {
	op interface {
		part(dst []float32, plane []byte, scale float32, zero int32, lo, hi int)
	}
	dst   []float32
	plane []byte
	scale float32
	zero  int32
}

func (h hybridParts) run(lo, hi int) { h.op.part(h.dst, h.plane, h.scale, h.zero, lo, hi) }

// part computes some positions of an image.
func (c *HybridConv2D) part(dst []float32, plane []byte, scale float32, zero int32, lo, hi int) {
	w := workers.Get().(*worker)
	for ; lo < hi; lo += rowsAtOnce {
		n := min(rowsAtOnce, hi-lo)
		c.product.sum(w, plane, c.pixels[lo:lo+n])
		c.write(w, dst[lo*c.outputs:], c.outputs, w.sums, c.product.width, 0, c.outputs, n, scale, zero)
	}
	w.free()
}
