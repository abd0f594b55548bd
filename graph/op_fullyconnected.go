package graph

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// FullyConnected multiplies rows by a matrix.
//
//	y[..., o] = act(b[o] + sum over i of x[..., i] * w[o, i])
//
// Shapes: x [N, I], or [N, ..., I] with KeepDims; w [O, I]; b [O], optional;
// y [N, O], or [N, ..., O].
//
// Quantized: x and y asymmetric int8, w symmetric int8 per tensor or along axis
// 0, b int32 at scale s_x*s_w.
type FullyConnected struct {
	// KeepDims keeps the leading axes of x in y.
	KeepDims bool             `json:"keep_dims"`
	Activate quant.Activation `json:"activation"`
	// AsymmetricInputs makes a dynamic-range model quantize each row of x with
	// a zero point of its own.
	AsymmetricInputs bool `json:"asymmetric_inputs,omitempty"`
}

func (FullyConnected) Name() string                   { return "FULLY_CONNECTED" }
func (FullyConnected) Class() Class                   { return Anchor }
func (o FullyConnected) Activation() quant.Activation { return o.Activate }
func (o FullyConnected) Fuse(a quant.Activation) Op   { o.Activate = a; return o }
func (FullyConnected) ChannelAxis() int               { return 0 }

// Infer implements [Op].
func (o FullyConnected) Infer(in [][]int) ([]int, error) {
	if err := errors.Join(arity(in, 2, 3), o.Activate.Check()); err != nil {
		return nil, err
	}
	x, w := in[InputX], in[InputWeights]
	if len(w) != 2 {
		return nil, &ShapeError{Index: InputWeights, Got: w, Want: "[O, I]"}
	}
	if err := biasShape(in, w[0]); err != nil {
		return nil, err
	}
	if o.KeepDims {
		if len(x) < 2 || x[len(x)-1] != w[1] {
			return nil, &ShapeError{Index: InputX, Got: x, Want: fmt.Sprintf("[N, ..., %d]", w[1])}
		}
		return append(append([]int(nil), x[:len(x)-1]...), w[0]), nil
	}
	if len(x) != 2 || x[1] != w[1] {
		return nil, &ShapeError{Index: InputX, Got: x, Want: fmt.Sprintf("[N, %d]", w[1])}
	}
	return []int{x[0], w[0]}, nil
}
