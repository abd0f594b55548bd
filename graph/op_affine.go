package graph

// Inputs of Affine, by position.
const (
	InputFactor = 1
	InputShift  = 2
)

// Affine scales and shifts each channel (the last axis): the rescaling and
// normalization of inputs, and what a BatchNorm without an anchor is at
// inference.
//
//	y = x*factor + shift
//
// Shapes: x [N, ..., C]; factor, shift [C]; y as x.
//
// Quantized: never as it is. One positive factor for all channels and no shift,
// on an input of the graph, multiply the scale of the input's codes, see
// [Graph.Rescaled]; anything else becomes a 1x1 [DepthwiseConv2D], see
// [AnchorAffine].
//
// Gradient: dx = dy*factor; dfactor and dshift, where they are trained, are the
// sums of dy*x and dy.
type Affine struct{}

func (Affine) Name() string { return "AFFINE" }
func (Affine) Class() Class { return TrainingOnly }

// Infer implements [Op].
func (Affine) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 3, 3); err != nil {
		return nil, err
	}
	return perChannel(in)
}

// perChannel is the shape rule of operators whose first input has channels and
// whose other inputs have a number for each.
func perChannel(in [][]int) ([]int, error) {
	x := in[InputX]
	if len(x) < 2 {
		return nil, &ShapeError{Got: x, Want: "[N, ..., C]"}
	}
	if err := channelVectors(in, 1, x[len(x)-1]); err != nil {
		return nil, err
	}
	return append([]int(nil), x...), nil
}
