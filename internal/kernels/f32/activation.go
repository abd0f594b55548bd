package f32

import "math"

// Activation is a function fused into the end of a kernel: a clamp to an interval.
type Activation uint8

const (
	None      Activation = iota // the identity
	Relu                        // max(x, 0)
	Relu6                       // min(max(x, 0), 6)
	ReluN1To1                   // min(max(x, -1), 1)
)

// Bounds returns the interval that the activation clamps to.
func (a Activation) Bounds() (lo, hi float32) {
	switch a {
	case Relu:
		return 0, float32(math.Inf(1))
	case Relu6:
		return 0, 6
	case ReluN1To1:
		return -1, 1
	}
	return float32(math.Inf(-1)), float32(math.Inf(1))
}

// Activate computes y = act(x), elementwise over len(x) elements. It may work in place; NaN stays NaN.
func Activate(act Activation, y, x []float32) {
	y = y[:len(x)]
	lo, hi := act.Bounds()
	for i, v := range x {
		y[i] = min(max(v, lo), hi)
	}
}

// ActivateGrad computes dx = dy where the activation passed its input through unclamped and 0 elsewhere, judging by its
// output y: dy passes where lo < y < hi, so relu passes where x > 0 and relu6 where 0 < x < 6, as in Keras. It may work
// in place.
func ActivateGrad(act Activation, dx, dy, y []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	if act == None {
		copy(dx, dy)
		return
	}
	lo, hi := act.Bounds()
	for i, v := range y {
		if v > lo && v < hi {
			dx[i] = dy[i]
		} else {
			dx[i] = 0
		}
	}
}
