package graph

import (
	"fmt"
	"slices"
)

// Transpose puts the axes of a tensor in another order.
//
// Shapes: axis k of y is axis Perm[k] of x; the batch stays first.
//
// Quantized: input and output share scale and zero point; codes are copied.
type Transpose struct {
	Perm []int `json:"perm"`
}

func (Transpose) Name() string { return "TRANSPOSE" }
func (Transpose) Class() Class { return SameScale }

// Infer implements [Op].
func (o Transpose) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	for axis, p := range slices.Sorted(slices.Values(o.Perm)) {
		if axis != p || o.Perm[0] != 0 {
			return nil, fmt.Errorf("permutation %v: want the numbers 0 to %d in any order but with 0, the batch, first", o.Perm, len(o.Perm)-1)
		}
	}
	if len(x) != len(o.Perm) {
		return nil, &ShapeError{Got: x, Want: fmt.Sprintf("%d axes", len(o.Perm))}
	}
	y := make([]int, len(x))
	for axis, p := range o.Perm {
		y[axis] = x[p]
	}
	return y, nil
}
