package graph

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/quant"
)

var inf = float32(math.Inf(1))

// Padding says how a window meets the border of an image.
type Padding uint8

const (
	// Valid uses only whole windows.
	Valid Padding = iota
	// Same pads so that the output has ceil(size/stride) positions; the odd
	// pixel of padding goes after.
	Same
)

func (p Padding) String() string {
	if p == Same {
		return "same"
	}
	return "valid"
}

// Window returns the output size and the padding before the first element for
// one spatial axis, by TensorFlow's rule:
//
//	same:  out = ceil(in/stride), before = max((out-1)*stride + extent - in, 0) / 2
//	valid: out = ceil((in-extent+1)/stride), before = 0
//
// where extent = (kernel-1)*dilation + 1.
func (p Padding) Window(in, kernel, stride, dilation int) (out, before int) {
	extent := (kernel-1)*dilation + 1
	if p == Same {
		out = (in + stride - 1) / stride
		return out, max((out-1)*stride+extent-in, 0) / 2
	}
	return (in - extent + stride) / stride, 0
}

// Conv2D is the two-dimensional convolution (correlation) of NHWC images.
//
//	y[n,i,j,o] = act(b[o] + sum over u,v,c of x[n, i*StrideH+u*DilationH-top, j*StrideW+v*DilationW-left, c] * w[o,u,v,c])
//
// Taps outside the image are skipped.
//
// Shapes: x [N, H, W, C]; w [O, KH, KW, C]; b [O], optional; y [N, H', W', O].
//
// Quantized: x and y asymmetric int8, w symmetric int8 per tensor or along axis
// 0, b int32 at scale s_x*s_w.
type Conv2D struct {
	Padding   Padding          `json:"padding"`
	StrideH   int              `json:"stride_h"`
	StrideW   int              `json:"stride_w"`
	DilationH int              `json:"dilation_h"`
	DilationW int              `json:"dilation_w"`
	Activate  quant.Activation `json:"activation"`
}

func (Conv2D) Name() string                   { return "CONV_2D" }
func (Conv2D) Class() Class                   { return Anchor }
func (o Conv2D) Activation() quant.Activation { return o.Activate }
func (o Conv2D) Fuse(a quant.Activation) Op   { o.Activate = a; return o }
func (Conv2D) ChannelAxis() int               { return 0 }

// Infer implements [Op].
func (o Conv2D) Infer(in [][]int) ([]int, error) {
	x, w, err := convolutionInputs(in, o.Activate)
	if err != nil {
		return nil, err
	}
	image, err := convolved(o.Padding, x, w, [2]int{o.StrideH, o.StrideW}, [2]int{o.DilationH, o.DilationW})
	if err != nil {
		return nil, err
	}
	return []int{x[0], image[0], image[1], w[0]}, nil
}

// convolved returns the height and width of images x [N, H, W, C] after the
// windows of weights w [., KH, KW, .].
func convolved(p Padding, x, w []int, stride, dilation [2]int) (image [2]int, err error) {
	if !windowSizes(stride[0], stride[1], dilation[0], dilation[1]) {
		return image, fmt.Errorf("strides %dx%d and dilations %dx%d must be between 1 and %d", stride[0], stride[1], dilation[0], dilation[1], maxWindow)
	}
	for i := range image {
		if image[i], _ = p.Window(x[1+i], w[1+i], stride[i], dilation[i]); image[i] < 1 {
			return image, &ShapeError{Index: InputX, Got: x, Want: fmt.Sprintf("an image that holds a %dx%d window", (w[1]-1)*dilation[0]+1, (w[2]-1)*dilation[1]+1)}
		}
	}
	return image, nil
}

// convolutionInputs checks the inputs of a convolution that sums over all
// channels, or of its transpose, and returns the shapes of image and weights.
func convolutionInputs(in [][]int, a quant.Activation) (x, w []int, err error) {
	if err := errors.Join(arity(in, 2, 3), a.Check()); err != nil {
		return nil, nil, err
	}
	x, w = in[InputX], in[InputWeights]
	if len(x) != 4 {
		return nil, nil, &ShapeError{Index: InputX, Got: x, Want: "[N, H, W, C]"}
	}
	if len(w) != 4 || w[3] != x[3] {
		return nil, nil, &ShapeError{Index: InputWeights, Got: w, Want: fmt.Sprintf("[O, KH, KW, %d]", x[3])}
	}
	return x, w, biasShape(in, w[0])
}

// maxWindow bounds strides, dilations and windows, so that no position
// overflows.
const maxWindow = 1 << 15

// windowSizes reports whether all sizes are between 1 and maxWindow.
func windowSizes(sizes ...int) bool {
	for _, s := range sizes {
		if s < 1 || s > maxWindow {
			return false
		}
	}
	return true
}

// biasShape checks the optional bias of an anchor with the given channels.
func biasShape(in [][]int, channels int) error {
	if len(in) > InputBias && in[InputBias] != nil {
		if b := in[InputBias]; len(b) != 1 || b[0] != channels {
			return &ShapeError{Index: InputBias, Got: b, Want: fmt.Sprintf("[%d]", channels)}
		}
	}
	return nil
}
