package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Conv2DTranspose is the transposed two-dimensional convolution of NHWC images,
// which makes them larger; see [graph.TransposeConv] for the formula.
//
// Shapes: x [N, H, W, C]; kernel [Filters, KH, KW, C], where Keras has
// [KH, KW, Filters, C]; bias [Filters]; y [N, H', W', Filters], where H' is
// H*stride with Same padding and (H-1)*stride + max(KH, stride) with Valid.
//
// Quantized: see [graph.TransposeConv]. TensorFlow Lite has neither dilation nor
// output padding here, so there are no fields for them.
//
// Errors: sizes that are not positive or too large; an input that is no image
// ([*graph.ShapeError]).
//
// Source: Keras 3, Conv2DTranspose, with output_padding None and dilation_rate 1.
type Conv2DTranspose struct {
	Filters    int
	Kernel     [2]int // height and width
	Strides    [2]int // down and right; zero: 1
	Padding    Padding
	Activation Activation
	NoBias     bool
	KernelInit Initializer // nil: GlorotUniform
	BiasInit   Initializer // nil: Zeros
	Name       string

	KernelRegularizer, BiasRegularizer Regularizer
	KernelConstraint, BiasConstraint   Constraint
}

// Identity implements [Layer].
func (l Conv2DTranspose) Identity() (class, name string) { return "Conv2DTranspose", l.Name }

// Lower implements [Layer].
func (l Conv2DTranspose) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	strides := pairOr(l.Strides, [2]int{1, 1})
	if l.Filters < 1 {
		return nil, fmt.Errorf("filters is %d, want a positive number", l.Filters)
	}
	op := graph.TransposeConv{Padding: l.Padding, StrideH: strides[0], StrideW: strides[1]}
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	if err := checkWindow(l.Padding, pair{"kernel", l.Kernel}, pair{"strides", strides}); err != nil {
		return nil, err
	}
	b.Rule("kernel", l.KernelRegularizer, l.KernelConstraint)
	b.Rule("bias", l.BiasRegularizer, l.BiasConstraint)
	// Keras counts the axes of its kernel as it does those of a convolution's:
	// inputs first, though here these are the outputs.
	window := l.Kernel[0] * l.Kernel[1]
	fan := Fan{In: l.Filters * window, Out: x.Shape[3] * window}
	kernel, err := b.Kernel("kernel", []int{l.Filters, l.Kernel[0], l.Kernel[1], x.Shape[3]}, fan, or(l.KernelInit, GlorotUniform{}))
	if err != nil {
		return nil, err
	}
	y, err := b.anchor(op, x, kernel, l.NoBias, l.BiasInit, l.Activation)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(y.Shape); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return y, nil
}
