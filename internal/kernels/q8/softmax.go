package q8

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/goqat/goqat/quant"
)

// Softmax is a prepared int8 SOFTMAX operator. It is read-only.
type Softmax struct {
	depth int
	// By the distance of a code below the largest of its row: e^(beta*s*-distance)
	// in Q0.31 and, for the sum, in Q12.19. Zero where it is too small to count.
	exp, term [256]int32
	real      *[256]float32 // e^(beta*s*-distance), instead of both, in XNNPACK
}

// NewSoftmax prepares y = e^(beta*x) / sum over the last axis of e^(beta*x) in
// fixed point: exponentials of the distance to the largest element in Q5.26,
// distances beyond 31 dropped, the sum in Q12.19. In [XNNPACK], by the kernel that
// LiteRT's default interpreter has, in float32, each result rounded half away from
// zero.
//
// Errors: parameters out of range; beta times the input scale below 2^-26, the
// unit of the fixed-point distance; depth, the length of the last axis, below 1;
// an output scale other than 1/256 or zero point other than -128, which the
// kernel takes for granted.
//
// Source: LiteRT, tflite/kernels/internal/reference/softmax.h and
// tflite/kernels/internal/optimized/optimized_ops.h.
func NewSoftmax(in, out quant.Params, beta float32, depth int, profile Profile) (*Softmax, error) {
	err := checkBorders[int8, int8](in, out)
	if err == nil && !out.Equal(quant.PerTensor(1.0/256, -128)) {
		err = fmt.Errorf("output has scale %v and zero point %d, want 1/256 and -128", out.Scale[0], out.ZeroPoint[0])
	}
	if err == nil && !(float64(beta)*float64(in.Scale[0]) > 0x1p-26) {
		err = fmt.Errorf("beta %v times the input scale %v is not above 2^-26", beta, in.Scale[0])
	}
	if depth < 1 {
		err = errors.Join(err, fmt.Errorf("depth is %d", depth))
	}
	if err != nil {
		return nil, fmt.Errorf("q8: softmax: %w", err)
	}
	m, reach := softmaxInput(in.Scale[0], beta)
	s := &Softmax{depth: depth}
	if profile == XNNPACK {
		s.real = new([256]float32)
		scale := float32(-in.Scale[0] * beta)
		for distance := range s.real {
			s.real[distance] = exp32(float32(scale * float32(distance)))
		}
		return s, nil
	}
	for distance := range s.exp {
		if distance > reach {
			break
		}
		s.exp[distance] = expNegative(mul(int32(-distance)<<m.Exponent, m.Mantissa), 5)
		s.term[distance] = quant.RoundingDivideByPOT(s.exp[distance], 12)
	}
	return s, nil
}

// softmaxInput returns the multiplier from a distance in codes to Q5.26 and the
// largest distance that fits.
func softmaxInput(scale, beta float32) (m quant.Multiplier, reach int) {
	m = quant.QuantizeMultiplier(min(float64(beta)*float64(scale)*(1<<26), math.MaxInt32))
	return m, int(math.Floor(math.Ldexp(31, 26-m.Exponent)))
}

// Run computes dst [rows, depth] from src [rows, depth].
func (s *Softmax) Run(dst, src []int8, rows int) {
	for r := range rows {
		s.row(dst[r*s.depth:][:s.depth], src[r*s.depth:][:s.depth])
	}
}

// row computes one softmax.
//
// LiteRT aborts where the sum exceeds 512 times the largest term: each result is
// then at most half a step. Here these are zero.
func (s *Softmax) row(dst, src []int8) {
	largest := src[0]
	for _, q := range src {
		largest = max(largest, q)
	}
	if s.real != nil {
		s.realRow(dst, src, largest)
		return
	}
	sum := int64(0)
	for _, q := range src {
		sum += int64(s.term[int(largest)-int(q)])
	}
	headroom := bits.LeadingZeros64(uint64(sum)) - 32
	shift := 12 - headroom + 31 - 8
	if shift > 31 {
		fill(dst, -128)
		return
	}
	// sum = (1+fraction) * 2^(31-headroom), the fraction in Q0.31.
	fraction := int32(sum<<headroom - 1<<31)
	inverse := reciprocalOnePlus(fraction)
	for i, q := range src {
		y := quant.RoundingDivideByPOT(mul(inverse, s.exp[int(largest)-int(q)]), shift)
		dst[i] = int8(min(y, 255) - 128)
	}
}

// realRow computes one softmax in float32.
func (s *Softmax) realRow(dst, src []int8, largest int8) {
	sum := float32(0)
	for _, q := range src {
		sum += s.real[int(largest)-int(q)]
	}
	inverse := 1 / float32(sum*(1.0/256))
	for i, q := range src {
		y := math.Round(float64(float32(s.real[int(largest)-int(q)] * inverse)))
		dst[i] = int8(min(y, 255) - 128)
	}
}
