package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// HybridTransposeConvSpec describes a TRANSPOSE_CONV operator with float32
// activations and int8 weights.
type HybridTransposeConvSpec struct {
	Window          window.Window // as in [TransposeConvSpec]
	Inputs, Outputs int           // channels
	Weight          quant.Params  // per tensor, or one scale per output channel along axis 0; no zero points
	Activation      quant.Activation
	Kernel          Kernel
}

// HybridTransposeConv is a prepared hybrid TRANSPOSE_CONV operator. It is
// read-only.
type HybridTransposeConv struct {
	spec    HybridTransposeConvSpec
	weights []int8
	scales  []float32
	bias    []float32
	packed  []float32      // weights [taps, Inputs, whole vectors of Outputs]; nil: there is no routine
	factors []float32      // scales of whole vectors
	fours   [][][4]float64 // for plain Go: weights times scales of four outputs [taps, Inputs]
}

// NewHybridTransposeConv prepares, with q, s, z of each image by
// [QuantizeAsymmetric], whatever the weight scales,
//
//	y[i,o] = activation(b[o] + sum over p,t,c of float32(float32(w[o,t,c]*(q[p,c]-z) * s_w[o]) * s))
//
// over the pixels p of x whose tap t lies on pixel i of y. Unlike other hybrid
// operators it adds in float32: the products one by one, by p, then c, starting
// at 0, and the bias last. So channels are all that can be computed side by side.
// [TFLM] has no such kernel.
//
// Shapes: weights [Outputs, kernel height, kernel width, Inputs]; bias
// [Outputs], or nil.
//
// Errors: sizes that do not fit, scales that are not positive and finite,
// weights with a zero point.
//
// Source: LiteRT, tflite/kernels/transpose_conv.cc, EvalHybrid; the arithmetic
// by experiments with LiteRT 2.3.
func NewHybridTransposeConv(s HybridTransposeConvSpec, weights []int8, bias []float32) (*HybridTransposeConv, error) {
	err := errors.Join(
		s.Window.Check(),
		checkWeights(s.Outputs, s.Window.Taps()*s.Inputs, len(weights), len(bias), s.Weight),
		checkSymmetric(s.Weight),
	)
	if err != nil {
		return nil, fmt.Errorf("q8: hybrid transposed convolution: %w", err)
	}
	t := &HybridTransposeConv{spec: s, weights: weights, scales: channelScales(s.Weight, s.Outputs), bias: make([]float32, s.Outputs)}
	copy(t.bias, bias)
	switch {
	case s.Kernel == Reference:
	case level.spread != nil:
		t.pack()
	default:
		t.packFours()
	}
	return t, nil
}

// pack makes weights and scales of whole vectors.
func (t *HybridTransposeConv) pack() {
	const vector = 8
	width := (t.spec.Outputs + vector - 1) / vector * vector
	taps, inputs := t.spec.Window.Taps(), t.spec.Inputs
	t.factors, t.packed = make([]float32, width), make([]float32, taps*inputs*width)
	copy(t.factors, t.scales)
	for i, k := range t.weights {
		o, at := i/(taps*inputs), i%(taps*inputs)
		t.packed[at*width+o] = float32(k)
	}
}

// packFours makes products of weights and scales, which float64 holds.
func (t *HybridTransposeConv) packFours() {
	outputs, depth := t.spec.Outputs, t.spec.Window.Taps()*t.spec.Inputs
	t.fours = make([][][4]float64, (outputs+3)/4)
	for i := range t.fours {
		t.fours[i] = make([][4]float64, depth)
	}
	for i, k := range t.weights {
		o := i / depth
		t.fours[o/4][i%depth][o%4] = float64(k) * float64(t.scales[o])
	}
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, Inputs].
func (t *HybridTransposeConv) Run(dst, src []float32, batch int) {
	w := &t.spec.Window
	image, size := w.Positions()*t.spec.Inputs, w.Pixels()*t.spec.Outputs
	parts := parallel.Parts(batch, 1<<15/(image*w.Taps()*t.spec.Outputs)+1, parallel.MaxParts)
	parallel.Each(batch, parts, hybridImages{t, dst, src, size, image}, hybridImages.run)
}

