package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// activation builds operators that clamp: [graph.Relu], [graph.Relu6].
func activation(c *compiler, n *graph.Node) (*operator, error) {
	act := n.Op.(graph.Fusable).Fused()
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.Activate(act, y.data, in[0])
			return nil
		},
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				f32.ActivateGrad(act, dx.data, in[2], in[1])
				return nil
			}}
		},
	}, nil
}

// softmax builds [graph.Softmax].
func softmax(c *compiler, n *graph.Node) (*operator, error) {
	rows, classes := c.rows(n.Output)
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.Softmax(rows, classes, y.data, in[0])
			return nil
		},
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				f32.SoftmaxGrad(rows, classes, dx.data, in[2], in[1])
				return nil
			}}
		},
	}, nil
}
