package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// maxPool2D builds [graph.MaxPool2D]. The gradient goes to the element that was
// the maximum, the first of equal ones.
func maxPool2D(c *compiler, n *graph.Node) (*operator, error) {
	g, err := c.pool(n, n.Op.(graph.MaxPool2D).Pool)
	if err != nil {
		return nil, err
	}
	y := newValue(c.shapes[n.Output])
	var winners []int32
	if c.config.Training {
		winners = make([]int32, len(y.data))
	}
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.MaxPool2D(g, y.data, in[0], winners)
			return nil
		},
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				f32.MaxPool2DGrad(g, dx.data, in[2], winners)
				return nil
			}}
		},
	}, nil
}

// averagePool2D builds [graph.AveragePool2D].
func averagePool2D(c *compiler, n *graph.Node) (*operator, error) {
	g, err := c.pool(n, n.Op.(graph.AveragePool2D).Pool)
	if err != nil {
		return nil, err
	}
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.AveragePool2D(g, y.data, in[0])
			return nil
		},
		derive: func() derivative {
			dx := c.gradient(n.Inputs[0])
			return derivative{grads: []*value{dx}, run: func(in [][]float32) error {
				f32.AveragePool2DGrad(g, dx.data, in[2])
				return nil
			}}
		},
	}, nil
}

// pool returns the geometry of a pooling node.
func (c *compiler) pool(n *graph.Node, p graph.Pool) (f32.Pool, error) {
	x := c.shapes[n.Inputs[0]]
	return f32.NewPool(f32.Pool{
		Batch: x[0], InH: x[1], InW: x[2], Channels: x[3],
		KernelH: p.FilterH, KernelW: p.FilterW, StrideH: p.StrideH, StrideW: p.StrideW,
	}, padding(p.Padding))
}
