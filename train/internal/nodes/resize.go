package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
)

// resizeNearest builds [graph.ResizeNearestNeighbor].
func resizeNearest(c *compiler, n *graph.Node) (*operator, error) {
	x := c.shapes[n.Inputs[0]]
	g := window.Resize{Input: [2]int{x[1], x[2]}, Channels: x[3]}
	g.Rows, g.Cols = n.Op.(graph.ResizeNearestNeighbor).Sources(x[1], x[2])
	return c.unary(n,
		func(y, in []float32) { f32.ResizeNearest(g, x[0], y, in) },
		func(dx, dy, _ []float32) { f32.ResizeNearestGrad(g, x[0], dx, dy) }), nil
}
