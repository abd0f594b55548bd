package graph

import (
	"fmt"
	"slices"
)

// Reshape gives the elements another shape; their order stays.
//
// Shapes: x with as many elements as Shape; one size of Shape may be -1 and is
// then inferred. The batch is written as -1, so that any batch fits.
//
// Quantized: input and output share scale and zero point.
type Reshape struct {
	Shape []int `json:"shape"`
}

func (Reshape) Name() string { return "RESHAPE" }
func (Reshape) Class() Class { return SameScale }

// Infer implements [Op].
func (o Reshape) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	have, want, free := Elements(in[0]), 1, -1
	for i, d := range o.Shape {
		switch {
		case d == -1 && free < 0:
			free = i
		case d < 1:
			return nil, fmt.Errorf("new shape %v: sizes must be positive, one may be -1", o.Shape)
		default:
			want *= d
		}
	}
	out := slices.Clone(o.Shape)
	if free >= 0 && want > 0 && have%want == 0 {
		out[free] = have / want
		want = have
	}
	if have != want {
		return nil, &ShapeError{Got: in[0], Want: fmt.Sprintf("as many elements as %v", o.Shape)}
	}
	return out, nil
}
