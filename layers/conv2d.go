package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Padding says how a window meets the border of an image.
type Padding = graph.Padding

// The paddings. The zero value is Valid, as in Keras.
const (
	Valid = graph.Valid // only whole windows
	Same  = graph.Same  // ceil(size/stride) positions, zeros around
)

// Conv2D is the two-dimensional convolution of NHWC images:
//
//	y[n,i,j,o] = activation(bias[o] + sum over u,v,c of
//	    x[n, i*stride+u*dilation-top, j*stride+v*dilation-left, c] * kernel[o,u,v,c])
//
// Shapes: x [N, H, W, C]; kernel [Filters, KH, KW, C], where Keras has
// [KH, KW, C, Filters]; bias [Filters]; y [N, H', W', Filters], with H' and W' by
// [graph.Padding].
//
// Quantized: see [graph.Conv2D].
//
// Errors: sizes that are not positive; strides together with dilation, which
// Keras refuses too; an input that is no image or, with Valid padding, smaller
// than the window ([*graph.ShapeError]).
//
// Source: Keras 3, Conv2D.
type Conv2D struct {
	Filters    int
	Kernel     [2]int // height and width
	Strides    [2]int // down and right; zero: 1
	Dilation   [2]int // down and right; zero: 1
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
func (l Conv2D) Identity() (class, name string) { return "Conv2D", l.Name }

// Lower implements [Layer].
func (l Conv2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	strides, dilation := pairOr(l.Strides, [2]int{1, 1}), pairOr(l.Dilation, [2]int{1, 1})
	switch {
	case l.Filters < 1:
		return nil, fmt.Errorf("filters is %d, want a positive number", l.Filters)
	case max(strides[0], strides[1]) > 1 && max(dilation[0], dilation[1]) > 1:
		return nil, fmt.Errorf("strides %v together with dilation %v: one of them must be 1", strides, dilation)
	}
	if err := b.checkImage("CONV_2D", x); err != nil {
		return nil, err
	}
	if err := checkWindow(l.Padding, pair{"kernel", l.Kernel}, pair{"strides", strides}, pair{"dilation", dilation}); err != nil {
		return nil, err
	}
	b.Rule("kernel", l.KernelRegularizer, l.KernelConstraint)
	b.Rule("bias", l.BiasRegularizer, l.BiasConstraint)
	kernel, err := b.Parameter("kernel", []int{l.Filters, l.Kernel[0], l.Kernel[1], x.Shape[3]}, or(l.KernelInit, GlorotUniform{}))
	if err != nil {
		return nil, err
	}
	return b.anchor(graph.Conv2D{
		Padding: l.Padding, StrideH: strides[0], StrideW: strides[1], DilationH: dilation[0], DilationW: dilation[1],
	}, x, kernel, l.NoBias, l.BiasInit, l.Activation)
}

// pair is a field of two sizes, by name.
type pair struct {
	field string
	sizes [2]int
}

// checkWindow refuses unknown paddings and sizes that make no window.
func checkWindow(p Padding, pairs ...pair) error {
	if p != Valid && p != Same {
		return fmt.Errorf("unknown padding %d", uint8(p))
	}
	for _, q := range pairs {
		if min(q.sizes[0], q.sizes[1]) < 1 {
			return fmt.Errorf("%s is %v, want two positive numbers", q.field, q.sizes)
		}
	}
	return nil
}

// checkImage refuses inputs of the layer's operator that are not images.
func (b *Builder) checkImage(op string, x *graph.Tensor) error {
	if len(x.Shape) != 4 {
		return &graph.ShapeError{Node: b.Name(), Op: op, Index: graph.InputX, Got: x.Shape, Want: "an image [N, H, W, C]"}
	}
	return nil
}

// pairOr returns p, or the default where it is zero.
func pairOr(p, byDefault [2]int) [2]int {
	if p == [2]int{} {
		return byDefault
	}
	return p
}
