package q8

import "github.com/goqat/goqat/quant"

// Quantize sets dst[i] to the code of src[i], by the rule of [quant.Code].
// Infinities saturate. NaN, which has no code, becomes the lowest one: what
// LiteRT's reference kernel computes on x86, here on every machine.
//
// Shapes: dst and src have one length; p is per tensor.
//
// Source: LiteRT, tflite/kernels/internal/reference/quantize.h.
func Quantize[T Code](dst []T, src []float32, p quant.Params) {
	grid := GridOf[T]()
	scale, zero := p.Scale[0], p.ZeroPoint[0]
	dst = dst[:len(src)]
	for i, x := range src {
		if x != x {
			dst[i] = T(grid.Min)
			continue
		}
		dst[i] = T(quant.Code(x, scale, zero, grid))
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
