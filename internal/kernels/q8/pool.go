package q8

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// PoolSpec describes an int8 MAX_POOL_2D or AVERAGE_POOL_2D operator. Input and
// output have the same scale and zero point.
type PoolSpec struct {
	Window     Window
	Quantized  quant.Params // of input and output, per tensor
	Activation quant.Activation
}

// Pool is a prepared int8 pooling operator. It is read-only.
type Pool struct {
	window Window
	clamp  quant.Grid
	reduce func(dst, image []int8, offsets []int)
}

// NewMaxPool2D prepares y[p,c] = clamp(max over taps t in the image of x[p+t,c]).
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewMaxPool2D(s PoolSpec) (*Pool, error) { return newPool(s, largest) }

// NewAveragePool2D prepares y[p,c] = clamp(S/n rounded half away from zero),
// where S is the sum of the codes under the n taps inside the image.
//
// Errors: sizes and parameters that cannot be.
//
// Source: LiteRT, tflite/kernels/internal/reference/integer_ops/pooling.h.
func NewAveragePool2D(s PoolSpec) (*Pool, error) { return newPool(s, average) }

func newPool(s PoolSpec, reduce func(dst, image []int8, offsets []int)) (*Pool, error) {
	window, err := s.Window.checked()
	err = errors.Join(err, checkTensor("input", s.Quantized, GridOf[int8]()))
	for axis := range 2 {
		last := (window.Output[axis]-1)*window.Stride[axis] - window.Pad[axis]
		if window.Dilation[axis] != 1 || window.Pad[axis] >= window.Kernel[axis] || last >= window.Input[axis] {
			err = errors.Join(err, fmt.Errorf("a pool needs dilation 1 and an input under every window: %+v", window))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("q8: pool: %w", err)
	}
	return &Pool{window: window, clamp: s.Activation.Range(s.Quantized, GridOf[int8]()), reduce: reduce}, nil
}

// Run computes dst [batch, output height, output width, Channels] from
// src [batch, input height, input width, Channels].
func (p *Pool) Run(dst, src []int8, batch int) {
	w := &p.window
	const taps = 1 << 15 // worth a goroutine
	rows := batch * w.Positions()
	parts := parallel.Parts(rows, taps/w.depth()+1, parallel.MaxParts)
	parallel.For(parts, func(part int) {
		offsets := make([]int, 0, w.Kernel[0]*w.Kernel[1])
		lo, hi := parallel.Range(rows, parts, part)
		for row := lo; row < hi; row++ {
			offsets = offsets[:0]
			w.taps(row%w.Positions(), func(_, offset int) { offsets = append(offsets, offset) })
			to := dst[row*w.Channels:][:w.Channels]
			p.reduce(to, src[row/w.Positions()*w.inputSize():], offsets)
			for c, q := range to {
				to[c] = int8(p.clamp.Clamp(int32(q)))
			}
		}
	})
}

// largest sets dst[c] to the maximum of image[offset+c] over offsets.
func largest(dst, image []int8, offsets []int) {
	for i, offset := range offsets {
		pixel := image[offset:][:len(dst)]
		if i == 0 {
			copy(dst, pixel)
			continue
		}
		for c, q := range pixel {
			dst[c] = max(dst[c], q)
		}
	}
}

// average sets dst[c] to the rounded mean of image[offset+c] over offsets.
func average(dst, image []int8, offsets []int) {
	n := int32(len(offsets))
	for c := range dst {
		sum := int32(0)
		for _, offset := range offsets {
			sum += int32(image[offset+c])
		}
		half := n / 2
		if sum <= 0 {
			half = -half
		}
		dst[c] = int8((sum + half) / n)
	}
}
