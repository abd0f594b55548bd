package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
)

// reduceMean builds [graph.Mean]: an average pool whose window is all that is reduced.
func reduceMean(c *compiler, n *graph.Node) (*operator, error) {
	return c.averagePool(n, c.reduction(n, n.Op.(graph.Mean).Reducer)), nil
}

// reduceMax builds [graph.ReduceMax]: a max pool whose window is all that is
// reduced. The gradient goes, as there, to the first of equal maxima, where
// Keras shares it between them.
func reduceMax(c *compiler, n *graph.Node) (*operator, error) {
	return c.maxPool(n, c.reduction(n, n.Op.(graph.ReduceMax).Reducer)), nil
}

// reduction returns the geometry of a reduction.
func (c *compiler) reduction(n *graph.Node, r graph.Reducer) f32.Pool {
	outer, count, inner := r.Fold(c.shapes[n.Inputs[0]])
	return f32.Pool{Batch: outer, Channels: inner, Window: window.Whole(count)}
}
