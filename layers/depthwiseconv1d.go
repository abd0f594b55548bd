package layers

import "github.com/goqat/goqat/graph"

// DepthwiseConv1D convolves every channel of series by itself, with
// DepthMultiplier kernels each: a [DepthwiseConv2D] on images of height 1.
//
// Shapes: x [N, L, C]; kernel [1, 1, Kernel, C*DepthMultiplier], where Keras has
// [Kernel, C, DepthMultiplier]; bias [C*DepthMultiplier];
// y [N, L', C*DepthMultiplier].
//
// Quantized: see [graph.DepthwiseConv2D].
//
// Errors: as [Conv1D].
//
// Source: Keras 3, DepthwiseConv1D.
type DepthwiseConv1D struct {
	Kernel          int
	Strides         int // zero: 1
	Dilation        int // zero: 1
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
func (l DepthwiseConv1D) Identity() (class, name string) { return "DepthwiseConv1D", l.Name }

// Lower implements [Layer].
func (l DepthwiseConv1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if err := checkWindow1D(l.Kernel, l.Strides, l.Dilation); err != nil {
		return nil, err
	}
	return b.series(x, DepthwiseConv2D{
		Kernel: across(l.Kernel), Strides: across(or1(l.Strides)), Dilation: across(or1(l.Dilation)), Padding: l.Padding,
		DepthMultiplier: l.DepthMultiplier, Activation: l.Activation, NoBias: l.NoBias, DepthwiseInit: l.DepthwiseInit, BiasInit: l.BiasInit,
		DepthwiseRegularizer: l.DepthwiseRegularizer, BiasRegularizer: l.BiasRegularizer,
		DepthwiseConstraint: l.DepthwiseConstraint, BiasConstraint: l.BiasConstraint,
	})
}

// SeparableConv1D is a [DepthwiseConv1D] without bias and activation, and a
// [Conv1D] of windows of one step that mixes its channels: a [SeparableConv2D]
// on images of height 1.
//
// Shapes: x [N, L, C]; depthwise_kernel [1, 1, Kernel, C*DepthMultiplier];
// pointwise_kernel [Filters, 1, 1, C*DepthMultiplier], where Keras has
// [1, C*DepthMultiplier, Filters]; bias [Filters]; y [N, L', Filters].
//
// Quantized: two operators; see [SeparableConv2D].
//
// Errors: as [Conv1D].
//
// Source: Keras 3, SeparableConv1D.
type SeparableConv1D struct {
	Filters         int
	Kernel          int
	Strides         int // zero: 1
	Dilation        int // zero: 1
	Padding         Padding
	DepthMultiplier int // channels between the two for each input channel; zero: 1
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
func (l SeparableConv1D) Identity() (class, name string) { return "SeparableConv1D", l.Name }

// Lower implements [Layer].
func (l SeparableConv1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if err := checkWindow1D(l.Kernel, l.Strides, l.Dilation); err != nil {
		return nil, err
	}
	return b.series(x, SeparableConv2D{
		Filters: l.Filters, Kernel: across(l.Kernel), Strides: across(or1(l.Strides)), Dilation: across(or1(l.Dilation)), Padding: l.Padding,
		DepthMultiplier: l.DepthMultiplier, Activation: l.Activation, NoBias: l.NoBias,
		DepthwiseInit: l.DepthwiseInit, PointwiseInit: l.PointwiseInit, BiasInit: l.BiasInit,
		DepthwiseRegularizer: l.DepthwiseRegularizer, PointwiseRegularizer: l.PointwiseRegularizer, BiasRegularizer: l.BiasRegularizer,
		DepthwiseConstraint: l.DepthwiseConstraint, PointwiseConstraint: l.PointwiseConstraint, BiasConstraint: l.BiasConstraint,
	})
}
