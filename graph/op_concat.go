package graph

import (
	"errors"
	"fmt"
	"slices"
)

// Concat joins tensors along one axis.
//
// Shapes: any number of inputs of one rank and, but for the axis, of one size;
// y has the sum of their sizes along the axis.
//
// Quantized: all inputs and the output share scale and zero point; codes are
// copied.
type Concat struct {
	// Axis counts the batch, axis 0; it is never negative.
	Axis int `json:"axis"`
}

func (Concat) Name() string { return "CONCATENATION" }
func (Concat) Class() Class { return SameScale }

// Infer implements [Op].
func (o Concat) Infer(in [][]int) ([]int, error) {
	if len(in) == 0 {
		return nil, errors.New("no inputs")
	}
	if err := arity(in, len(in), len(in)); err != nil {
		return nil, err
	}
	y := slices.Clone(in[0])
	if o.Axis < 0 || o.Axis >= len(y) {
		return nil, fmt.Errorf("axis %d of shape %v", o.Axis, y)
	}
	for i, x := range in[1:] {
		if len(x) != len(y) || !slices.Equal(x[:o.Axis], y[:o.Axis]) || !slices.Equal(x[o.Axis+1:], y[o.Axis+1:]) {
			return nil, &ShapeError{Index: i + 1, Got: x, Want: fmt.Sprintf("%v but for axis %d", in[0], o.Axis)}
		}
		y[o.Axis] += x[o.Axis]
	}
	return y, nil
}
