package graph

import "fmt"

// Pool is the window of a pooling operator.
type Pool struct {
	Padding Padding `json:"padding"`
	FilterH int     `json:"filter_h"`
	FilterW int     `json:"filter_w"`
	StrideH int     `json:"stride_h"`
	StrideW int     `json:"stride_w"`
}

// MaxPool2D is the maximum over windows of NHWC images; taps outside the image
// do not count.
//
// Shapes: x [N, H, W, C]; y [N, H', W', C].
//
// Quantized: input and output share scale and zero point; codes are copied.
type MaxPool2D struct{ Pool }

func (MaxPool2D) Name() string { return "MAX_POOL_2D" }
func (MaxPool2D) Class() Class { return SameScale }

// AveragePool2D is the mean over windows of NHWC images; taps outside the image
// do not count.
//
// Shapes: x [N, H, W, C]; y [N, H', W', C].
//
// Quantized: input and output share scale and zero point; the integer mean of
// the codes is rounded half away from zero.
type AveragePool2D struct{ Pool }

func (AveragePool2D) Name() string { return "AVERAGE_POOL_2D" }
func (AveragePool2D) Class() Class { return SameScale }

// Averages implements [Averaging].
func (AveragePool2D) Averages() bool { return true }

// Infer implements [Op].
func (o Pool) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if len(x) != 4 {
		return nil, &ShapeError{Got: x, Want: "[N, H, W, C]"}
	}
	if !windowSizes(o.FilterH, o.FilterW, o.StrideH, o.StrideW) {
		return nil, fmt.Errorf("window %dx%d and strides %dx%d must be between 1 and %d", o.FilterH, o.FilterW, o.StrideH, o.StrideW, maxWindow)
	}
	h, _ := o.Padding.Window(x[1], o.FilterH, o.StrideH, 1)
	w, _ := o.Padding.Window(x[2], o.FilterW, o.StrideW, 1)
	if h < 1 || w < 1 {
		return nil, &ShapeError{Got: x, Want: fmt.Sprintf("an image that holds a %dx%d window", o.FilterH, o.FilterW)}
	}
	return []int{x[0], h, w, x[3]}, nil
}
