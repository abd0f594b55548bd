package q16

import (
	"fmt"
	"sync"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
)

// TransposeConv is a prepared TRANSPOSE_CONV operator. It is read-only.
type TransposeConv struct {
	*sums
	window window.Window
	inputs int
	phases []phase   // none: run the formula
	pixels sync.Pool // of *[]int16: those of a phase
}

// A phase is the pixels of the output that the same taps lie on: a convolution.
type phase struct {
	window.Phase
	words *q8.Words // nil: nothing lies on them
}

// NewTransposeConv prepares the transpose of a convolution by the window w, whose
// input is the operator's output:
//
//	y[i,o] = clamp(round((b[o] + sum over p,t,c of w[o,t,c]*x[p,c]) * s_x*s_w[o]/s_y))
//
// over the pixels p of x whose tap t lies on pixel i of y, otherwise as
// [NewConv2D].
//
// Shapes: weights [Outputs, kernel height, kernel width, inputs]; bias [Outputs]
// at scale s_x*s_w, or nil.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/transpose_conv.h.
func NewTransposeConv(l Linear, w window.Window, inputs int, weights []int8, bias []int64) (*TransposeConv, error) {
	if err := w.Check(); err != nil {
		return nil, fmt.Errorf("q16: transposed convolution: %w", err)
	}
	s, err := l.sums("transposed convolution", w.Taps()*inputs, weights, bias)
	if err != nil {
		return nil, err
	}
	t := &TransposeConv{sums: s, window: w, inputs: inputs}
	if l.Kernel == q8.Reference {
		return t, nil
	}
	most := 0
	for p := range w.Phases() {
		f := phase{Phase: p}
		most = max(most, p.Positions()*l.Outputs)
		if p.Taps() > 0 {
			if f.words = t.words(&p); f.words == nil {
				t.phases = nil
				return t, nil
			}
		}
		t.phases = append(t.phases, f)
	}
	t.pixels.New = func() any {
		pixels := make([]int16, most)
		return &pixels
	}
	return t, nil
}

// words returns the convolution of a phase, or nil.
func (t *TransposeConv) words(p *window.Phase) *q8.Words {
	outputs := len(t.bias)
	turned := make([]int8, 0, outputs*p.Taps()*t.inputs)
	for o := range outputs {
		for tap := range p.Taps() {
			turned = append(turned, t.weights[(o*t.window.Taps()+p.Tap(tap))*t.inputs:][:t.inputs]...)
		}
	}
	return t.fast(turned, q8.Window{Window: p.Window, Channels: t.inputs}, 0)
}

// Run computes dst [batch, output height, output width, Outputs] from
// src [batch, input height, input width, inputs].
func (t *TransposeConv) Run(dst, src []int16, batch int) {
	if t.phases != nil {
		for n := range batch {
			t.runPhases(dst[n*t.window.Pixels()*len(t.bias):], src[n*t.window.Positions()*t.inputs:])
		}
		return
	}
	w, outputs := &t.window, len(t.bias)
	depth := w.Taps() * t.inputs
	each(batch, w.Positions()*depth*outputs, func(lo, hi int) {
		acc := make([]int64, w.Pixels()*outputs)
		for n := lo; n < hi; n++ {
			for i := range acc {
				acc[i] = t.bias[i%outputs]
			}
			for p := range w.Positions() {
				x := src[(n*w.Positions()+p)*t.inputs:][:t.inputs]
				w.EachTap(p, func(tap, pixel int) {
					for o := range outputs {
						acc[pixel*outputs+o] += dot(t.weights[o*depth+tap*t.inputs:][:t.inputs], x)
					}
				})
			}
			y := dst[n*len(acc):][:len(acc)]
			for i, sum := range acc {
				y[i] = t.code(sum, i%outputs)
			}
		}
	})
}

// runPhases computes an image.
func (t *TransposeConv) runPhases(dst, src []int16) {
	outputs := len(t.bias)
	pixels := t.pixels.Get().(*[]int16)
	for i := range t.phases {
		p := &t.phases[i]
		n := p.Positions()
		from := (*pixels)[:n*outputs]
		if p.words != nil {
			p.words.Run(from, src, 1)
		} else {
			for i := range from {
				from[i] = t.code(t.bias[i%outputs], i%outputs)
			}
		}
		for i := range n {
			copy(dst[p.Pixel(i)*outputs:][:outputs], from[i*outputs:])
		}
	}
	t.pixels.Put(pixels)
}
