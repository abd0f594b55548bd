package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// DepthwiseConv2D convolves every channel of NHWC images by itself, with
// DepthMultiplier kernels each:
//
//	y[n,i,j,o] = activation(bias[o] + sum over u,v of
//	    x[n, i*stride+u*dilation-top, j*stride+v*dilation-left, o/DepthMultiplier] * kernel[0,u,v,o])
//
// Shapes: x [N, H, W, C]; kernel [1, KH, KW, C*DepthMultiplier], where Keras has
// [KH, KW, C, DepthMultiplier], the same numbers in the same order; bias
// [C*DepthMultiplier]; y [N, H', W', C*DepthMultiplier], with H' and W' by
// [graph.Padding].
//
// Quantized: see [graph.DepthwiseConv2D]. Prefer a recipe with one scale a
// channel: depthwise kernels of different channels differ much in size.
//
// Errors: sizes that are not positive; an input that is no image or, with Valid
// padding, smaller than the window ([*graph.ShapeError]). Unequal strides, and
// strides together with dilation, are fine here, which some of Keras' backends
// refuse.
//
// Source: Keras 3, DepthwiseConv2D.
type DepthwiseConv2D struct {
	Kernel          [2]int // height and width
	Strides         [2]int // down and right; zero: 1
	Dilation        [2]int // down and right; zero: 1
	Padding         Padding
	DepthMultiplier int // output channels of each input channel; zero: 1
	Activation      Activation
	NoBias          bool
	DepthwiseInit   Initializer // nil: GlorotUniform
	BiasInit        Initializer // nil: Zeros
	Name            string

	DepthwiseRegularizer, BiasRegularizer Regularizer
	DepthwiseConstraint, BiasConstraint   Constraint
}

// Identity implements [Layer].
func (l DepthwiseConv2D) Identity() (class, name string) { return "DepthwiseConv2D", l.Name }

// Lower implements [Layer].
func (l DepthwiseConv2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	b.Rule("kernel", l.DepthwiseRegularizer, l.DepthwiseConstraint)
	b.Rule("bias", l.BiasRegularizer, l.BiasConstraint)
	op, kernel, err := l.depthwise(b, x, "kernel")
	if err != nil {
		return nil, err
	}
	return b.anchor(op, x, kernel, l.NoBias, l.BiasInit, l.Activation)
}

// depthwise returns the operator and a new kernel of the given name.
func (l DepthwiseConv2D) depthwise(b *Builder, x *graph.Tensor, name string) (op graph.DepthwiseConv2D, kernel *graph.Tensor, err error) {
	strides, dilation := pairOr(l.Strides, [2]int{1, 1}), pairOr(l.Dilation, [2]int{1, 1})
	multiplier := or1(l.DepthMultiplier)
	if multiplier < 1 {
		return op, nil, fmt.Errorf("depth multiplier is %d, want a positive number", multiplier)
	}
	if err := b.checkImage("DEPTHWISE_CONV_2D", x); err != nil {
		return op, nil, err
	}
	if err := checkWindow(l.Padding, pair{"kernel", l.Kernel}, pair{"strides", strides}, pair{"dilation", dilation}); err != nil {
		return op, nil, err
	}
	// Keras counts the axes of its kernel as it does those of a convolution's.
	window := l.Kernel[0] * l.Kernel[1]
	fan := Fan{In: x.Shape[3] * window, Out: multiplier * window}
	kernel, err = b.Kernel(name, []int{1, l.Kernel[0], l.Kernel[1], x.Shape[3] * multiplier}, fan, or(l.DepthwiseInit, GlorotUniform{}))
	return graph.DepthwiseConv2D{
		Padding: l.Padding, StrideH: strides[0], StrideW: strides[1], DilationH: dilation[0], DilationW: dilation[1],
		DepthMultiplier: multiplier,
	}, kernel, err
}

// SeparableConv2D is a [DepthwiseConv2D] without bias and activation, and a
// [Conv2D] of 1x1 windows that mixes its channels:
//
//	h = depthwise convolution of x
//	y[n,i,j,o] = activation(bias[o] + sum over c of h[n,i,j,c] * pointwise_kernel[o,0,0,c])
//
// Shapes: x [N, H, W, C]; depthwise_kernel [1, KH, KW, C*DepthMultiplier];
// pointwise_kernel [Filters, 1, 1, C*DepthMultiplier], where Keras has
// [1, 1, C*DepthMultiplier, Filters]; bias [Filters]; y [N, H', W', Filters].
//
// Quantized: two operators, h too: see [graph.DepthwiseConv2D] and
// [graph.Conv2D].
//
// Errors: as [DepthwiseConv2D]; Filters that are not positive.
//
// Source: Keras 3, SeparableConv2D.
type SeparableConv2D struct {
	Filters         int
	Kernel          [2]int // height and width
	Strides         [2]int // down and right; zero: 1
	Dilation        [2]int // down and right; zero: 1
	Padding         Padding
	DepthMultiplier int // channels of h for each input channel; zero: 1
	Activation      Activation
	NoBias          bool
	DepthwiseInit   Initializer // nil: GlorotUniform
	PointwiseInit   Initializer // nil: GlorotUniform
	BiasInit        Initializer // nil: Zeros
	Name            string

	DepthwiseRegularizer, PointwiseRegularizer, BiasRegularizer Regularizer
	DepthwiseConstraint, PointwiseConstraint, BiasConstraint    Constraint
}

// Identity implements [Layer].
func (l SeparableConv2D) Identity() (class, name string) { return "SeparableConv2D", l.Name }

// Lower implements [Layer].
func (l SeparableConv2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if l.Filters < 1 {
		return nil, fmt.Errorf("filters is %d, want a positive number", l.Filters)
	}
	b.Rule("depthwise_kernel", l.DepthwiseRegularizer, l.DepthwiseConstraint)
	b.Rule("pointwise_kernel", l.PointwiseRegularizer, l.PointwiseConstraint)
	b.Rule("bias", l.BiasRegularizer, l.BiasConstraint)
	op, kernel, err := DepthwiseConv2D{
		Kernel: l.Kernel, Strides: l.Strides, Dilation: l.Dilation, Padding: l.Padding,
		DepthMultiplier: l.DepthMultiplier, DepthwiseInit: l.DepthwiseInit,
	}.depthwise(b, x, "depthwise_kernel")
	if err != nil {
		return nil, err
	}
	h, err := b.Add("depthwise", op, x, kernel)
	if err != nil {
		return nil, err
	}
	pointwise, err := b.Parameter("pointwise_kernel", []int{l.Filters, 1, 1, h.Shape[3]}, or(l.PointwiseInit, GlorotUniform{}))
	if err != nil {
		return nil, err
	}
	return b.anchor(graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, h, pointwise, l.NoBias, l.BiasInit, l.Activation)
}
