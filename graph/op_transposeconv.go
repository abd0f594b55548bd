package graph

import (
	"fmt"

	"github.com/goqat/goqat/quant"
)

// Transposed returns the output size of a transposed convolution for one
// spatial axis, by Keras' rule:
//
//	same:  out = in*stride
//	valid: out = (in-1)*stride + max(kernel, stride)
//
// It undoes [Padding.Window]: a convolution of the output, with the same window
// and dilation 1, has the size of the input.
func (p Padding) Transposed(in, kernel, stride int) int {
	if p == Same {
		return in * stride
	}
	return (in-1)*stride + max(kernel, stride)
}

// TransposeConv is the transposed two-dimensional convolution of NHWC images:
// every input pixel adds its products with the kernel to the output pixels that
// a convolution with that kernel would have gathered it from.
//
//	y[n,i,j,o] = act(b[o] + sum over p,q,u,v,c of x[n,p,q,c] * w[o,u,v,c])
//
// over the input pixels and taps with i = p*StrideH+u-top and j = q*StrideW+v-left.
// The padding top and left is that of [Padding.Window] on the size of y; what
// falls outside of y is dropped.
//
// Shapes: x [N, H, W, C]; w [O, KH, KW, C]; b [O], optional; y [N, H', W', O],
// with H' and W' by [Padding.Transposed]. There is no dilation and no output
// padding.
//
// Quantized: x and y asymmetric int8, w symmetric int8 per tensor or along axis
// 0, b int32 at scale s_x*s_w.
type TransposeConv struct {
	Padding  Padding          `json:"padding"`
	StrideH  int              `json:"stride_h"`
	StrideW  int              `json:"stride_w"`
	Activate quant.Activation `json:"activation"`
}

func (TransposeConv) Name() string                   { return "TRANSPOSE_CONV" }
func (TransposeConv) Class() Class                   { return Anchor }
func (o TransposeConv) Activation() quant.Activation { return o.Activate }
func (o TransposeConv) Fuse(a quant.Activation) Op   { o.Activate = a; return o }
func (TransposeConv) ChannelAxis() int               { return 0 }

// Infer implements [Op].
func (o TransposeConv) Infer(in [][]int) ([]int, error) {
	x, w, err := convolutionInputs(in, o.Activate)
	if err != nil {
		return nil, err
	}
	if !windowSizes(o.StrideH, o.StrideW) {
		return nil, fmt.Errorf("strides %dx%d must be between 1 and %d", o.StrideH, o.StrideW, maxWindow)
	}
	return []int{x[0], o.Padding.Transposed(x[1], w[1], o.StrideH), o.Padding.Transposed(x[2], w[2], o.StrideW), w[0]}, nil
}
