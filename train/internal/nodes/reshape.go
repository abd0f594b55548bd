package nodes

import "github.com/goqat/goqat/graph"

// reshape builds [graph.Reshape]: a view of its input. The gradient is a copy, since which buffer holds the
// gradient of the output is not known here.
func reshape(c *compiler, n *graph.Node) (*operator, error) {
	return &operator{
		out: c.viewOf(c.values[n.Inputs[0]], c.shapes[n.Output]),
		run: handOut,
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				copy(dx.data, in[2])
				return nil
			}}
		},
	}, nil
}
