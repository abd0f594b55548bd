package layers

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// Flatten makes one row of each example.
//
// Shapes: x [N, ...]; y [N, product of the rest]. Quantized: codes are copied.
type Flatten struct{ Name string }

// Identity implements [Layer].
func (l Flatten) Identity() (class, name string) { return "Flatten", l.Name }

// Lower implements [Layer].
func (l Flatten) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.Add("", graph.Reshape{Shape: []int{-1, x.Elements()}}, x)
}

// Reshape gives each example another shape; the order of its elements stays.
//
// Shapes: x [N, ...]; y [N, Shape...]. One size of Shape may be -1; it follows
// from the others. Quantized: codes are copied.
//
// Errors: a Shape with other non-positive sizes, or one that x does not fill.
type Reshape struct {
	Shape []int // without the batch
	Name  string
}

// Identity implements [Layer].
func (l Reshape) Identity() (class, name string) { return "Reshape", l.Name }

// Lower implements [Layer].
func (l Reshape) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if len(l.Shape) == 0 {
		return nil, fmt.Errorf("shape is empty")
	}
	// The operator infers the batch, and would make two examples of one; so the
	// shape of an example is settled here.
	shape, err := graph.Reshape{Shape: l.Shape}.Infer([][]int{x.Shape[1:]})
	if se := (*graph.ShapeError)(nil); errors.As(err, &se) {
		se.Node, se.Op = b.Name(), "RESHAPE"
	}
	if err == nil {
		err = checkSizes(shape)
	}
	if err != nil {
		return nil, err
	}
	return b.Add("", graph.Reshape{Shape: slices.Insert(shape, 0, -1)}, x)
}
