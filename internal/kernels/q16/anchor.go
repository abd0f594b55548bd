package q16

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// Linear describes what operators with weights have in common.
type Linear struct {
	Outputs       int          // channels
	Input, Output quant.Params // per tensor
	Weight        quant.Params // per tensor, or one scale per output channel along its axis
	Activation    quant.Activation
	Kernel        q8.Kernel
}

// sums turns int64 accumulators into codes:
//
//	code = clamp(round(acc * s_in*s_w[c]/s_out))
type sums struct {
	weights     []int8
	bias        []int64
	multipliers []quant.Multiplier // one per channel
	factors     []float64          // one per channel, instead of multipliers
	clamp       quant.Grid
	words       *q8.Words // nil: run the formula
}

// accelerate lets a fast kernel run the operator; multiplier is 0 but for
// depthwise ones.
func (s *sums) accelerate(k q8.Kernel, w q8.Window, multiplier int) {
	if k != q8.Reference {
		s.words = s.fast(s.weights, w, multiplier)
	}
}

// fast returns the fast kernel with some weights, or nil.
func (s *sums) fast(weights []int8, w q8.Window, multiplier int) *q8.Words {
	spec := q8.WordsSpec{
		Window: w, Outputs: len(s.bias), Multiplier: multiplier, Weight: weights,
		Bias: s.bias, Factor: s.factors, HalfAway: s.factors != nil, Clamp: s.clamp,
	}
	if s.factors == nil {
		for _, m := range s.multipliers {
			spec.Factor = append(spec.Factor, m.Factor64())
		}
	}
	return q8.NewWords(spec)
}

// maxExponent bounds the factors that [quant.Multiplier.Apply64] takes.
const maxExponent = 7

// sums prepares an operator whose output channels read depth inputs each.
//
// Errors: sizes that do not fit, scales that are not positive and finite, zero
// points other than 0, factors of 128 or more.
func (l Linear) sums(name string, depth int, weights []int8, bias []int64) (*sums, error) {
	err := errors.Join(checkBorders(l.Input, l.Output), l.Activation.Check(), checkWeights(l, depth, len(weights), len(bias)))
	if err != nil {
		return nil, fmt.Errorf("q16: %s: %w", name, err)
	}
	s := &sums{
		weights: weights, bias: make([]int64, l.Outputs), multipliers: make([]quant.Multiplier, l.Outputs),
		clamp: l.Activation.Range(l.Output, Grid),
	}
	copy(s.bias, bias)
	for c := range s.multipliers {
		factor := float64(l.Input.Scale[0]) * float64(l.scale(c)) / float64(l.Output.Scale[0])
		if s.multipliers[c] = quant.QuantizeMultiplier(factor); s.multipliers[c].Exponent > maxExponent {
			return nil, fmt.Errorf("q16: %s: scales %v*%v/%v make a factor of %v, beyond 2^%d", name, l.Input.Scale[0], l.scale(c), l.Output.Scale[0], factor, maxExponent)
		}
	}
	return s, nil
}

func checkWeights(l Linear, depth, weights, biases int) error {
	switch {
	case l.Outputs <= 0 || depth <= 0:
		return fmt.Errorf("%d outputs of %d inputs each", l.Outputs, depth)
	case weights != l.Outputs*depth:
		return fmt.Errorf("%d weights, want %d for %d outputs of %d inputs each", weights, l.Outputs*depth, l.Outputs, depth)
	case biases != 0 && biases != l.Outputs:
		return fmt.Errorf("%d biases for %d outputs", biases, l.Outputs)
	}
	p := l.Weight
	p.Axis = 0
	if err := p.Check([]int{l.Outputs}); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	for i, z := range p.ZeroPoint {
		if z != 0 {
			return fmt.Errorf("zero point %d of the weights is %d, want 0", i, z)
		}
	}
	return nil
}

// scale returns that of the weights of channel c.
func (l Linear) scale(c int) float32 {
	if l.Weight.PerChannel() {
		return l.Weight.Scale[c]
	}
	return l.Weight.Scale[0]
}

// code returns the code of an accumulator of channel c.
func (s *sums) code(acc int64, c int) int16 {
	if s.factors != nil {
		v := math.Round(float64(acc) * s.factors[c])
		return int16(min(max(v, float64(s.clamp.Min)), float64(s.clamp.Max)))
	}
	return int16(s.clamp.Clamp(s.multipliers[c].Apply64(acc)))
}

// dot returns the sum of products.
func dot(w []int8, x []int16) (sum int64) {
	for i, v := range w {
		sum += int64(int32(v) * int32(x[i]))
	}
	return sum
}

var one = [2]int{1, 1}

// FullyConnected is a prepared FULLY_CONNECTED operator. It is read-only.
type FullyConnected struct {
	*sums
	inputs int
}

// NewFullyConnected prepares
//
//	y[o] = clamp(round((b[o] + sum over i of w[o,i]*x[i]) * s_x*s_w[o]/s_y))
//
// with an int64 sum, multiplied in float64 in [q8.LiteRT] and by
// [quant.Multiplier.Apply64] in [q8.TFLM]; with one scale for all weights that
// rounds s_x*s_w to float32.
//
// Shapes: weights [Outputs, inputs]; bias [Outputs] at scale s_x*s_w, or nil.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/fully_connected.h;
// tflite-micro, tensorflow/lite/micro/kernels/fully_connected_common.cc.
func NewFullyConnected(l Linear, inputs int, profile q8.Profile, weights []int8, bias []int64) (*FullyConnected, error) {
	s, err := l.sums("fully connected", inputs, weights, bias)
	if err != nil {
		return nil, err
	}
	for c := range s.multipliers {
		switch {
		case profile == q8.LiteRT:
			s.factors = append(s.factors, float64(l.Input.Scale[0])*float64(l.scale(c))/float64(l.Output.Scale[0]))
		case !l.Weight.PerChannel():
			s.multipliers[c] = quant.QuantizeMultiplier(float64(float32(l.Input.Scale[0]*l.Weight.Scale[0])) / float64(l.Output.Scale[0]))
		}
	}
	s.accelerate(l.Kernel, q8.Window{Window: window.Window{Input: one, Output: one, Kernel: one}, Channels: inputs}, 0)
	return &FullyConnected{s, inputs}, nil
}

// Run computes dst [rows, Outputs] from src [rows, inputs].
func (f *FullyConnected) Run(dst, src []int16, rows int) {
	if f.words != nil {
		f.words.Run(dst, src, rows)
		return
	}
	outputs := len(f.bias)
	each(rows*outputs, f.inputs, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			o := i % outputs
			acc := f.bias[o] + dot(f.weights[o*f.inputs:][:f.inputs], src[i/outputs*f.inputs:])
			dst[i] = f.code(acc, o)
		}
	})
}
