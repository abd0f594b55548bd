package graph

import (
	"fmt"
	"slices"
)

// InputAlpha is the input of [Prelu] that holds the slopes.
const InputAlpha = 1

// Prelu is x where x is positive and alpha*x elsewhere, with trained slopes that
// broadcast along axes where alpha has size 1.
//
// Shapes: x [N, D...] of at most four axes; alpha [D...] with 1 in any place,
// leading ones may be left out; y as x.
//
// Quantized: x and y asymmetric int8 with parameters of their own; alpha int8
// per tensor.
type Prelu struct{}

func (Prelu) Name() string { return "PRELU" }
func (Prelu) Class() Class { return Requantize }

// Infer implements [Op].
func (Prelu) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 2, 2); err != nil {
		return nil, err
	}
	x, alpha := in[InputX], in[InputAlpha]
	shape, ok := Broadcast(x, alpha)
	if !ok || !slices.Equal(shape, x) {
		return nil, &ShapeError{Index: InputAlpha, Got: alpha, Want: fmt.Sprintf("%v with 1 in any place, and at most %d axes", x[1:], maxBroadcast)}
	}
	return shape, nil
}

// CheckScales implements [Rescaling]: products of codes and slopes, at most
// 255*255, must fit int32 as in [Mul].
func (Prelu) CheckScales(bits int, in []float32, out float32) error {
	return Mul{}.CheckScales(bits, in, out)
}
