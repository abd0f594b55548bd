package q8

import (
	"math"
	"sync"

	"github.com/goqat/goqat/quant"
)

// QuantizeSymmetric writes the codes of src, in [-127, 127] with zero point 0,
// and returns their scale:
//
//	scale = float32(R/127),  R = max|x|;  code = clamp(half_away(float32(x * float32(127/R))))
//
// but for what [encode] says. All zeros have scale 1. Where R is below 2^-121 the
// inverse overflows and the codes mean nothing, in the source too.
//
// Source: LiteRT, tflite/kernels/internal/optimized/neon_tensor_utils.cc,
// NeonSymmetricQuantizeFloats, which the released x86 builds run as well, with
// every resolver.
func QuantizeSymmetric(dst []int8, src []float32) (scale float32) {
	lo, hi := extent(src)
	largest := max(-lo, hi)
	if largest == 0 {
		fill(dst, 0)
		return 1
	}
	encode(dst, src, 127/largest, 0, -127)
	return largest / 127
}

// QuantizeAsymmetric writes the codes of src, in [-128, 127], and returns their
// scale and zero point:
//
//	scale = float32(hi-lo)/255 in float64, lo = min(0, min x), hi = max(0, max x)
//	code  = clamp(half_away(float32(x * float32(1/float32(scale)))) + zero point)
//
// but for what [encode] says. The zero point is the rounded code of 0, computed from the end of the range
// with the smaller floating-point error. All zeros have scale 1, zero point 0.
//
// Source: LiteRT, tflite/kernels/internal/optimized/neon_tensor_utils.cc,
// NeonAsymmetricQuantizeFloats, which the released x86 builds run as well, with
// every resolver. PortableAsymmetricQuantizeFloats differs in the last bit: it
// subtracts in float64, and adds the zero point before it rounds.
func QuantizeAsymmetric(dst []int8, src []float32) (scale float32, zeroPoint int32) {
	lo, hi := extent(src)
	if lo == hi {
		fill(dst, 0)
		return 1, 0
	}
	step := float64(hi-lo) / 255
	below, above := float64(lo)/step, float64(hi)/step
	zero := 127 - above
	if 128+math.Abs(below) < 127+math.Abs(above) {
		zero = -128 - below
	}
	zero = math.Round(min(max(zero, -128), 127))
	scale, zeroPoint = float32(step), int32(zero)
	encode(dst, src, 1/scale, zeroPoint, -128)
	return scale, zeroPoint
}

// belowHalf is the number before a half.
const belowHalf = 0x1.fffffep-2

// encode writes the codes of src times inverse. The source takes eight numbers at
// a time and rounds them by adding a half in float32, which makes a one of the
// number before a half; those left over it rounds exactly.
func encode(dst []int8, src []float32, inverse float32, zero, lowest int32) {
	whole := len(src) &^ 7
	if n := len(src) / max(level.lanes, 1) * level.lanes; n > 0 {
		_ = dst[len(src)-1]
		w := workers.Get().(*worker)
		constants := w.lines[:]
		setLine(constants, lineFactor, inverse)
		setLine(constants, lineHalf, float32(.5))
		setLine(constants, lineSign, int32(math.MinInt32))
		setLine(constants, lineLow, float32(lowest-zero))
		setLine(constants, lineHigh, float32(127-zero))
		setLine(constants, lineZero, zero)
		level.encode(pointer(dst), &src[0], n, &constants[0])
		w.free()
		dst, src, whole = dst[n:], src[n:], whole-n
	}
	for i, x := range src {
		v := float32(x * inverse)
		if i < whole && (v == belowHalf || v == -belowHalf) {
			v *= 2 // which rounds to 1 or -1
		}
		dst[i] = saturate(v, zero, lowest)
	}
}

// extent returns min(0, min x) and max(0, max x).
func extent(src []float32) (lo, hi float32) {
	if n := len(src) &^ 7; n > 0 && level.extent != nil {
		lo, hi = level.extent(&src[0], n)
		src = src[n:]
	}
	for _, x := range src {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// saturate returns zero + v rounded half away from zero, at least lowest and at
// most 127. NaN becomes lowest, as in [Quantize].
func saturate(v float32, zero, lowest int32) int8 {
	if v != v {
		return int8(lowest)
	}
	return int8(quant.Code(v, 1, zero, quant.Grid{Min: lowest, Max: 127}))
}

// hybridScratch is the codes of an image, and a plane of them.
type hybridScratch struct {
	codes   []int8
	plane   []byte
	outside []int8 // a row, for depthwise planes
	zero    int32  // the code outside the image, in both
}

// hybridScratches recycles the scratch memory of an operator.
type hybridScratches struct {
	level *dispatch
	pool  sync.Pool
}

// newHybridScratches returns those for so many codes, bytes of a plane and codes of
// a row outside the image.
func newHybridScratches(level *dispatch, codes, plane, row int) *hybridScratches {
	h := &hybridScratches{level: level}
	h.pool.New = func() any {
		return &hybridScratch{make([]int8, codes), aligned[byte](plane), make([]int8, row), math.MinInt32}
	}
	return h
}

// take returns memory with the codes of an image in codes and in a surrounded plane.
func (h *hybridScratches) take(p *plane, image []float32, asymmetric bool) (s *hybridScratch, scale float32, zero int32) {
	s = h.pool.Get().(*hybridScratch)
	scale, zero = quantizeRow(s.codes, image, asymmetric)
	h.surround(s, zero)
	p.load(s.plane, s.codes)
	return s, scale, zero
}

// surround writes the zero point where an image never is.
func (h *hybridScratches) surround(s *hybridScratch, zero int32) {
	if s.zero != zero {
		s.zero = zero
		h.level.fill(s.plane, int8(zero))
		fill(s.outside, int8(zero))
	}
}

// quantizeRow writes the codes of a row, or image, and returns their parameters.
func quantizeRow(dst []int8, src []float32, asymmetric bool) (scale float32, zero int32) {
	if asymmetric {
		return QuantizeAsymmetric(dst, src[:len(dst)])
	}
	return QuantizeSymmetric(dst, src[:len(dst)]), 0
}

// clampReal applies a fused activation to float32 values.
func clampReal(values []float32, activation quant.Activation) {
	lo, hi := activation.Bounds()
	for i, v := range values {
		values[i] = min(max(v, lo), hi)
	}
}
