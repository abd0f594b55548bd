package quant

import (
	"fmt"
	"math"
)

// codeLimit bounds x/scale before it becomes an integer. It is far outside any
// grid and far inside both int32 and the integers a float32 holds exactly.
const codeLimit = 1 << 22

// roundAway rounds a float32 below 2^22 in magnitude to the nearest integer,
// halves away from zero, as C's roundf. Adding the float32 just below one half
// keeps 0.49999997 at 0.
func roundAway(v float32) int32 {
	const belowHalf = 0x1.fffffep-2
	if v < 0 {
		return int32(v - belowHalf)
	}
	return int32(v + belowHalf)
}

// code returns the code of x before saturation to a grid:
// roundAway(float32(x/scale)) + zero, the quotient limited to ±codeLimit.
func code(x, scale float32, zero int32) int32 {
	return roundAway(limited(x/scale)) + zero
}

// meanCode is code with ties by [FromCodeZero].
func meanCode(x, scale float32, zero int32) int32 {
	const half = 0.5 + 0x1p-10
	v := limited(x/scale) + float32(zero)
	if v < 0 {
		return int32(v - half)
	}
	return int32(v + half)
}

// limited keeps v within ±codeLimit.
func limited(v float32) float32 {
	if v > codeLimit {
		return codeLimit
	}
	if v < -codeLimit {
		return -codeLimit
	}
	return v
}

// Code returns the code of x in g:
//
//	clamp(half_away(float32(x/scale)) + zeroPoint, g.Min, g.Max)
//
// with float32 division, exactly as TensorFlow Lite's QUANTIZE. x must not be
// NaN.
func Code(x, scale float32, zeroPoint int32, g Grid) int32 {
	return g.Clamp(code(x, scale, zeroPoint))
}

// Value returns the real number of a code: scale*(q - zeroPoint), rounded once
// to float32, exactly as TensorFlow Lite's DEQUANTIZE.
func Value(q int32, scale float32, zeroPoint int32) float32 {
	return scale * float32(q-zeroPoint)
}

// FakeQuantize writes to dst the values of the codes of src: what an integer
// network would know of src.
//
//	dst = scale * (clamp(code) - zeroPoint),  code = half_away(src/scale) + zeroPoint
//
// mask, unless nil, gets the straight-through gradient: true exactly where the
// code before saturation lies in g. Thus the largest weight, whose quotient may
// exceed g.Max by rounding error, keeps its gradient. NaN stays NaN and passes
// no gradient.
//
// Shapes: dst, src and mask have the elements of shape in row-major order;
// per-channel parameters run along p.Axis. dst may be src. g.Ties, g.Sum
// and g.Negative may ask for another rounding than the formula's.
//
// Errors: slices or parameters that do not fit shape.
func (p Params) FakeQuantize(dst, src []float32, mask []bool, shape []int, g Grid) error {
	if len(dst) != len(src) || mask != nil && len(mask) != len(src) {
		return fmt.Errorf("quant: fake quantization of %d values into %d with a mask of %d", len(src), len(dst), len(mask))
	}
	return p.eachRun(shape, len(src), func(c, lo, hi int) {
		var m []bool
		if mask != nil {
			m = mask[lo:hi]
		}
		FakeQuantize(dst[lo:hi], src[lo:hi], m, p.Scale[c], p.ZeroPoint[c], g)
	})
}

// FakeQuantize is [Params.FakeQuantize] for one scale. dst and mask, unless nil,
// have the length of src.
func FakeQuantize(dst, src []float32, mask []bool, scale float32, zero int32, g Grid) {
	dst = dst[:len(src)]
	summed, signed := g.Sum != Sum{}, g.Negative != Sum{}
	for i, x := range src {
		if x != x {
			dst[i] = x
			if mask != nil {
				mask[i] = false
			}
			continue
		}
		q := int32(0)
		switch {
		case signed && x < 0:
			q = g.Negative.code(x, zero)
		case summed:
			q = g.Sum.code(x, zero)
		case g.Ties == FromCodeZero:
			q = meanCode(x, scale, zero)
		default:
			q = code(x, scale, zero)
		}
		if mask != nil {
			mask[i] = g.Contains(q)
		}
		dst[i] = Value(g.Clamp(q), scale, zero)
	}
}

// CodeType is the storage type of a quantized tensor.
type CodeType interface {
	~int8 | ~uint8 | ~int16 | ~int32
}

// Quantize writes the codes of src to dst; the rule is that of [Code].
//
// Errors: slices or parameters that do not fit shape; NaN or Inf in src, by
// index.
func Quantize[T CodeType](p Params, dst []T, src []float32, shape []int, g Grid) error {
	if len(dst) != len(src) {
		return fmt.Errorf("quant: quantize %d values into %d codes", len(src), len(dst))
	}
	for i, x := range src {
		if x != x || math.IsInf(float64(x), 0) {
			return fmt.Errorf("quant: value %d is %v", i, x)
		}
	}
	return p.eachRun(shape, len(src), func(c, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = T(Code(src[i], p.Scale[c], p.ZeroPoint[c], g))
		}
	})
}

// Dequantize writes the real values of src to dst; the rule is that of [Value].
//
// Errors: slices or parameters that do not fit shape.
func Dequantize[T CodeType](p Params, dst []float32, src []T, shape []int) error {
	if len(dst) != len(src) {
		return fmt.Errorf("quant: dequantize %d codes into %d values", len(src), len(dst))
	}
	return p.eachRun(shape, len(src), func(c, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = Value(int32(src[i]), p.Scale[c], p.ZeroPoint[c])
		}
	})
}

// eachRun calls f for each run [lo, hi) of elements that share scale c.
func (p Params) eachRun(shape []int, n int, f func(c, lo, hi int)) error {
	if err := p.Check(shape); err != nil {
		return err
	}
	if size := product(shape); size != n {
		return fmt.Errorf("quant: %d values do not fill shape %v", n, shape)
	}
	if !p.PerChannel() {
		f(0, 0, n)
		return nil
	}
	inner := product(shape[p.Axis+1:])
	for lo, c := 0, 0; lo < n; lo, c = lo+inner, c+1 {
		if c == len(p.Scale) {
			c = 0
		}
		f(c, lo, lo+inner)
	}
	return nil
}

// product returns the number of elements of a shape.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
