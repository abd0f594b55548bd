package layers

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// Add is the sum of what its branches make of one input:
//
//	y = branch 0(x) + branch 1(x) + ...
//
// Keras calls its Add on a list of tensors; here the layers that compute them are
// part of it. [Identity] is the branch that gives x itself. See [Residual] for the
// most common case.
//
// Shapes: outputs of one rank and of equal sizes; a size of 1 goes with any, and
// is repeated. y has the larger sizes.
//
// Quantized: see [graph.Add]; a ReLU or ReLU6 behind it is fused.
//
// Errors: fewer than two branches; shapes that do not fit, naming both branches;
// whatever is wrong with a branch.
//
// Source: Keras 3, Add.
type Add struct {
	Branches []Layer
	Name     string
}

// Identity implements [Layer].
func (l Add) Identity() (class, name string) { return "Add", l.Name }

// Lower implements [Layer].
func (l Add) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.merge(l.Branches, x, graph.Add{})
}

// Subtract is the difference of what its two branches make of one input, branch
// 0 minus branch 1. Shapes, Quantized, Errors: as [Add].
//
// Source: Keras 3, Subtract.
type Subtract struct {
	Branches []Layer
	Name     string
}

// Identity implements [Layer].
func (l Subtract) Identity() (class, name string) { return "Subtract", l.Name }

// Lower implements [Layer].
func (l Subtract) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if len(l.Branches) != 2 {
		return nil, fmt.Errorf("%d branches, want two", len(l.Branches))
	}
	return b.merge(l.Branches, x, graph.Sub{})
}

// Multiply is the product of what its branches make of one input, element by
// element: a gate where one of them ends in a sigmoid. Shapes, Quantized,
// Errors: as [Add].
//
// Source: Keras 3, Multiply.
type Multiply struct {
	Branches []Layer
	Name     string
}

// Identity implements [Layer].
func (l Multiply) Identity() (class, name string) { return "Multiply", l.Name }

// Lower implements [Layer].
func (l Multiply) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.merge(l.Branches, x, graph.Mul{})
}

// Concat joins what its branches make of one input along one axis.
//
// Shapes: outputs of one rank and, but for the axis, of equal sizes; y has the
// sum of their sizes along the axis.
//
// Quantized: all branches share one scale; see [graph.Concat].
//
// Errors: as [Add]; an axis that the outputs do not have, or that of the batch.
//
// Source: Keras 3, Concatenate.
type Concat struct {
	Branches []Layer
	// Axis counts the batch, axis 0; negative ones count from the end. Zero: the
	// last, where channels are.
	Axis int
	Name string
}

// Identity implements [Layer].
func (l Concat) Identity() (class, name string) { return "Concatenate", l.Name }

// Lower implements [Layer].
func (l Concat) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	list, err := b.branches(l.Branches, x)
	if err != nil {
		return nil, err
	}
	rank, axis := len(list[0].y.Shape), l.Axis
	if axis <= 0 {
		axis += rank
	}
	if l.Axis == 0 {
		axis = rank - 1
	}
	if axis < 1 || axis >= rank {
		return nil, fmt.Errorf("axis %d: outputs of shape %s have the axes 1 to %d behind the batch", l.Axis, shapeText(list[0].y.Shape), rank-1)
	}
	inputs := []*graph.Tensor{list[0].y}
	for _, br := range list[1:] {
		have, want := br.y.Shape, list[0].y.Shape
		if len(have) != rank || !slices.Equal(have[:axis], want[:axis]) || !slices.Equal(have[axis+1:], want[axis+1:]) {
			return nil, fmt.Errorf("%v and %v: sizes may differ along axis %d only", list[0], br, axis)
		}
		inputs = append(inputs, br.y)
	}
	return b.Add("", graph.Concat{Axis: axis}, inputs...)
}

// Identity is the layer that does nothing: a branch that passes its input on.
//
// Source: Keras 3, Identity.
type Identity struct{ Name string }

// Identity implements [Layer].
func (l Identity) Identity() (class, name string) { return "Identity", l.Name }

// Lower implements [Layer].
func (Identity) Lower(_ *Builder, x *graph.Tensor) (*graph.Tensor, error) { return x, nil }

// branch is what a branch computes, and its name in messages.
type branch struct {
	name string
	y    *graph.Tensor
}

func (br branch) String() string {
	return fmt.Sprintf("%s, which ends in %q, has shape %s", br.name, br.y.Name, shapeText(br.y.Shape))
}

// branches lowers the branches of a layer on x.
func (b *Builder) branches(list []Layer, x *graph.Tensor) ([]branch, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%d branches, want two or more", len(list))
	}
	out := make([]branch, len(list))
	for i, l := range list {
		y, err := b.Lower(i, l, x)
		if err != nil {
			return nil, err
		}
		class, _ := l.Identity()
		out[i] = branch{fmt.Sprintf("branch %d (%s)", i, class), y}
	}
	return out, nil
}

// merge lowers branches and applies op to the first two, to the result and the
// third, and so on.
func (b *Builder) merge(list []Layer, x *graph.Tensor, op graph.Op) (*graph.Tensor, error) {
	branches, err := b.branches(list, x)
	if err != nil {
		return nil, err
	}
	so := branches[0]
	for i, br := range branches[1:] {
		if _, ok := graph.Broadcast(so.y.Shape, br.y.Shape); !ok || len(so.y.Shape) != len(br.y.Shape) {
			return nil, fmt.Errorf("%v, and %v: sizes must be equal or 1", so, br)
		}
		suffix := "partial"
		if i == len(branches)-2 {
			suffix = ""
		}
		y, err := b.Add(suffix, op, so.y, br.y)
		if err != nil {
			return nil, err
		}
		so = branch{fmt.Sprintf("what branches 0 to %d give", i+1), y}
	}
	return so.y, nil
}
