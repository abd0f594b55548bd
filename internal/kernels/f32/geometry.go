package f32

import "fmt"

// Padding says how a window treats the borders of an image.
type Padding uint8

const (
	// Same pads with total = max(0, (out-1)*stride + effective kernel - in) where out = ceil(in/stride): total/2 before,
	// the rest after (TensorFlow's SAME).
	Same Padding = iota
	// Valid pads nothing: out = floor((in - effective kernel)/stride) + 1.
	Valid
)

// Conv is the geometry of a 2-D convolution. Strides and dilations are at least 1; PadTop and PadLeft are the zero rows
// and columns before the image, and those after it follow from the output size.
type Conv struct {
	Batch, InH, InW, InC int
	OutH, OutW, OutC     int
	KernelH, KernelW     int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
}

// NewConv completes a geometry: it fills OutH, OutW, PadTop and PadLeft by the padding rule from the other fields.
// Strides and dilations of 0 mean 1. It is an error if a size is not positive or the kernel does not fit.
func NewConv(g Conv, p Padding) (Conv, error) {
	g.StrideH, g.StrideW = max(1, g.StrideH), max(1, g.StrideW)
	g.DilationH, g.DilationW = max(1, g.DilationH), max(1, g.DilationW)
	if g.Batch < 1 || g.InC < 1 || g.OutC < 1 {
		return g, fmt.Errorf("f32: convolution with batch %d, %d input and %d output channels: all must be positive", g.Batch, g.InC, g.OutC)
	}
	var err error
	if g.OutH, g.PadTop, err = window(p, g.InH, g.KernelH, g.StrideH, g.DilationH); err != nil {
		return g, fmt.Errorf("f32: convolution height: %w", err)
	}
	if g.OutW, g.PadLeft, err = window(p, g.InW, g.KernelW, g.StrideW, g.DilationW); err != nil {
		return g, fmt.Errorf("f32: convolution width: %w", err)
	}
	return g, nil
}

// InputLen is the number of elements of the input [Batch, InH, InW, InC].
func (g Conv) InputLen() int { return g.Batch * g.InH * g.InW * g.InC }

// OutputLen is the number of elements of the output [Batch, OutH, OutW, OutC].
func (g Conv) OutputLen() int { return g.pixels() * g.OutC }

// WeightsLen is the number of elements of the weights [OutC, KernelH, KernelW, InC].
func (g Conv) WeightsLen() int { return g.OutC * g.taps() }

// pixels is the number of output pixels of the batch, numbered in row-major order of [Batch, OutH, OutW].
func (g Conv) pixels() int { return g.Batch * g.OutH * g.OutW }

// taps is the number of products summed into one output element.
func (g Conv) taps() int { return g.KernelH * g.KernelW * g.InC }

// Pool is the geometry of a 2-D pooling; fields as in [Conv].
type Pool struct {
	Batch, InH, InW, Channels int
	OutH, OutW                int
	KernelH, KernelW          int
	StrideH, StrideW          int
	PadTop, PadLeft           int
}

// NewPool completes a geometry as [NewConv] does. Strides of 0 mean the kernel size, as in Keras.
func NewPool(g Pool, p Padding) (Pool, error) {
	if g.StrideH == 0 {
		g.StrideH = g.KernelH
	}
	if g.StrideW == 0 {
		g.StrideW = g.KernelW
	}
	if g.Batch < 1 || g.Channels < 1 {
		return g, fmt.Errorf("f32: pooling with batch %d and %d channels: both must be positive", g.Batch, g.Channels)
	}
	var err error
	if g.OutH, g.PadTop, err = window(p, g.InH, g.KernelH, g.StrideH, 1); err != nil {
		return g, fmt.Errorf("f32: pooling height: %w", err)
	}
	if g.OutW, g.PadLeft, err = window(p, g.InW, g.KernelW, g.StrideW, 1); err != nil {
		return g, fmt.Errorf("f32: pooling width: %w", err)
	}
	return g, nil
}

// InputLen is the number of elements of the input [Batch, InH, InW, Channels].
func (g Pool) InputLen() int { return g.Batch * g.InH * g.InW * g.Channels }

// OutputLen is the number of elements of the output [Batch, OutH, OutW, Channels].
func (g Pool) OutputLen() int { return g.Batch * g.OutH * g.OutW * g.Channels }

// window returns the output size and the padding before the first element along one axis.
func window(p Padding, in, kernel, stride, dilation int) (out, before int, err error) {
	if in < 1 || kernel < 1 || stride < 1 {
		return 0, 0, fmt.Errorf("input %d, kernel %d, stride %d: all must be positive", in, kernel, stride)
	}
	span := (kernel-1)*dilation + 1
	switch p {
	case Same:
		out = (in + stride - 1) / stride
		return out, max(0, (out-1)*stride+span-in) / 2, nil
	case Valid:
		if span > in {
			return 0, 0, fmt.Errorf("kernel %d with dilation %d spans %d of %d input elements", kernel, dilation, span, in)
		}
		return (in-span)/stride + 1, 0, nil
	}
	return 0, 0, fmt.Errorf("unknown padding %d", p)
}
