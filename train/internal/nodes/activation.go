package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// unary makes the operator of a node with one input, given its kernels, where
// the gradient follows from the output.
func (c *compiler) unary(n *graph.Node, forward func(y, x []float32), gradient func(dx, dy, y []float32)) *operator {
	return c.unaryOf(n, forward, func(dx, dy, _, y []float32) { gradient(dx, dy, y) })
}

// unaryOf is unary with a gradient that may follow from input and output.
func (c *compiler) unaryOf(n *graph.Node, forward func(y, x []float32), gradient func(dx, dy, x, y []float32)) *operator {
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			forward(y.data, in[0])
			return nil
		},
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				gradient(dx.data, in[2], in[0], in[1])
				return nil
			}}
		},
	}
}

// activation builds operators that clamp: [graph.Relu], [graph.Relu6].
func activation(c *compiler, n *graph.Node) (*operator, error) {
	act := n.Op.(graph.Fusable).Fused()
	return c.unary(n,
		func(y, x []float32) { f32.Activate(act, y, x) },
		func(dx, dy, y []float32) { f32.ActivateGrad(act, dx, dy, y) }), nil
}

// softmax builds [graph.Softmax].
func softmax(c *compiler, n *graph.Node) (*operator, error) {
	rows, classes := c.rows(n.Output)
	return c.unary(n,
		func(y, x []float32) { f32.Softmax(rows, classes, y, x) },
		func(dx, dy, y []float32) { f32.SoftmaxGrad(rows, classes, dx, dy, y) }), nil
}
