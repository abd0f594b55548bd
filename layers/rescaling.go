package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// Rescaling multiplies by Scale and adds Offset: y = x*Scale + Offset. In front
// of a network it lets the model take raw data, such as pixels from 0 to 255.
//
// Shapes: any [N, ..., C]; y as x.
//
// Quantized: on the input of the network, with a positive Scale and no Offset,
// in front of convolutions and dense layers (pools and reshapes may lie
// between), it costs nothing: the model's input takes codes of the raw values.
// Anywhere else, and with an Offset, it is a 1x1 depthwise convolution. Float
// models have it in the weights of the next layer where that is exact; see
// [graph.Affine]. Pixels brought to [0, 1] keep their very codes; brought to
// [-1, 1], which has no code in its middle, each lies halfway between two.
//
// Errors: a Scale of zero; a Scale or Offset that is not finite.
//
// Source: Keras 3, Rescaling.
type Rescaling struct {
	Scale  float32
	Offset float32
	Name   string
}

// Identity implements [Layer].
func (l Rescaling) Identity() (class, name string) { return "Rescaling", l.Name }

// Lower implements [Layer].
func (l Rescaling) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if l.Scale == 0 || l.Scale-l.Scale != 0 {
		return nil, fmt.Errorf("scale is %v, want a number other than zero", l.Scale)
	}
	if l.Offset-l.Offset != 0 {
		return nil, fmt.Errorf("offset is %v, want a number", l.Offset)
	}
	channels := x.Shape[len(x.Shape)-1]
	factor, shift := make([]float32, channels), make([]float32, channels)
	for c := range factor {
		factor[c], shift[c] = l.Scale, l.Offset
	}
	return b.affine(x, factor, shift)
}

// affine appends y = x*factor + shift per channel.
func (b *Builder) affine(x *graph.Tensor, factor, shift []float32) (*graph.Tensor, error) {
	vector := func(suffix string, values []float32) *graph.Tensor {
		return &graph.Tensor{Name: b.tensorName(suffix), Role: graph.Constant, Shape: []int{len(values)}, Data: values}
	}
	return b.Add("", graph.Affine{}, x, vector("factor", factor), vector("shift", shift))
}
