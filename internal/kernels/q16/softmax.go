package q16

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

// lut is a function by 513 entries and interpolation.
type lut [513]int16

// newLUT tabulates f over [lo, hi], each entry moved by half the error that
// interpolation has in the middle of the step behind it. round is to float64 or
// float32, whichever a runtime computes in.
//
// Source: LiteRT, tflite/kernels/internal/common.h, gen_lut.
func newLUT(lo, hi float64, round func(float64) float64, f func(float64) float64) *lut {
	const low, high = -2.0 / 65535 * 32768, 2.0 / 65535 * 32767
	lo, hi = round(lo), round(hi)
	inverse := round(65536 / round(round(high)-round(low)))
	step := round(round(hi-lo) / 512)
	half := round(step / 2)
	scaled := func(x float64) float64 { return math.Round(round(round(f(x)) * inverse)) }
	t := &lut{}
	for i := range 512 {
		at := round(lo + round(float64(i)*step))
		value := scaled(at)
		next := round(round(f(round(lo+round(float64(i+1)*step)))) * inverse)
		middle := scaled(round(at + half))
		err := round(math.Round(round(round(next+value)/2)) - middle)
		t[i] = saturated(int32(value - math.Round(err/2)))
	}
	t[512] = saturated(int32(scaled(hi)))
	return t
}

func saturated(v int32) int16 { return int16(Grid.Clamp(v)) }

// at interpolates.
func (t *lut) at(v int16) int32 {
	i, offset := 256+int(v>>7), int32(v&127)
	base := int32(t[i])
	return base + ((int32(t[i+1])-base)*offset+64)>>7
}

// luts are e^x over [-10, 0] and 1/(1+x) over [0, 1].
type luts struct{ exp, reciprocal *lut }

func newLUTs(round func(float64) float64) luts {
	return luts{
		newLUT(-10.0/65535*65535, 0, round, math.Exp),
		newLUT(0, 1.0/65535*65535, round, func(x float64) float64 { return 1 / round(1+x) }),
	}
}

// profileLUTs are computed in float64 by LiteRT and in float32 by TensorFlow Lite
// Micro.
var profileLUTs = map[q8.Profile]luts{
	q8.LiteRT: newLUTs(func(x float64) float64 { return x }),
	q8.TFLM:   newLUTs(func(x float64) float64 { return float64(float32(x)) }),
}

// Softmax is a prepared SOFTMAX operator. It is read-only.
type Softmax struct {
	luts
	multiplier quant.Multiplier
	depth      int
}

// NewSoftmax prepares, for rows of depth codes,
//
//	e[i] = exp(s*(x[i] - max x)),  y[i] = e[i] / sum of e
//
// both functions by tables of 513 entries and interpolation. The output has scale
// 1/32768. The tables of [q8.TFLM] are computed in float32, and its factor in
// float64.
//
// A code differs from half_away(32768 * softmax) by at most 2*depth. The table of e^x
// ends at x = -10 with 2 codes, where e^-10 is 1.5 and what is beyond is 0; elsewhere
// it is off by less than that. So the sum is too large by at most 2 codes for each
// element but the largest, which divides what is near 1 by as much: 2*(depth-1) steps.
// The table of 1/(1+x) is off by at most 1.43 codes, and the output is rounded: less
// than 2 steps.
//
// Errors: parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/softmax.h, SoftmaxInt16.
func NewSoftmax(in, out quant.Params, depth int, profile q8.Profile) (*Softmax, error) {
	err := checkBorders(in, out)
	if depth < 1 {
		err = errors.Join(err, fmt.Errorf("rows of %d", depth))
	}
	if err != nil {
		return nil, fmt.Errorf("q16: softmax: %w", err)
	}
	return &Softmax{profileLUTs[profile], quant.QuantizeMultiplier(float64(in.Scale[0]) / (10.0 / 65535)), depth}, nil
}

// Run computes dst [rows, depth] from src [rows, depth].
func (s *Softmax) Run(dst, src []int16, rows int) {
	each(rows, 8*s.depth, func(lo, hi int) {
		exps := make([]int32, s.depth)
		for r := lo; r < hi; r++ {
			s.row(dst[r*s.depth:][:s.depth], src[r*s.depth:][:s.depth], exps)
		}
	})
}

func (s *Softmax) row(y, x []int16, exps []int32) {
	largest := int32(math.MinInt16)
	for _, q := range x {
		largest = max(largest, int32(q))
	}
	sum := int32(0)
	for i, q := range x {
		exps[i] = s.exp.at(saturated(s.multiplier.Apply(int32(q)-largest) + math.MaxInt16))
		sum += exps[i]
	}
	headroom := bits.LeadingZeros32(uint32(sum))
	shifted := (int64(sum)<<(headroom-1) + 1<<13) >> 14
	reciprocal := s.reciprocal.at(saturated(int32(shifted) - 1<<15 - 1<<16))
	for i, e := range exps {
		shift := 31 - headroom
		v := (e*reciprocal + 1<<(shift-1)) >> shift
		y[i] = int16(min(max(v, 0), math.MaxInt16))
	}
}
