package q8

import (
	"github.com/goqat/goqat/quant"
)

// Profile names the runtime whose integers an operator reproduces.
type Profile int

const (
	// LiteRT is the set of reference kernels of LiteRT 2.x: FULLY_CONNECTED
	// requantizes in float64, a stand-alone RELU6 requantizes, LOGISTIC and TANH
	// are computed in float32, the factors of MUL and PRELU are computed in
	// float32 and those of SUB in float64.
	LiteRT Profile = iota
	// TFLM is the set of reference kernels of TensorFlow Lite for
	// Microcontrollers: FULLY_CONNECTED requantizes in fixed point, a
	// stand-alone RELU6 only clamps, LOGISTIC and TANH are computed in fixed
	// point, the factors of MUL and PRELU are computed in float64 and those of SUB
	// in float32.
	TFLM
	// XNNPACK is what LiteRT's default interpreter runs: kernels of the library of
	// that name, which requantize in float32 and round half to even (convolutions
	// of all kinds, FULLY_CONNECTED, MUL, MEAN, QUANTIZE, ELU) or multiply by
	// factors of few bits and round half up (ADD, SUB, LEAKY_RELU), each once; and
	// where the library has none, those of [LiteRT]. See file xnnpack.go.
	XNNPACK
)

// Kernel chooses between implementations that give the same result.
type Kernel int

const (
	// Fast is the blocked kernel, parallel over rows or pixels.
	Fast Kernel = iota
	// Reference is the operator's formula in plain loops.
	Reference
)

// Code is the storage type of an 8-bit tensor.
type Code interface{ int8 | uint8 }

// GridOf returns all values of T.
func GridOf[T Code]() quant.Grid {
	if int32(^T(0)) < 0 {
		return quant.Signed(8, false)
	}
	return quant.Grid{Min: 0, Max: 255}
}
