package graph

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// Add is a + b, elementwise, with a fused activation.
//
//	y = act(a + b)
//
// Shapes: a and b by the rule of [Broadcast]; y as the result of that. Either
// may be a constant.
//
// Quantized: a, b and y each with parameters of their own, asymmetric int8. Both
// inputs are brought to one scale, twice the larger of theirs, with 20 more bits;
// see [Add.CheckScales] for the scales that kernels take.
type Add struct {
	Activate quant.Activation `json:"activation"`
}

func (Add) Name() string                   { return "ADD" }
func (Add) Class() Class                   { return Requantize }
func (o Add) Activation() quant.Activation { return o.Activate }
func (o Add) Fuse(a quant.Activation) Op   { o.Activate = a; return o }

// Infer implements [Op].
func (o Add) Infer(in [][]int) ([]int, error) { return arithmetic(in, o.Activate) }

// Sub is a - b, elementwise, with a fused activation. Shapes, Quantized: as
// [Add].
type Sub struct {
	Activate quant.Activation `json:"activation"`
}

func (Sub) Name() string                   { return "SUB" }
func (Sub) Class() Class                   { return Requantize }
func (o Sub) Activation() quant.Activation { return o.Activate }
func (o Sub) Fuse(a quant.Activation) Op   { o.Activate = a; return o }

// Infer implements [Op].
func (o Sub) Infer(in [][]int) ([]int, error) { return arithmetic(in, o.Activate) }

// Mul is a * b, elementwise, with a fused activation. Shapes: as [Add].
//
// Quantized: a, b and y each with parameters of their own, asymmetric int8.
type Mul struct {
	Activate quant.Activation `json:"activation"`
}

func (Mul) Name() string                   { return "MUL" }
func (Mul) Class() Class                   { return Requantize }
func (o Mul) Activation() quant.Activation { return o.Activate }
func (o Mul) Fuse(a quant.Activation) Op   { o.Activate = a; return o }

// Infer implements [Op].
func (o Mul) Infer(in [][]int) ([]int, error) { return arithmetic(in, o.Activate) }

// arithmetic is the shape rule of operators on two tensors.
func arithmetic(in [][]int, a quant.Activation) ([]int, error) {
	if err := errors.Join(arity(in, 2, 2), a.Check()); err != nil {
		return nil, err
	}
	shape, ok := Broadcast(in[0], in[1])
	if !ok {
		return nil, &ShapeError{Index: 1, Got: in[1], Want: fmt.Sprintf("%v or sizes of 1, and at most %d axes unless the shapes are equal", in[0], maxBroadcast)}
	}
	return shape, nil
}

// maxBroadcast is the number of axes that kernels of every runtime broadcast.
const maxBroadcast = 4

// Broadcast returns the shape of an operator on two tensors, by numpy's rule:
// shapes are aligned at their last axes, and a size of 1, or an axis that is
// missing, goes with any size. ok is false where sizes do not fit, or unequal
// shapes have more than four axes.
func Broadcast(a, b []int) (shape []int, ok bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	shape = append([]int{}, a...)
	equal := len(a) == len(b)
	for i, d := range b {
		at := len(a) - len(b) + i
		switch {
		case d == a[at]:
			continue
		case a[at] == 1:
			shape[at] = d
		case d != 1:
			return nil, false
		}
		equal = false
	}
	return shape, equal || len(shape) <= maxBroadcast
}

// Rescaling is implemented by operators of class Requantize whose integer
// kernels refuse some scales, or cannot compute with them.
type Rescaling interface {
	// CheckScales reports scales of the inputs and the output that kernels for
	// codes of so many bits do not take.
	CheckScales(bits int, in []float32, out float32) error
}

// CheckScales reports scales of an integer node that its kernels do not take; nil
// for operators that take any.
func CheckScales(n *Node) error {
	r, ok := n.Op.(Rescaling)
	if !ok {
		return nil
	}
	in := make([]float32, len(n.Inputs))
	for i, t := range n.Inputs {
		in[i] = t.Quant.Scale[0]
	}
	return r.CheckScales(8*n.Output.Type.Size(), in, n.Output.Quant.Scale[0])
}

// sumBits is the number of bits by which ADD and SUB raise the precision of
// their inputs, by those of the codes.
var sumBits = map[int]int{8: 20, 16: 15}

// CheckScales implements [Rescaling]: the factor from the raised sum to codes of
// the output,
//
//	2*max(s_a, s_b) / (2^20 * s_y)
//
// with 2^15 for codes of 16 bits, must be below 1, where LiteRT's kernel stops.
func (Add) CheckScales(bits int, in []float32, out float32) error { return checkSum(bits, in, out) }

// CheckScales implements [Rescaling], as [Add.CheckScales]: for a factor above 1
// LiteRT's kernel computes nonsense.
func (Sub) CheckScales(bits int, in []float32, out float32) error { return checkSum(bits, in, out) }

func checkSum(bits int, in []float32, out float32) error {
	factor := 2 * float64(max(in[0], in[1])) / (float64(int(1)<<sumBits[bits]) * float64(out))
	if m := quant.QuantizeMultiplier(factor); m.Exponent > 0 {
		return fmt.Errorf("scales %v and %v are too large for an output of scale %v: integer kernels need 2*%v/(2^%d*%v) below 1; the output range is too narrow",
			in[0], in[1], out, max(in[0], in[1]), sumBits[bits], out)
	}
	return nil
}

// CheckScales implements [Rescaling]: products of codes, at most 255*255 or 2^30,
// must fit int32 when a factor s_a*s_b/s_y above 1 shifts them left.
func (Mul) CheckScales(bits int, in []float32, out float32) error {
	m := quant.QuantizeMultiplier(float64(in[0]) * float64(in[1]) / float64(out))
	if m.Exponent > max(31-2*bits, 0) {
		return fmt.Errorf("scales %v and %v are too large for an output of scale %v: products of codes times their quotient leave int32; the output range is too narrow", in[0], in[1], out)
	}
	return nil
}
