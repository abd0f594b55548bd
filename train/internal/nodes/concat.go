package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/axes"
)

// concat builds [graph.Concat]. Each input gets its part of the gradient.
func concat(c *compiler, n *graph.Node) (*operator, error) {
	shapes := make([][]int, len(n.Inputs))
	for i, x := range n.Inputs {
		shapes[i] = c.shapes[x]
	}
	j := axes.Join(shapes, n.Op.(graph.Concat).Axis)
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			axes.Concat(j, y.data, in...)
			return nil
		},
		derive: func() derivative {
			d := derivative{grads: make([]*value, len(n.Inputs))}
			parts := make([][]float32, len(n.Inputs))
			for i, x := range n.Inputs {
				d.grads[i] = c.gradient(x)
				parts[i] = d.grads[i].slice()
			}
			d.run = func(in [][]float32) error {
				axes.Split(j, in[len(in)-1], parts...)
				return nil
			}
			return d
		},
	}, nil
}
