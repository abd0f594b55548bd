package graph

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/quant"
)

// DepthwiseConv2D convolves every channel of NHWC images by itself, with
// DepthMultiplier kernels each.
//
//	y[n,i,j,o] = act(b[o] + sum over u,v of x[n, i*StrideH+u*DilationH-top, j*StrideW+v*DilationW-left, o/DepthMultiplier] * w[0,u,v,o])
//
// Taps outside the image are skipped.
//
// Shapes: x [N, H, W, C]; w [1, KH, KW, O] with O = C*DepthMultiplier; b [O],
// optional; y [N, H', W', O].
//
// Quantized: x and y asymmetric int8, w symmetric int8 per tensor or along axis
// 3, b int32 at scale s_x*s_w.
type DepthwiseConv2D struct {
	Padding         Padding          `json:"padding"`
	StrideH         int              `json:"stride_h"`
	StrideW         int              `json:"stride_w"`
	DilationH       int              `json:"dilation_h"`
	DilationW       int              `json:"dilation_w"`
	DepthMultiplier int              `json:"depth_multiplier"`
	Activate        quant.Activation `json:"activation"`
}

func (DepthwiseConv2D) Name() string                   { return "DEPTHWISE_CONV_2D" }
func (DepthwiseConv2D) Class() Class                   { return Anchor }
func (o DepthwiseConv2D) Activation() quant.Activation { return o.Activate }
func (o DepthwiseConv2D) Fuse(a quant.Activation) Op   { o.Activate = a; return o }
func (DepthwiseConv2D) ChannelAxis() int               { return 3 }

// Infer implements [Op].
func (o DepthwiseConv2D) Infer(in [][]int) ([]int, error) {
	if err := errors.Join(arity(in, 2, 3), o.Activate.Check()); err != nil {
		return nil, err
	}
	x, w := in[InputX], in[InputWeights]
	if len(x) != 4 {
		return nil, &ShapeError{Index: InputX, Got: x, Want: "[N, H, W, C]"}
	}
	if o.DepthMultiplier < 1 || o.DepthMultiplier > maxWindow {
		return nil, fmt.Errorf("depth multiplier %d must be between 1 and %d", o.DepthMultiplier, maxWindow)
	}
	channels := x[3] * o.DepthMultiplier
	if len(w) != 4 || w[0] != 1 || w[3] != channels {
		return nil, &ShapeError{Index: InputWeights, Got: w, Want: fmt.Sprintf("[1, KH, KW, %d]", channels)}
	}
	if err := biasShape(in, channels); err != nil {
		return nil, err
	}
	image, err := convolved(o.Padding, x, w, [2]int{o.StrideH, o.StrideW}, [2]int{o.DilationH, o.DilationW})
	if err != nil {
		return nil, err
	}
	return []int{x[0], image[0], image[1], channels}, nil
}
