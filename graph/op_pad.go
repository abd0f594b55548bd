package graph

import "fmt"

// Pad puts zeros around a tensor.
//
//	y[i0, i1, ...] = x[i0-before0, i1-before1, ...], 0 outside of x
//
// Shapes: Paddings holds before and after for each axis of x, the batch's being
// 0; y is longer than x by their sum.
//
// Quantized: input and output share scale and zero point; the code of 0, the
// zero point, is put around.
type Pad struct {
	Paddings [][2]int `json:"paddings"`
}

func (Pad) Name() string { return "PAD" }
func (Pad) Class() Class { return SameScale }

// Infer implements [Op].
func (o Pad) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if len(x) == 0 || len(x) != len(o.Paddings) {
		return nil, &ShapeError{Got: x, Want: fmt.Sprintf("%d axes, one for each pair of paddings %v", len(o.Paddings), o.Paddings)}
	}
	if o.Paddings[0] != [2]int{} {
		return nil, fmt.Errorf("paddings %v: the batch, the first axis, cannot be padded", o.Paddings)
	}
	y := make([]int, len(x))
	for axis, p := range o.Paddings {
		if min(p[0], p[1]) < 0 || max(p[0], p[1]) > maxWindow {
			return nil, fmt.Errorf("paddings %v must be between 0 and %d", o.Paddings, maxWindow)
		}
		y[axis] = p[0] + x[axis] + p[1]
	}
	return y, nil
}
