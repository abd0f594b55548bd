package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var conv2D = Row{
	Code:    schema.BuiltinOperatorCONV_2D,
	Options: schema.BuiltinOptionsConv2DOptions,
	Kinds:   anchorKinds(1, 2, 3, 1),
	version: func(n *graph.Node, k Kind) int {
		if k.version == 2 && PerChannel(n.Input(graph.InputWeights)) {
			return 5
		}
		return k.version
	},
	int4:      7,
	Runtimes:  []string{"1.5.0", "1.14.0", "1.14.0", "2.3.0", "2.4.0", "2.9.0", "2.11.0", "2.15.0"},
	Inputs:    withBias,
	Bias:      graph.InputBias,
	NeedsBias: true,
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.Conv2D)
		schema.Conv2DOptionsStart(b)
		schema.Conv2DOptionsAddPadding(b, paddingCode(o.Padding))
		schema.Conv2DOptionsAddFusedActivationFunction(b, activationCodes[o.Activate])
		schema.Conv2DOptionsAddStrideW(b, int32(o.StrideW))
		schema.Conv2DOptionsAddStrideH(b, int32(o.StrideH))
		schema.Conv2DOptionsAddDilationWFactor(b, int32(o.DilationW))
		schema.Conv2DOptionsAddDilationHFactor(b, int32(o.DilationH))
		return schema.Conv2DOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsConv2DOptions); err != nil {
			return nil, nil, err
		}
		var o schema.Conv2DOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if t := o.QuantizedBiasType(); t != schema.TensorTypeFLOAT32 {
			return nil, nil, fmt.Errorf("quantized_bias_type %v is not supported", t)
		}
		padding, err := paddingOf(o.Padding())
		if err != nil {
			return nil, nil, err
		}
		activation, err := activationOf(o.FusedActivationFunction())
		return graph.Conv2D{
			Padding: padding, Activate: activation,
			StrideH: int(o.StrideH()), StrideW: int(o.StrideW()),
			DilationH: int(o.DilationHFactor()), DilationW: int(o.DilationWFactor()),
		}, s.Inputs, err
	},
}

// anchorKinds are the number types of operators with weights and a bias, with
// the versions for float, hybrid (float activations, int8 weights), int8 and int16
// (with int8 weights).
func anchorKinds(float, hybrid, integer, wide int) []Kind {
	return []Kind{
		{[]graph.Type{graph.Float32, graph.Float32, graph.Float32}, graph.Float32, float},
		{[]graph.Type{graph.Float32, graph.Int8, graph.Float32}, graph.Float32, hybrid},
		{[]graph.Type{graph.Int8, graph.Int8, graph.Int32}, graph.Int8, integer},
		{[]graph.Type{graph.Int16, graph.Int8, graph.Int64}, graph.Int16, wide},
	}
}

// maxAddedBias is far above the channels of any convolution. Weights that are
// computed may claim any number, and a damaged file must not cost gigabytes.
const maxAddedBias = 1 << 20

// withBias adds a bias of zeros to a convolution that has none: LiteRT's kernel
// refuses to run without. Beyond maxAddedBias the file fails its check instead.
func withBias(n *graph.Node, c *Constants) []*graph.Tensor {
	x, w := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights]
	channels := w.Shape[n.Op.(graph.Anchored).ChannelAxis()]
	if n.Input(graph.InputBias) != nil || channels > maxAddedBias {
		return n.Inputs
	}
	shape := []int{channels}
	name := n.Output.Name + "/bias"
	if !Integer(x.Type) || x.Quant == nil || w.Quant == nil {
		return []*graph.Tensor{x, w, c.add(name, graph.Float32, shape, make([]float32, channels))}
	}
	b := c.add(name, graph.Int32, shape, make([]int32, channels))
	if x.Type == graph.Int16 {
		b.Type, b.Data = graph.Int64, make([]int64, channels)
	}
	b.Quant = &quant.Params{ZeroPoint: make([]int32, len(w.Quant.Scale))}
	for _, s := range w.Quant.Scale {
		b.Quant.Scale = append(b.Quant.Scale, x.Quant.Scale[0]*s)
	}
	return []*graph.Tensor{x, w, b}
}