// image computes one image.
func (t *HybridTransposeConv) image(dst, src []float32, _ int) {
	w := workers.Get().(*worker)
	w.codes = grown(w.codes, len(src))
	scale, zero := quantizeRow(w.codes, src, true)
	switch {
	case t.packed != nil:
		t.vector(w, dst, zero, scale)
	case t.fours != nil:
		t.plain(w, dst, zero, scale)
	default:
		t.formula(dst, w.codes, zero, scale)
	}
	w.free()
	clampReal(dst, t.spec.Activation)
}

// formula adds all up, in order.
func (t *HybridTransposeConv) formula(dst []float32, src []int8, zero int32, scale float32) {
	w, outputs := &t.spec.Window, t.spec.Outputs
	clear(dst)
	for p := range w.Positions() {
		x := src[p*t.spec.Inputs:][:t.spec.Inputs]
		w.EachTap(p, func(tap, pixel int) {
			for o, s := range dst[pixel*outputs:][:outputs] {
				for c, k := range t.weights[(o*w.Taps()+tap)*t.spec.Inputs:][:len(x)] {
					product := float32(int32(k) * (int32(x[c]) - zero))
					s += float32(float32(product*t.scales[o]) * scale)
				}
				dst[pixel*outputs+o] = s
			}
		})
	}
	for i := range dst {
		dst[i] += t.bias[i%outputs]
	}
}

// vector is the formula, for w.codes, by the routine of a level: the products of codes are exact in float32.
func (t *HybridTransposeConv) vector(w *worker, dst []float32, zero int32, scale float32) {
	window, width, inputs := &t.spec.Window, len(t.factors), t.spec.Inputs
	w.reals = grown(w.reals, window.Pixels()*width+inputs)
	x, sums := w.reals[:inputs], w.reals[inputs:]
	clear(sums)
	for p := range window.Positions() {
		for c, q := range w.codes[p*inputs:][:inputs] {
			x[c] = float32(int32(q) - zero)
		}
		window.EachTap(p, func(tap, pixel int) {
			level.spread(&sums[pixel*width], &t.packed[tap*inputs*width], &x[0], inputs, &t.factors[0], scale, width/8)
		})
	}
	for i := range window.Pixels() {
		to := dst[i*t.spec.Outputs:][:t.spec.Outputs]
		for o, s := range sums[i*width:][:len(to)] {
			to[o] = s + t.bias[o]
		}
	}
}

// plain is the formula, for w.codes, with four sums at a time: the product of both
// codes and the scale of the weight is exact in float64, and then rounded.
func (t *HybridTransposeConv) plain(w *worker, dst []float32, zero int32, scale float32) {
	window, inputs, width := &t.spec.Window, t.spec.Inputs, 4*len(t.fours)
	w.reals, w.numbers = grown(w.reals, window.Pixels()*width), grown(w.numbers, inputs)
	sums, x := w.reals, w.numbers
	clear(sums)
	for p := range window.Positions() {
		for c, q := range w.codes[p*inputs:][:inputs] {
			x[c] = float64(int32(q) - zero)
		}
		window.EachTap(p, func(tap, pixel int) {
			for i, four := range t.fours {
				addProducts((*[4]float32)(sums[pixel*width+4*i:]), x, four[tap*inputs:], scale)
			}
		})
	}
	for i := range window.Pixels() {
		to := dst[i*t.spec.Outputs:][:t.spec.Outputs]
		for o, s := range sums[i*width:][:len(to)] {
			to[o] = s + t.bias[o]
		}
	}
}

// addProducts adds to four sums, one after the other, the products of x with w, times
// the scale.
func addProducts(sums *[4]float32, x []float64, w [][4]float64, scale float32) {
	a, b, c, d := sums[0], sums[1], sums[2], sums[3]
	w = w[:len(x)]
	for k, q := range x {
		v := &w[k]
		a += float32(float32(q*v[0]) * scale)
		b += float32(float32(q*v[1]) * scale)
		c += float32(float32(q*v[2]) * scale)
		d += float32(float32(q*v[3]) * scale)
	}
	*sums = [4]float32{a, b, c, d}
}
