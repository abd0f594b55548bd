package layers

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// LeakyReLU is x where x is positive and NegativeSlope*x elsewhere.
//
// Shapes: any; y as x. Quantized: see [graph.LeakyRelu].
//
// Errors: a slope that is negative or not finite.
//
// Source: Keras 3, LeakyReLU. As the activation of another layer,
// [ActLeakyReLU], it has slope 0.2, also in Keras.
type LeakyReLU struct {
	NegativeSlope float32 // zero: 0.3; for none use ReLU
	Name          string
}

// Identity implements [Layer].
func (l LeakyReLU) Identity() (class, name string) { return "LeakyReLU", l.Name }

// Lower implements [Layer].
func (l LeakyReLU) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	slope := l.NegativeSlope
	if slope == 0 {
		slope = 0.3
	}
	if !(slope > 0) || slope-slope != 0 {
		return nil, fmt.Errorf("negative slope is %v, want a positive number", l.NegativeSlope)
	}
	return b.Add("", graph.LeakyRelu{Alpha: slope}, x)
}

// PReLU is x where x is positive and alpha*x elsewhere, with a trained alpha for
// each element of an example, or one for all elements along SharedAxes.
//
// Shapes: x [N, D...] of at most four axes; alpha [D...] with 1 for shared axes;
// y as x.
//
// Quantized: see [graph.Prelu].
//
// Errors: axes that an example does not have or that are listed twice; more than
// four axes ([*graph.ShapeError]).
//
// Source: Keras 3, PReLU.
type PReLU struct {
	SharedAxes []int       // 1 is the first axis behind the batch; {1, 2} leaves one alpha for each channel of images
	AlphaInit  Initializer // nil: Zeros
	Name       string

	AlphaRegularizer Regularizer
	AlphaConstraint  Constraint
}

// Identity implements [Layer].
func (l PReLU) Identity() (class, name string) { return "PReLU", l.Name }

// Lower implements [Layer].
func (l PReLU) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	shape := slices.Clone(x.Shape[1:])
	for i, axis := range l.SharedAxes {
		if axis < 1 || axis > len(shape) || slices.Contains(l.SharedAxes[:i], axis) {
			return nil, fmt.Errorf("shared axes are %v, want different ones from 1 to %d", l.SharedAxes, len(shape))
		}
		shape[axis-1] = 1
	}
	b.Rule("alpha", l.AlphaRegularizer, l.AlphaConstraint)
	alpha, err := b.Parameter("alpha", shape, or(l.AlphaInit, Zeros{}))
	if err != nil {
		return nil, err
	}
	return b.Add("", graph.Prelu{}, x, alpha)
}

// ELU is x where x is positive and exp(x) - 1 elsewhere.
//
// Shapes: any; y as x. Quantized: see [graph.Elu].
//
// Errors: an Alpha other than 1, for which TensorFlow Lite has no operator.
//
// Source: Keras 3, ELU.
type ELU struct {
	Alpha float32 // factor of the exponential; zero: 1, the only one
	Name  string
}

// Identity implements [Layer].
func (l ELU) Identity() (class, name string) { return "ELU", l.Name }

// Lower implements [Layer].
func (l ELU) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if l.Alpha != 0 && l.Alpha != 1 {
		return nil, fmt.Errorf("alpha is %v: TensorFlow Lite's ELU has alpha 1; use that, or a LeakyReLU or PReLU", l.Alpha)
	}
	return b.Add("", graph.Elu{}, x)
}

// HardSwish is x * min(max(x+3, 0), 6) / 6: Keras' activation "hard_swish".
//
// Shapes: any; y as x. Quantized: see [graph.HardSwish].
//
// Source: Keras 3, hard_silu.
type HardSwish struct{ Name string }

// Identity implements [Layer].
func (l HardSwish) Identity() (class, name string) { return "HardSwish", l.Name }

// Lower implements [Layer].
func (l HardSwish) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.HardSwish{}, x)
}

// Swish is x / (1 + exp(-x)): Keras' activation "silu" or "swish".
//
// Shapes: any; y as x.
//
// Quantized: two operators, [graph.Logistic] and [graph.Mul]; a [HardSwish] is
// one, and nearly the same function.
//
// Source: Keras 3, silu.
type Swish struct{ Name string }

// Identity implements [Layer].
func (l Swish) Identity() (class, name string) { return "Swish", l.Name }

// Lower implements [Layer].
func (l Swish) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.swish("", "sigmoid", x)
}

// swish appends the nodes of a swish under two names.
func (b *Builder) swish(product, sigmoid string, x *graph.Tensor) (*graph.Tensor, error) {
	gate, err := b.Add(sigmoid, graph.Logistic{}, x)
	if err != nil {
		return nil, err
	}
	return b.Add(product, graph.Mul{}, x, gate)
}

// Sigmoid is 1 / (1 + exp(-x)): Keras' activation "sigmoid".
//
// Shapes: any; y as x. Quantized: see [graph.Logistic].
//
// Source: Keras 3, sigmoid.
type Sigmoid struct{ Name string }

// Identity implements [Layer].
func (l Sigmoid) Identity() (class, name string) { return "Sigmoid", l.Name }

// Lower implements [Layer].
func (l Sigmoid) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Logistic{}, x)
}

// Tanh is the hyperbolic tangent: Keras' activation "tanh".
//
// Shapes: any; y as x. Quantized: see [graph.Tanh].
//
// Source: Keras 3, tanh.
type Tanh struct{ Name string }

// Identity implements [Layer].
func (l Tanh) Identity() (class, name string) { return "Tanh", l.Name }

// Lower implements [Layer].
func (l Tanh) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Tanh{}, x)
}
