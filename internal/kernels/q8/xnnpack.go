package q8

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/quant"
)

// This file has the arithmetic of the profile [XNNPACK]: what LiteRT's default
// interpreter computes where it hands an operator to that library. What the
// library does not take runs on LiteRT's own kernels: where these give the codes
// of [LiteRT], so does this profile, and where they do not, it takes the operator
// neither.
//
// Sources: XNNPACK, src/xnnpack/requantization.h, src/microparams-init.c,
// src/operators/reduce-nd.c, src/reference/unary-elementwise.cc; LiteRT,
// tflite/delegates/xnnpack/xnnpack_delegate.cc.

// halfEven returns the code of a real number in steps of the output:
//
//	code = clamp(half_even(v) + zero point)
func halfEven(v float32, zero int32, clamp quant.Grid) int32 {
	code := math.RoundToEven(float64(v)) + float64(zero)
	return int32(min(max(code, float64(clamp.Min)), float64(clamp.Max)))
}

// evenRange returns the codes that an activation leaves: its bounds over the scale,
// plus the zero point, rounded half to even.
func evenRange(a quant.Activation, p quant.Params) quant.Grid {
	lo, hi := a.Bounds()
	zero, grid := float32(p.ZeroPoint[0]), GridOf[int8]()
	code := func(x float32) int32 { return halfEven(x/p.Scale[0]+zero, 0, grid) }
	return quant.Grid{Min: code(lo), Max: code(hi)}
}

// rescaler prepares the rescaler of convolutions and per-channel fully-connected
// layers.
func (p Profile) rescaler(in, out quant.Params, weights []float32, activation quant.Activation) (rescaler, error) {
	if p != XNNPACK {
		return newRescaler(in, out, weights, activation), nil
	}
	r := newRescaler(in, out, nil, activation)
	r.singles, r.clamp = make([]float32, len(weights)), evenRange(activation, out)
	for c, w := range weights {
		r.singles[c] = float32(in.Scale[0]*w) / out.Scale[0]
		if k := r.singles[c]; k < 0x1p-32 || k >= 1<<8 {
			return r, fmt.Errorf("channel %d: XNNPACK takes factors s_x*s_w/s_y in [2^-32, 2^8), not %v", c, k)
		}
	}
	return r, nil
}

// biasedRescaler is rescaler for convolutions that are not transposed.
func (p Profile) biasedRescaler(in, out quant.Params, weights []float32, activation quant.Activation, bias []int32) (rescaler, error) {
	if p == XNNPACK && bias == nil {
		return rescaler{}, errors.New("XNNPACK takes convolutions with a bias only")
	}
	return p.rescaler(in, out, weights, activation)
}

// factorBits is the number of bits of the factors of XNNPACK's sums.
const factorBits = 20

// coarse makes o the sum of codes times factors of 21 bits,
//
//	y = clamp((m_a*(q_a - z_a) + m_b*(q_b - z_b) + 2^(n-1)) >> n + z_y)
//	m_i = half_even(2^n * s_i/s_y), n such that the larger one has 21 bits
//
// and reports whether XNNPACK takes it. Factors of 2^8 and more overflow in the
// kernel that LiteRT has instead; smaller ones than 2^-10 do not.
func (o *Arithmetic) coarse(s ArithmeticSpec) (ok bool, err error) {
	a, b := s.A.Scale[0]/s.Output.Scale[0], s.B.Scale[0]/s.Output.Scale[0]
	switch {
	case max(a, b) >= 1<<8:
		return false, fmt.Errorf("XNNPACK takes quotients of scales below 2^8, not %v", max(a, b))
	case min(a, b) < 0x1p-10:
		return false, nil
	}
	o.clamp = evenRange(s.Activation, s.Output)
	o.shift = factorBits - math.Ilogb(float64(max(a, b)))
	o.left.factor = int32(math.RoundToEven(math.Ldexp(float64(a), o.shift)))
	o.right.factor = int32(math.RoundToEven(math.Ldexp(float64(b), o.shift)))
	return true, nil
}

// meanSingles are the factor of sums and the zero point less that of the input.
func meanSingles(s MeanSpec) (factor, zero float32) {
	factor = float32(s.Input.Scale[0]/s.Output.Scale[0]) * float32(1/float32(s.Count))
	return factor, float32(s.Output.ZeroPoint[0]) - float32(float32(int32(s.Count)*s.Input.ZeroPoint[0])*factor)
}

// eighthBits prepares a function that multiplies x - z_x with factors of 8
// fractional bits, one from the zero point on and one below, and rounds half up.
func eighthBits[In, Out Code](in, out quant.Params, above, below float32) *Table[In, Out] {
	grid := GridOf[Out]()
	fixed := func(factor float32) int32 { return int32(math.RoundToEven(float64(256 * factor))) }
	up, down := fixed(above), fixed(below)
	return newTable[In, Out](func(x int32) int32 {
		v := x - in.ZeroPoint[0]
		if v < 0 {
			v *= down
		} else {
			v *= up
		}
		return grid.Clamp((v+128)>>8 + out.ZeroPoint[0])
	})
}

// takesFactors reports whether XNNPACK takes the factors of [eighthBits].
func takesFactors(above, below float32) bool {
	return above >= 1./256 && above <= 128 && below >= -127.99609375 && below <= 128 && max(below, -below) >= 1./256
}

// newEvenTable tabulates a function of real numbers in float32:
//
//	y = clamp(half_even(f(s_x*(x - z_x)) * (1/s_y) + z_y))
//
// every operation rounded to float32.
func newEvenTable(in, out quant.Params, clamp quant.Grid, f func(x float32) float32) *Table[int8, int8] {
	inverse, zero := 1/out.Scale[0], float32(out.ZeroPoint[0])
	return newTable[int8, int8](func(x int32) int32 {
		y := f(quant.Value(x, in.Scale[0], in.ZeroPoint[0]))
		return halfEven(float32(y*inverse)+zero, 0, clamp)
	})
}

// NewSquare prepares y = act(a * a), which XNNPACK computes as a function of one
// tensor, in float32. Elsewhere, and beyond the factors that XNNPACK takes, it is
// [NewMul].
//
// Errors: those of [NewMul].
func NewSquare(s ArithmeticSpec) (*Table[int8, int8], error) {
	s.B = s.A
	o, err := NewMul(s)
	if err != nil {
		return nil, err
	}
	if o.single != 0 {
		return newEvenTable(s.A, s.Output, o.clamp, func(x float32) float32 { return x * x }), nil
	}
	return newTable[int8, int8](func(code int32) int32 {
		v := o.left.of(int8(code))
		return int32(o.combine(v, v))
	}), nil
}
