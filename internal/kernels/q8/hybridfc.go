package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// HybridFullyConnectedSpec describes a FULLY_CONNECTED operator with float32
// activations and int8 weights.
type HybridFullyConnectedSpec struct {
	Inputs, Outputs int
	Weight          quant.Params // per tensor, or one scale per output along axis 0; no zero points
	Asymmetric      bool         // quantize input rows with a zero point (asymmetric_quantize_inputs)
	Activation      quant.Activation
	Kernel          Kernel
}

// HybridFullyConnected is a prepared hybrid FULLY_CONNECTED operator. It is
// read-only.
type HybridFullyConnected struct {
	spec    HybridFullyConnectedSpec
	scales  []float32
	weights []int8
	bias    []float32
	packed  *matrix // nil: run the formula
}

// NewHybridFullyConnected prepares, with q, s, z of each input row by
// [QuantizeSymmetric] (z = 0) or [QuantizeAsymmetric],
//
//	y[o] = activation(b[o] + float32((sum over i of w[o,i]*q[i] - z*sum over i of w[o,i]) * float32(s*s_w[o])))
//
// with an int32 sum and float32 rest. [TFLM] has no such kernel.
//
// Shapes: weights [Outputs, Inputs]; bias [Outputs], or nil.
//
// Errors: sizes that do not fit, scales that are not positive and finite,
// weights with a zero point.
//
// Source: LiteRT, tflite/kernels/fully_connected.cc, EvalHybridDense, and
// tflite/kernels/internal/reference/portable_tensor_utils.cc.
func NewHybridFullyConnected(s HybridFullyConnectedSpec, weights []int8, bias []float32) (*HybridFullyConnected, error) {
	err := errors.Join(
		checkWeights(s.Outputs, s.Inputs, len(weights), len(bias), s.Weight),
		checkSymmetric(s.Weight),
	)
	if err != nil {
		return nil, fmt.Errorf("q8: hybrid fully connected: %w", err)
	}
	f := &HybridFullyConnected{
		spec:    s,
		scales:  channelScales(s.Weight, s.Outputs),
		weights: weights,
		bias:    make([]float32, s.Outputs),
	}
	copy(f.bias, bias)
	if s.Kernel == Fast {
		f.packed = newMatrix(weights, s.Outputs, s.Inputs)
	}
	return f, nil
}

// Run computes dst [rows, Outputs] from src [rows, Inputs].
func (f *HybridFullyConnected) Run(dst, src []float32, rows int) {
	in := quantizeRows(src, rows, f.spec.Inputs, f.spec.Asymmetric)
	if f.packed == nil {
		f.reference(dst, in)
	} else {
		f.packed.each(rows,
			func(_ []int8, lo, hi int) []int8 { return in.codes[lo*f.spec.Inputs : hi*f.spec.Inputs] },
			func(row int, acc []int32) {
				for o, a := range acc {
					dst[row*f.spec.Outputs+o] = f.output(a-in.zeros[row]*f.packed.sums[o], in.scales[row], o)
				}
			})
	}
	clampReal(dst[:rows*f.spec.Outputs], f.spec.Activation)
}

// output returns the output of an accumulator, before the activation.
func (f *HybridFullyConnected) output(acc int32, scale float32, o int) float32 {
	return f.bias[o] + float32(float32(acc)*float32(scale*f.scales[o]))
}

// reference is the formula.
func (f *HybridFullyConnected) reference(dst []float32, in quantized) {
	inputs, outputs := f.spec.Inputs, f.spec.Outputs
	for r := range in.scales {
		for o := range outputs {
			acc := int32(0)
			for i := range inputs {
				acc += int32(f.weights[o*inputs+i]) * (int32(in.codes[r*inputs+i]) - in.zeros[r])
			}
			dst[r*outputs+o] = f.output(acc, in.scales[r], o)
		}
	}
}

// quantized are rows (or images) of codes, each with its own scale and zero point.
type quantized struct {
	codes  []int8
	scales []float32
	zeros  []int32
}

// quantizeRows quantizes rows of the given size.
func quantizeRows(src []float32, rows, size int, asymmetric bool) quantized {
	q := quantized{codes: make([]int8, rows*size), scales: make([]float32, rows), zeros: make([]int32, rows)}
	parts := parallel.Parts(rows, 1<<15/size+1, parallel.MaxParts)
	parallel.For(parts, func(part int) {
		lo, hi := parallel.Range(rows, parts, part)
		for r := lo; r < hi; r++ {
			to, from := q.codes[r*size:][:size], src[r*size:][:size]
			if asymmetric {
				q.scales[r], q.zeros[r] = QuantizeAsymmetric(to, from)
			} else {
				q.scales[r] = QuantizeSymmetric(to, from)
			}
		}
	})
	return q
}
