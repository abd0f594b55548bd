package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// TransposeConvSpec describes an int8 TRANSPOSE_CONV operator.
type TransposeConvSpec struct {
	// Window is that of the convolution that is transposed: its input is the
	// operator's output.
	Window          window.Window
	Inputs, Outputs int          // channels
	Input, Output   quant.Params // per tensor
	Weight          quant.Params // per tensor, or one scale per output channel along axis 0
	Activation      quant.Activation
	Profile         Profile
	Kernel          Kernel
}

// TransposeConv is a prepared int8 TRANSPOSE_CONV operator. It is read-only.
type TransposeConv struct {
	window          window.Window
	inputs, outputs int
	inputZero       int32
	rescale         rescaler
	weights         []int8
	bias            []int32
	phases          []phase // nil: run the formula
}

// phase is a part of the output, which is an ordinary convolution, made ready
// for the fast kernel. packed is nil where no input reaches.
type phase struct {
	window.Phase
	small  Window
	packed *matrix
	folded []int32 // bias for packed, which multiplies codes without zero points
}

// NewTransposeConv prepares
//
//	y[i,o] = clamp(rescale(b[o] + sum over p,t,c of w[o,t,c]*(x[p,c] - z_x)) + z_y)
//
// over the pixels p of x whose tap t lies on pixel i of y, with an int32
// accumulator that wraps around. rescale is that of [NewConv2D].
//
// Shapes: weights [Outputs, kernel height, kernel width, Inputs]; bias [Outputs]
// at scale s_x*s_w, or nil.
//
// Errors: sizes that do not fit, scales that are not positive and finite, zero
// points out of range, weights with a zero point; factors that XNNPACK does not take.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/transpose_conv.h.
func NewTransposeConv(s TransposeConvSpec, weights []int8, bias []int32) (*TransposeConv, error) {
	err := errors.Join(
		s.Window.Check(),
		checkBorders[int8, int8](s.Input, s.Output),
		checkWeights(s.Outputs, s.Window.Taps()*s.Inputs, len(weights), len(bias), s.Weight),
		checkSymmetric(s.Weight),
	)
	if err != nil {
		return nil, fmt.Errorf("q8: transposed convolution: %w", err)
	}
	rescale, err := s.Profile.rescaler(s.Input, s.Output, channelScales(s.Weight, s.Outputs), s.Activation)
	if err != nil {
		return nil, fmt.Errorf("q8: transposed convolution: %w", err)
	}
	t := &TransposeConv{
		window: s.Window, inputs: s.Inputs, outputs: s.Outputs,
		inputZero: s.Input.ZeroPoint[0],
		rescale:   rescale,
		weights:   weights,
		bias:      make([]int32, s.Outputs),
	}
	copy(t.bias, bias)
	if s.Kernel == Fast {
		for p := range s.Window.Phases() {
			t.phases = append(t.phases, t.newPhase(p))
		}
	}
	return t, nil
}

func (t *TransposeConv) newPhase(p window.Phase) phase {
	f := phase{Phase: p, small: Window{Window: p.Window, Channels: t.inputs}}
	if p.Taps() == 0 {
		return f
	}
	turned := make([]int8, 0, t.outputs*f.small.depth())
	for o := range t.outputs {
		for tap := range p.Taps() {
			turned = append(turned, t.weights[(o*t.window.Taps()+p.Tap(tap))*t.inputs:][:t.inputs]...)
		}
	}
	f.packed = newMatrix(turned, t.outputs, f.small.depth())
	f.folded = f.packed.foldedBias(t.bias, t.inputZero)
	return f
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, Inputs].
func (t *TransposeConv) Run(dst, src []int8, batch int) {
	if t.phases == nil {
		t.reference(dst, src, batch)
		return
	}
	for i := range t.phases {
		t.runPhase(&t.phases[i], dst, src, batch)
	}
}

// runPhase computes the pixels of one phase.
func (t *TransposeConv) runPhase(f *phase, dst, src []int8, batch int) {
	rows := batch * f.small.Positions()
	pixel := func(row int) []int8 {
		n, position := row/f.small.Positions(), row%f.small.Positions()
		return dst[(n*t.window.Pixels()+f.Pixel(position))*t.outputs:][:t.outputs]
	}
	if f.packed == nil {
		for row := range rows {
			t.rescale.biased(pixel(row), make([]int32, t.outputs), t.bias)
		}
		return
	}
	// Outside the image stands the zero point: it adds nothing.
	outside := func(int) int8 { return int8(t.inputZero) }
	f.packed.each(rows, f.small.patches(src, outside),
		func(row int, acc []int32) { t.rescale.biased(pixel(row), acc, f.folded) })
}

// reference is the formula: every input pixel adds to the outputs it reaches.
func (t *TransposeConv) reference(dst, src []int8, batch int) {
	w := &t.window
	for n := range batch {
		sums := make([]int32, w.Pixels()*t.outputs)
		for p := range w.Positions() {
			x := src[(n*w.Positions()+p)*t.inputs:][:t.inputs]
			w.EachTap(p, func(tap, pixel int) {
				for o := range t.outputs {
					for c, q := range x {
						sums[pixel*t.outputs+o] += int32(t.weights[(o*w.Taps()+tap)*t.inputs+c]) * (int32(q) - t.inputZero)
					}
				}
			})
		}
		for pixel := range w.Pixels() {
			t.rescale.biased(dst[(n*w.Pixels()+pixel)*t.outputs:][:t.outputs], sums[pixel*t.outputs:], t.bias)
		}
	}
}
