package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
)

// maxPool2D builds [graph.MaxPool2D].
func maxPool2D(c *compiler, n *graph.Node) (*operator, error) {
	return c.maxPool(n, c.pool(n, n.Op.(graph.MaxPool2D).Pool)), nil
}

// averagePool2D builds [graph.AveragePool2D].
func averagePool2D(c *compiler, n *graph.Node) (*operator, error) {
	return c.averagePool(n, c.pool(n, n.Op.(graph.AveragePool2D).Pool)), nil
}

// maxPool makes the operator of maxima over windows. The gradient goes to the
// element that was the maximum, the first of equal ones.
func (c *compiler) maxPool(n *graph.Node, g f32.Pool) *operator {
	var winners []int32
	if c.config.Training {
		winners = make([]int32, g.OutputLen())
	}
	return c.unary(n,
		func(y, x []float32) { f32.MaxPool2D(g, y, x, winners) },
		func(dx, dy, _ []float32) { f32.MaxPool2DGrad(g, dx, dy, winners) })
}

// averagePool makes the operator of means over windows.
func (c *compiler) averagePool(n *graph.Node, g f32.Pool) *operator {
	return c.unary(n,
		func(y, x []float32) { f32.AveragePool2D(g, y, x) },
		func(dx, dy, _ []float32) { f32.AveragePool2DGrad(g, dx, dy) })
}

// pool returns the geometry of a pooling node.
func (c *compiler) pool(n *graph.Node, p graph.Pool) f32.Pool {
	x := c.shapes[n.Inputs[0]]
	return f32.Pool{Batch: x[0], Channels: x[3], Window: window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: [2]int{p.FilterH, p.FilterW},
		Stride: [2]int{p.StrideH, p.StrideW}, Dilation: [2]int{1, 1},
	}.Complete(p.Padding.Window)}
}
