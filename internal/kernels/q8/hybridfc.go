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
	hybridOutput
	inputs     int
	asymmetric bool
	weights    []int8
	packed     *matrix // nil: run the formula, or product
	product    *product
	rowAt      []int32 // in the plane, of rowsAtOnce
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
		hybridOutput: newHybridOutput(s.Outputs, channelScales(s.Weight, s.Outputs), bias, s.Activation),
		inputs:       s.Inputs, asymmetric: s.Asymmetric, weights: weights,
	}
	switch {
	case s.Kernel == Reference:
	case level.lanes > 0:
		f.setTotals(weights)
		level := level.forDense()
		f.rowAt = rowOffsets(rowsAtOnce, f.inputs*level.element())
		f.product = newProduct(level, weights, s.Outputs, []int32{0}, s.Inputs, make([]int32, s.Outputs), 0, nil)
	default:
		f.setTotals(weights)
		f.packed = newMatrix(weights, s.Outputs, s.Inputs)
	}
	return f, nil
}

// Run computes dst [rows, Outputs] from src [rows, Inputs].
func (f *HybridFullyConnected) Run(dst, src []float32, rows int) {
	if f.product != nil {
		f.vector(dst, src, rows)
		return
	}
	in := quantizeRows(src, rows, f.inputs, f.asymmetric)
	if f.packed == nil {
		f.reference(dst, in)
		return
	}
	f.packed.each(rows,
		func(_ []int8, lo, hi int) []int8 { return in.codes[lo*f.inputs : hi*f.inputs] },
		func(row int, acc []int32) {
			f.write(nil, dst[row*f.outputs:], 0, acc, 0, 0, f.outputs, 1, in.scales[row], in.zeros[row])
		})
}

// reference is the formula.
func (f *HybridFullyConnected) reference(dst []float32, in quantized) {
	for r := range in.scales {
		for o := range f.outputs {
			acc := int32(0)
			for i := range f.inputs {
				acc += int32(f.weights[o*f.inputs+i]) * (int32(in.codes[r*f.inputs+i]) - in.zeros[r])
			}
			dst[r*f.outputs+o] = f.value(acc, in.scales[r], o)
		}
	}
	clampReal(dst[:len(in.scales)*f.outputs], f.activation)
}

// vector computes rows by the routines of a level.
func (f *HybridFullyConnected) vector(dst, src []float32, rows int) {
	parts := parallel.Parts(rows, vectorProducts/(f.inputs*f.outputs)+1, parallel.MaxParts)
	parallel.Each(rows, parts, hybridRows{f, dst, src}, hybridRows.run)
}

// hybridRows are rows of a batch.
type hybridRows struct {
	*HybridFullyConnected
	dst, src []float32
}

func (f hybridRows) run(lo, hi int) { f.rows(f.dst[lo*f.outputs:], f.src[lo*f.inputs:], hi-lo) }

func (f *HybridFullyConnected) rows(dst, src []float32, rows int) {
	w := workers.Get().(*worker)
	level := f.product.level
	w.codes = grown(w.codes, f.inputs)
	w.plane = grown(w.plane, min(rows, rowsAtOnce)*f.inputs*level.element()+slack)
	var scales [rowsAtOnce]float32
	var zeros [rowsAtOnce]int32
	for lo := 0; lo < rows; lo += rowsAtOnce {
		n := min(rowsAtOnce, rows-lo)
		for r := range n {
			scales[r], zeros[r] = quantizeRow(w.codes, src[(lo+r)*f.inputs:], f.asymmetric)
			level.elements(w.plane[f.rowAt[r]:], w.codes)
		}
		f.product.sum(w, w.plane, f.rowAt[:n])
		for r := range n {
			f.write(w, dst[(lo+r)*f.outputs:], 0, w.sums[r*f.product.width:], 0, 0, f.outputs, 1, scales[r], zeros[r])
		}
	}
	w.free()
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
			q.scales[r], q.zeros[r] = quantizeRow(to, from, asymmetric)
		}
	})
	return q
}
