package q8

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// Profile names the runtime whose integers an operator reproduces.
type Profile int

const (
	// LiteRT is the set of reference kernels of LiteRT 2.x: FULLY_CONNECTED
	// requantizes in float64, a stand-alone RELU6 requantizes.
	LiteRT Profile = iota
	// TFLM is the set of reference kernels of TensorFlow Lite for
	// Microcontrollers: FULLY_CONNECTED requantizes in fixed point, a
	// stand-alone RELU6 only clamps.
	TFLM
)

// Kernel chooses between implementations that give the same result.
type Kernel int

const (
	// Fast is the blocked kernel, parallel over rows or pixels.
	Fast Kernel = iota
	// Reference is the operator's formula in plain loops.
	Reference
)

// Activation is a function fused into an operator's output.
type Activation int

// The activations an integer operator can fuse: all are clamps.
const (
	None      Activation = iota
	Relu                 // max(x, 0)
	Relu6                // min(max(x, 0), 6)
	ReluN1To1            // min(max(x, -1), 1)
)

// Limits returns the interval of real numbers that a clamps to.
func (a Activation) Limits() (lo, hi float32) {
	inf := float32(math.Inf(1))
	switch a {
	case Relu:
		return 0, inf
	case Relu6:
		return 0, 6
	case ReluN1To1:
		return -1, 1
	}
	return -inf, inf
}

// ActivationRange returns the codes that the activation leaves of grid, for an
// output with per-tensor parameters p:
//
//	[max(grid.Min, Q(lo)), min(grid.Max, Q(hi))],  Q(x) = half_away(float32(x/scale)) + zero point
//
// Source: LiteRT, tflite/kernels/kernel_util.cc, CalculateActivationRangeQuantized.
func ActivationRange(a Activation, p quant.Params, grid quant.Grid) quant.Grid {
	lo, hi := a.Limits()
	return quant.Grid{
		Min: quant.Code(lo, p.Scale[0], p.ZeroPoint[0], grid),
		Max: quant.Code(hi, p.Scale[0], p.ZeroPoint[0], grid),
	}
}

// Code is the storage type of an 8-bit tensor.
type Code interface{ int8 | uint8 }

// GridOf returns all values of T.
func GridOf[T Code]() quant.Grid {
	if int32(^T(0)) < 0 {
		return quant.Signed(8, false)
	}
	return quant.Grid{Min: 0, Max: 255}
}
