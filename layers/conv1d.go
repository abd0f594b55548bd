package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Conv1D is the one-dimensional convolution of series:
//
//	y[n,i,o] = activation(bias[o] + sum over u,c of x[n, i*stride+u*dilation-before, c] * kernel[o,0,u,c])
//
// It is a Conv2D on images of height 1. Between one-dimensional layers series
// stay such images; see [graph.CancelReshapes].
//
// Shapes: x [N, L, C]; kernel [Filters, 1, Kernel, C], where Keras has
// [Kernel, C, Filters]; bias [Filters]; y [N, L', Filters], with L' by
// [graph.Padding].
//
// Quantized: see [graph.Conv2D].
//
// Errors: as [Conv2D].
//
// Source: Keras 3, Conv1D.
type Conv1D struct {
	Filters    int
	Kernel     int
	Strides    int // zero: 1
	Dilation   int // zero: 1
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
func (l Conv1D) Identity() (class, name string) { return "Conv1D", l.Name }

// Lower implements [Layer].
func (l Conv1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if err := checkWindow1D(l.Kernel, l.Strides, l.Dilation); err != nil {
		return nil, err
	}
	return b.series(x, Conv2D{
		Filters: l.Filters, Kernel: across(l.Kernel), Strides: across(or1(l.Strides)), Dilation: across(or1(l.Dilation)),
		Padding: l.Padding, Activation: l.Activation, NoBias: l.NoBias, KernelInit: l.KernelInit, BiasInit: l.BiasInit,
		KernelRegularizer: l.KernelRegularizer, BiasRegularizer: l.BiasRegularizer,
		KernelConstraint: l.KernelConstraint, BiasConstraint: l.BiasConstraint,
	})
}

// across is a window of height 1, or the step or dilation of one.
func across(width int) [2]int { return [2]int{1, width} }

// checkWindow1D refuses sizes that make no window.
func checkWindow1D(kernel, strides, dilation int) error {
	return checkPositive(size{"kernel", kernel}, size{"strides", or1(strides)}, size{"dilation", or1(dilation)})
}

// size is a field of one size, by name.
type size struct {
	field string
	value int
}

// checkPositive refuses sizes below 1.
func checkPositive(sizes ...size) error {
	for _, s := range sizes {
		if s.value < 1 {
			return fmt.Errorf("%s is %d, want a positive number", s.field, s.value)
		}
	}
	return nil
}

// or1 returns v, or 1 where it is zero.
func or1(v int) int {
	if v == 0 {
		return 1
	}
	return v
}

// series lowers the two-dimensional form l of the layer that b builds on the
// series x [N, L, C], as images of height 1. A result that is an image again
// becomes a series.
func (b *Builder) series(x *graph.Tensor, l Layer) (*graph.Tensor, error) {
	image, err := b.image(x)
	if err != nil {
		return nil, err
	}
	y, err := l.Lower(b, image)
	if err != nil || len(y.Shape) != 4 {
		return y, err
	}
	return b.Add("squeeze", graph.Reshape{Shape: []int{-1, y.Shape[2], y.Shape[3]}}, y)
}

// image appends the reshape of a series to images of height 1.
func (b *Builder) image(x *graph.Tensor) (*graph.Tensor, error) {
	if len(x.Shape) != 3 {
		return nil, &graph.ShapeError{Node: b.Name(), Op: "RESHAPE", Got: x.Shape, Want: "a series [N, L, C]"}
	}
	return b.Add("expand_dims", graph.Reshape{Shape: []int{-1, 1, x.Shape[1], x.Shape[2]}}, x)
}
