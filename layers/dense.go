package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Dense multiplies the last axis by a matrix:
//
//	y[..., o] = activation(bias[o] + sum over i of x[..., i] * kernel[o, i])
//
// Shapes: x [N, ..., I]; y [N, ..., Units]; kernel [Units, I], the transpose of
// Keras' layout; bias [Units]. Put a [Flatten] before it to mix whole images.
//
// Quantized: see [graph.FullyConnected].
//
// Errors: Units that are not positive.
//
// Source: Keras 3, Dense.
type Dense struct {
	Units      int
	Activation Activation
	NoBias     bool
	KernelInit Initializer // nil: GlorotUniform
	BiasInit   Initializer // nil: Zeros
	Name       string

	KernelRegularizer, BiasRegularizer Regularizer
	KernelConstraint, BiasConstraint   Constraint
}

// Identity implements [Layer].
func (l Dense) Identity() (class, name string) { return "Dense", l.Name }

// Lower implements [Layer].
func (l Dense) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if l.Units < 1 {
		return nil, fmt.Errorf("units is %d, want a positive number", l.Units)
	}
	b.Rule("kernel", l.KernelRegularizer, l.KernelConstraint)
	b.Rule("bias", l.BiasRegularizer, l.BiasConstraint)
	kernel, err := b.Parameter("kernel", []int{l.Units, x.Shape[len(x.Shape)-1]}, or(l.KernelInit, GlorotUniform{}))
	if err != nil {
		return nil, err
	}
	return b.anchor(graph.FullyConnected{KeepDims: len(x.Shape) > 2}, x, kernel, l.NoBias, l.BiasInit, l.Activation)
}

// anchor appends what layers with a kernel have in common: the node with its
// optional bias, then the activation.
func (b *Builder) anchor(op graph.Anchored, x, kernel *graph.Tensor, noBias bool, init Initializer, a Activation) (*graph.Tensor, error) {
	inputs := []*graph.Tensor{x, kernel}
	if !noBias {
		axis := op.ChannelAxis()
		bias, err := b.Parameter("bias", kernel.Shape[axis:axis+1], or(init, Zeros{}))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, bias)
	}
	y, err := b.Add("", op, inputs...)
	if err != nil {
		return nil, err
	}
	return b.activate(a, y)
}
