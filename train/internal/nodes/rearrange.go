package nodes

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/strided"
)

// pad builds [graph.Pad]. What is put around has no gradient.
func pad(c *compiler, n *graph.Node) (*operator, error) {
	paddings := n.Op.(graph.Pad).Paddings
	begin := make([]int, len(paddings))
	for axis, p := range paddings {
		begin[axis] = p[0]
	}
	v := strided.Slice(c.shapes[n.Output], begin, slices.Repeat([]int{1}, len(begin)), c.shapes[n.Inputs[0]])
	return c.unary(n,
		func(y, x []float32) { strided.Scatter(v, y, x) }, // the zeros of a new value stay
		func(dx, dy, _ []float32) { strided.Gather(v, dx, dy) }), nil
}

// stridedSlice builds [graph.StridedSlice]. What is left out has gradient 0.
func stridedSlice(c *compiler, n *graph.Node) (*operator, error) {
	op, x := n.Op.(graph.StridedSlice), c.shapes[n.Inputs[0]]
	begin := make([]int, len(x))
	for axis, size := range x {
		begin[axis], _ = op.Range(axis, size)
	}
	return c.gather(n, strided.Slice(x, begin, op.Strides, c.shapes[n.Output])), nil
}

// transpose builds [graph.Transpose].
func transpose(c *compiler, n *graph.Node) (*operator, error) {
	return c.gather(n, strided.Permute(c.shapes[n.Inputs[0]], n.Op.(graph.Transpose).Perm)), nil
}

// gather makes the operator that copies what v picks.
func (c *compiler) gather(n *graph.Node, v strided.View) *operator {
	return c.unary(n,
		func(y, x []float32) { strided.Gather(v, y, x) },
		func(dx, dy, _ []float32) { strided.Scatter(v, dx, dy) }) // the zeros of a new value stay
}
