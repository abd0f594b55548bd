package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Activation is a function that Dense and Conv2D apply to their output. It
// becomes a node of its own, so that a network reads the same whether the
// activation is a field or the next layer.
type Activation uint8

// The activations. The zero value applies none.
const (
	Linear     Activation = iota // x
	ActReLU                      // max(x, 0)
	ActReLU6                     // min(max(x, 0), 6)
	ActSoftmax                   // exp(x) / sum(exp(x)) over the last axis
)

// activate appends the node of an activation, named after the layer.
func (b *Builder) activate(a Activation, x *graph.Tensor) (*graph.Tensor, error) {
	switch a {
	case Linear:
		return x, nil
	case ActReLU:
		return b.Add("relu", graph.Relu{}, x)
	case ActReLU6:
		return b.Add("relu6", graph.Relu6{}, x)
	case ActSoftmax:
		return b.Add("softmax", graph.Softmax{}, x)
	}
	return nil, fmt.Errorf("unknown activation %d", uint8(a))
}

// ReLU is max(x, 0).
//
// Shapes: any; y as x. Quantized: see [graph.Relu].
type ReLU struct{ Name string }

// Identity implements [Layer].
func (l ReLU) Identity() (class, name string) { return "ReLU", l.Name }

// Lower implements [Layer].
func (l ReLU) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Relu{}, x)
}

// ReLU6 is min(max(x, 0), 6): Keras' ReLU with max_value 6.
//
// Shapes: any; y as x. Quantized: see [graph.Relu6].
type ReLU6 struct{ Name string }

// Identity implements [Layer].
func (l ReLU6) Identity() (class, name string) { return "ReLU6", l.Name }

// Lower implements [Layer].
func (l ReLU6) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Relu6{}, x)
}

// Softmax is exp(x) / sum(exp(x)) over the last axis.
//
// Shapes: any; y as x. Quantized: see [graph.Softmax].
type Softmax struct{ Name string }

// Identity implements [Layer].
func (l Softmax) Identity() (class, name string) { return "Softmax", l.Name }

// Lower implements [Layer].
func (l Softmax) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Softmax{}, x)
}
