package q8

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// A rescaler turns int32 accumulators into output codes:
//
//	code = clamp(round(acc * s_in*s_w[c]/s_out) + zero point)
//
// in fixed point, in float64 where factors is set, or in float32 where singles is.
type rescaler struct {
	multipliers []quant.Multiplier // one per channel
	factors     []float64          // one per channel, instead of multipliers
	singles     []float32          // one per channel, instead of multipliers
	zero        int32
	clamp       quant.Grid
}

// newRescaler prepares the fixed-point rescaler of convolutions and per-channel
// fully-connected layers, whose multipliers are float64 throughout.
//
// Source: LiteRT, tflite/kernels/kernel_util.cc, PopulateConvolutionQuantizationParams.
func newRescaler(in, out quant.Params, weights []float32, activation quant.Activation) rescaler {
	r := rescaler{
		multipliers: make([]quant.Multiplier, len(weights)),
		zero:        out.ZeroPoint[0],
		clamp:       activation.Range(out, GridOf[int8]()),
	}
	for c, w := range weights {
		r.multipliers[c] = quant.QuantizeMultiplier(float64(in.Scale[0]) * float64(w) / float64(out.Scale[0]))
	}
	return r
}

// newSharedRescaler prepares the fixed-point rescaler of per-tensor
// fully-connected layers: the product of the scales is rounded to float32
// before the float64 division.
//
// Source: LiteRT, tflite/kernels/kernel_util.cc, GetQuantizedConvolutionMultipler.
func newSharedRescaler(in, out quant.Params, weight float32, outputs int, activation quant.Activation) rescaler {
	r := newRescaler(in, out, make([]float32, outputs), activation)
	product := float32(in.Scale[0] * weight)
	for c := range r.multipliers {
		r.multipliers[c] = quant.QuantizeMultiplier(float64(product) / float64(out.Scale[0]))
	}
	return r
}

// newRealRescaler prepares the float64 rescaler of fully-connected layers in
// LiteRT 2.x.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/fully_connected.h.
func newRealRescaler(in, out quant.Params, weights []float32, activation quant.Activation) rescaler {
	r := newRescaler(in, out, nil, activation)
	r.factors = make([]float64, len(weights))
	for c, w := range weights {
		r.factors[c] = float64(in.Scale[0]) * float64(w) / float64(out.Scale[0])
	}
	return r
}

// code returns the code of an accumulator of channel c.
func (r *rescaler) code(acc int32, c int) int8 {
	if r.singles != nil {
		return int8(halfEven(float32(acc)*r.singles[c], r.zero, r.clamp))
	}
	if r.factors != nil {
		v := math.Round(float64(acc)*r.factors[c]) + float64(r.zero) // both exact below 2^31, saturated beyond
		return int8(min(max(v, float64(r.clamp.Min)), float64(r.clamp.Max)))
	}
	return int8(r.clamp.Clamp(r.multipliers[c].Apply(acc) + r.zero))
}

// codes writes the codes of one accumulator per channel.
func (r *rescaler) codes(dst []int8, acc []int32) {
	for c := range dst {
		dst[c] = r.code(acc[c], c)
	}
}

// biased is codes of accumulators that lack their biases.
func (r *rescaler) biased(dst []int8, acc, bias []int32) {
	for c := range dst {
		dst[c] = r.code(acc[c]+bias[c], c)
	}
}
