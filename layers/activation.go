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
	Linear       Activation = iota // x
	ActReLU                        // max(x, 0)
	ActReLU6                       // min(max(x, 0), 6)
	ActLeakyReLU                   // x, or 0.2*x below 0: Keras' "leaky_relu", not the slope of the layer
	ActELU                         // x, or exp(x) - 1 below 0
	ActHardSwish                   // x * min(max(x+3, 0), 6) / 6
	ActSwish                       // x / (1 + exp(-x))
	ActSigmoid                     // 1 / (1 + exp(-x))
	ActTanh                        // the hyperbolic tangent
	ActSoftmax                     // exp(x) / sum(exp(x)) over the last axis
)

// activations are the operators of the activations that have one, with the names
// of their nodes.
var activations = map[Activation]struct {
	suffix string
	op     graph.Op
}{
	ActReLU:      {"relu", graph.Relu{}},
	ActReLU6:     {"relu6", graph.Relu6{}},
	ActLeakyReLU: {"leaky_relu", graph.LeakyRelu{Alpha: 0.2}},
	ActELU:       {"elu", graph.Elu{}},
	ActHardSwish: {"hard_swish", graph.HardSwish{}},
	ActSigmoid:   {"sigmoid", graph.Logistic{}},
	ActTanh:      {"tanh", graph.Tanh{}},
	ActSoftmax:   {"softmax", graph.Softmax{}},
}

// activate appends the node of an activation, named after the layer.
func (b *Builder) activate(a Activation, x *graph.Tensor) (*graph.Tensor, error) {
	switch known, ok := activations[a]; {
	case ok:
		return b.Add(known.suffix, known.op, x)
	case a == Linear:
		return x, nil
	case a == ActSwish:
		return b.swish("swish", "swish_sigmoid", x)
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
