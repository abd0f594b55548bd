package q8

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// Quantize sets dst[i] to the code of src[i], by the rule of [quant.Code]; in
// [XNNPACK] src[i] is multiplied by 1/s in float32, and rounded half to even.
// Infinities saturate. NaN, which has no code, becomes the lowest one: what
// LiteRT's reference kernel computes on x86, here on every machine.
//
// Shapes: dst and src have one length; p is per tensor.
//
// Source: LiteRT, tflite/kernels/internal/reference/quantize.h.
func Quantize[T Code](dst []T, src []float32, p quant.Params, profile Profile) {
	grid := GridOf[T]()
	scale, zero := p.Scale[0], p.ZeroPoint[0]
	inverse := 1 / scale
	dst = dst[:len(src)]
	for i, x := range src {
		switch {
		case x != x:
			dst[i] = T(grid.Min)
		case profile == XNNPACK:
			dst[i] = T(halfEven(x*inverse, zero, grid))
		default:
			dst[i] = T(quant.Code(x, scale, zero, grid))
		}
	}
}

// Dequantize sets dst[i] to the real number of the code src[i], by the rule of
// [quant.Value].
//
// Shapes: dst and src have one length; p is per tensor.
//
// Source: LiteRT, tflite/kernels/internal/reference/dequantize.h.
func Dequantize[T Code](dst []float32, src []T, p quant.Params) {
	scale, zero := p.Scale[0], p.ZeroPoint[0]
	dst = dst[:len(src)]
	for i, code := range src {
		dst[i] = quant.Value(int32(code), scale, zero)
	}
}

// Border is QUANTIZE from and DEQUANTIZE to float32 made ready for many runs: the
// functions of these names, faster.
type Border[T Code] struct {
	params    quant.Params
	profile   Profile
	level     *dispatch
	constants []byte
}

// borderStep is how many numbers the routines take at a time.
const borderStep = 8

// NewBorder returns the border of a tensor with per-tensor parameters.
func NewBorder[T Code](p quant.Params, profile Profile) *Border[T] {
	b := &Border[T]{params: p, profile: profile, level: level, constants: aligned[byte](lines * lineBytes)}
	grid, zero, flip := GridOf[T](), p.ZeroPoint[0], int32(0)
	setLine(b.constants, lineLow, float32(grid.Min-zero))
	setLine(b.constants, lineHigh, float32(grid.Max-zero))
	if grid.Min == 0 {
		zero, flip = zero-128, -0x7f7f7f80
	}
	setLine(b.constants, lineFactor, p.Scale[0])
	setLine(b.constants, lineInverse, 1/p.Scale[0])
	setLine(b.constants, lineHalf, math.Nextafter32(.5, 0))
	setLine(b.constants, lineSign, int32(math.MinInt32))
	setLine(b.constants, lineZero, zero)
	setLine(b.constants, lineFlip, flip)
	return b
}

// Quantize sets dst[i] to the code of src[i]; both have one length.
func (b *Border[T]) Quantize(dst []T, src []float32) {
	n := 0
	if b.level.lanes > 0 && len(src) >= borderStep {
		n = len(src) / borderStep * borderStep
		routine := b.level.quantize
		if b.profile == XNNPACK {
			routine = b.level.encodeEven
		}
		routine(pointer(dst[:n]), &src[0], n, &b.constants[0])
	}
	Quantize(dst[n:], src[n:], b.params, b.profile)
}

// Dequantize sets dst[i] to the real number of the code src[i]; both have one
// length.
func (b *Border[T]) Dequantize(dst []float32, src []T) {
	n := 0
	if b.level.lanes > 0 && len(src) >= borderStep {
		n = len(src) / borderStep * borderStep
		b.level.dequantize(&dst[:n][0], pointer(src), n, &b.constants[0])
	}
	Dequantize(dst[n:], src[n:], b.params)
}
