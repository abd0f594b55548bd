package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Conv2DTranspose is the transposed two-dimensional convolution of NHWC images,
// which makes them larger; see [graph.TransposeConv] for the formula.
//
// Shapes: x [N, H, W, C]; kernel [Filters, KH, KW, C], where Keras has
// [KH, KW, Filters, C]; bias [Filters]; y [N, H', W', Filters], where H' is
// H*stride with Same padding and (H-1)*stride + max(KH, stride) with Valid.
//
// Quantized: see [graph.TransposeConv]. TensorFlow Lite has neither dilation nor
// output padding here, so there are no fields for them.
//
// Errors: sizes that are not positive or too large; an input that is no image
// ([*graph.ShapeError]).
//
// Source: Keras 3, Conv2DTranspose, with output_padding None and dilation_rate 1.
type Conv2DTranspose struct {
	Filters    int
	Kernel     [2]int // height and width
	Strides    [2]int // down and right; zero: 1
	Padding    Padding
	Activation Activation
	NoBias     bool
	KernelInit Initializer // nil: GlorotUniform
	BiasInit   Initializer // nil: Zeros
	Name       string
}

// Identity implements [Layer].
func (l Conv2DTranspose) Identity() (class, name string) { return "Conv2DTranspose", l.Name }

// Lower implements [Layer].
func (l Conv2DTranspose) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	strides := pairOr(l.Strides, [2]int{1, 1})
	if l.Filters < 1 {
		return nil, fmt.Errorf("filters is %d, want a positive number", l.Filters)
	}
	op := graph.TransposeConv{Padding: l.Padding, StrideH: strides[0], StrideW: strides[1]}
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	if err := checkWindow(l.Padding, pair{"kernel", l.Kernel}, pair{"strides", strides}); err != nil {
		return nil, err
	}
	// Keras counts the fans of a kernel [KH, KW, Filters, C] as it counts those of
	// any kernel: in from the third axis, out from the last.
	kernel, err := b.Parameter("kernel", []int{l.Filters, l.Kernel[0], l.Kernel[1], x.Shape[3]}, swapped{or(l.KernelInit, GlorotUniform{})})
	if err != nil {
		return nil, err
	}
	if y, err := op.Infer([][]int{x.Shape, kernel.Shape}); err == nil {
		if err := checkSizes(y); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
	}
	return b.anchor(op, x, kernel, l.NoBias, l.BiasInit, l.Activation)
}

// swapped is an initializer for kernels whose inputs count as outputs, and the
// other way round.
type swapped struct{ Initializer }

// Fill implements [Initializer].
func (s swapped) Fill(dst []float32, fan Fan, random Random) {
	s.Initializer.Fill(dst, Fan{In: fan.Out, Out: fan.In}, random)
}
