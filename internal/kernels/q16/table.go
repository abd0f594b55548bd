package q16

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

// Table is an operator on single codes: the result for each.
type Table struct{ codes [1 << 16]int16 }

// Run computes dst, element by element of src.
func (t *Table) Run(dst, src []int16) {
	for i, q := range src {
		dst[i] = t.codes[uint16(q)]
	}
}

func newTable(of func(q int32) int32) *Table {
	t := &Table{}
	for i := range t.codes {
		t.codes[i] = int16(of(int32(int16(i))))
	}
	return t
}

// NewRequantize prepares QUANTIZE from codes to codes of another scale:
//
//	y = clamp(multiply(x, s_x/s_y))
//
// Errors: parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/requantize.h.
func NewRequantize(in, out quant.Params) (*Table, error) {
	if err := checkBorders(in, out); err != nil {
		return nil, fmt.Errorf("q16: requantize: %w", err)
	}
	m := quant.QuantizeMultiplier(float64(in.Scale[0]) / float64(out.Scale[0]))
	return newTable(func(q int32) int32 { return Grid.Clamp(m.Apply(q)) }), nil
}

// NewRelu prepares RELU or RELU6, standing alone:
//
//	y = clamp(multiply(x, float32(s_x/s_y)))
//
// between the codes of the bounds. In [q8.TFLM] a RELU6 clamps the codes between
// 0 and half_away(6/s_x), and does not multiply.
//
// Errors: parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/activations.cc, ReluPrepare; tflite-micro,
// tensorflow/lite/micro/kernels/activations.cc.
func NewRelu(a quant.Activation, in, out quant.Params, profile q8.Profile) (*Table, error) {
	if err := checkBorders(in, out); err != nil {
		return nil, fmt.Errorf("q16: %v: %w", a, err)
	}
	if a == quant.Relu6 && profile == q8.TFLM {
		clamp := a.Range(in, Grid)
		return newTable(clamp.Clamp), nil
	}
	clamp, m := a.Range(out, Grid), quant.QuantizeMultiplier(float64(in.Scale[0]/out.Scale[0]))
	return newTable(func(q int32) int32 { return clamp.Clamp(m.Apply(q)) }), nil
}

// NewLeakyRelu prepares LEAKY_RELU, x where x is not negative and alpha*x
// elsewhere, with [quant.LeakyMultipliers]; a negative alpha changes the sign of
// the rounded product with its magnitude. The same in every profile.
//
// Errors: parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/leaky_relu.h.
func NewLeakyRelu(alpha float32, in, out quant.Params) (*Table, error) {
	if err := checkBorders(in, out); err != nil || alpha-alpha != 0 {
		return nil, fmt.Errorf("q16: leaky relu: alpha %v: %w", alpha, err)
	}
	identity, slope := quant.LeakyMultipliers(alpha, in.Scale[0], out.Scale[0])
	return newTable(func(q int32) int32 {
		switch {
		case q >= 0:
			return Grid.Clamp(identity.Apply(q))
		case alpha < 0:
			return Grid.Clamp(-slope.Apply(q))
		}
		return Grid.Clamp(slope.Apply(q))
	}), nil
}

// sigmoid has 2^16/(1 + e^(-i/24)), rounded, the published table being one more at
// some places.
var sigmoid = func() (t [257]int32) {
	for i := range 256 {
		t[i] = int32(min(math.Floor(65536/(1+math.Exp(-float64(i)/24))+0.5), 65535))
	}
	for _, i := range [...]int{4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255} {
		t[i]++
	}
	return t
}()

// steps turns codes of a scale into steps of the table: those of LOGISTIC are
// 3*2^12 to one of the input, 24 entries of 512, those of TANH twice as many.
func steps(scale float32, pots ...int) func(q int32) int32 {
	log := float32(float32(math.Log(float64(scale))) * float32(1/float32(math.Ln2)))
	near := math.Round(float64(log))
	for _, p := range pots {
		if math.Abs(float64(log)-near) < 1e-3 && 12+int(near) == p {
			return func(q int32) int32 { return q * (3 << p) }
		}
	}
	factor, shift := float64(scale)*4096*3, 0
	for ; factor <= 32767.0/2 && shift <= 30; shift++ {
		factor *= 2
	}
	m, half := int32(factor), int32(0)
	if shift > 0 {
		half = 1 << (shift - 1)
	}
	return func(q int32) int32 { return (q*m + half) >> shift }
}

// between returns an entry of the table, and the part of the way to the next one,
// in 1/2^bits; ok is false beyond the last.
func between(d int32, bits int) (at int32, ok bool) {
	i := d >> bits
	if i >= 255 {
		return 0, false
	}
	return sigmoid[i]<<bits + d&(1<<bits-1)*(sigmoid[i+1]-sigmoid[i]), true
}

// NewLogistic prepares LOGISTIC, 1/(1+e^-x), on codes of a scale by a table of
// 256 entries and interpolation between these. The output has scale 1/32768. The
// same in every profile.
//
// Errors: a scale that is not positive and finite.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/logistic.h;
// tflite/kernels/activations.cc, SigmoidPrepare.
func NewLogistic(scale float32) (*Table, error) {
	if err := checkTensor("input", quant.PerTensor(scale, 0)); err != nil {
		return nil, fmt.Errorf("q16: logistic: %w", err)
	}
	step := steps(scale, 0)
	return newTable(func(q int32) int32 {
		d := step(q)
		at, ok := between(max(d, -d), 9)
		if !ok {
			at = 0x7fff << 10
		}
		if d < 0 {
			return (1<<25 - at + 1<<9 - 1) >> 10
		}
		return (at + 1<<9) >> 10
	}), nil
}

// NewTanh prepares TANH as [NewLogistic]: 2/(1+e^(-2x)) - 1. The output has scale
// 1/32768.
//
// Errors: a scale that is not positive and finite.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/tanh.h;
// tflite/kernels/activations.cc, TanhPrepare.
func NewTanh(scale float32) (*Table, error) {
	if err := checkTensor("input", quant.PerTensor(scale, 0)); err != nil {
		return nil, fmt.Errorf("q16: tanh: %w", err)
	}
	step := steps(scale, 0, 1)
	return newTable(func(q int32) int32 {
		d := step(q)
		at, ok := between(max(d, -d), 8)
		if !ok {
			at = 0xffff << 8
		}
		if d < 0 {
			return (-at + 1<<23 + 1<<7 - 1) >> 8
		}
		return (at - 1<<23 + 1<<7) >> 8
	}), nil
}
