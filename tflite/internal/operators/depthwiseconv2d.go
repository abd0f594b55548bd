package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var depthwiseConv2D = Row{
	Code:    schema.BuiltinOperatorDEPTHWISE_CONV_2D,
	Options: schema.BuiltinOptionsDepthwiseConv2DOptions,
	Kinds:   anchorKinds(1, 4, 3, 1),
	version: func(n *graph.Node, k Kind) int {
		op := n.Op.(graph.DepthwiseConv2D)
		switch {
		case k.version == 4 && PerChannel(n.Input(graph.InputWeights)):
			return 6
		case k.version == 1 && max(op.DilationH, op.DilationW) > 1:
			return 2
		}
		return k.version
	},
	int4:      7,
	Runtimes:  []string{"1.5.0", "1.12.0", "1.14.0", "2.2.0", "2.3.0", "2.3.0", "2.11.0"},
	Inputs:    withBias,
	Bias:      graph.InputBias,
	NeedsBias: true,
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.DepthwiseConv2D)
		schema.DepthwiseConv2DOptionsStart(b)
		schema.DepthwiseConv2DOptionsAddPadding(b, paddingCode(o.Padding))
		schema.DepthwiseConv2DOptionsAddFusedActivationFunction(b, activationCodes[o.Activate])
		schema.DepthwiseConv2DOptionsAddStrideW(b, int32(o.StrideW))
		schema.DepthwiseConv2DOptionsAddStrideH(b, int32(o.StrideH))
		schema.DepthwiseConv2DOptionsAddDepthMultiplier(b, int32(o.DepthMultiplier))
		schema.DepthwiseConv2DOptionsAddDilationWFactor(b, int32(o.DilationW))
		schema.DepthwiseConv2DOptionsAddDilationHFactor(b, int32(o.DilationH))
		return schema.DepthwiseConv2DOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsDepthwiseConv2DOptions); err != nil {
			return nil, nil, err
		}
		var o schema.DepthwiseConv2DOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		padding, err := paddingOf(o.Padding())
		if err != nil {
			return nil, nil, err
		}
		multiplier, err := depthMultiplier(s.Inputs)
		if err != nil {
			return nil, nil, err
		}
		activation, err := activationOf(o.FusedActivationFunction())
		return graph.DepthwiseConv2D{
			Padding: padding, Activate: activation, DepthMultiplier: multiplier,
			StrideH: int(o.StrideH()), StrideW: int(o.StrideW()),
			DilationH: int(o.DilationHFactor()), DilationW: int(o.DilationWFactor()),
		}, s.Inputs, err
	},
}

// depthMultiplier is the number of output channels for each input channel.
// Runtimes take it from the shapes: the option of a file may be wrong.
func depthMultiplier(inputs []*graph.Tensor) (int, error) {
	if len(inputs) <= graph.InputWeights || inputs[graph.InputX] == nil || inputs[graph.InputWeights] == nil {
		return 0, fmt.Errorf("no input or no weights")
	}
	x, w := inputs[graph.InputX].Shape, inputs[graph.InputWeights].Shape
	if len(x) != 4 || len(w) != 4 || x[3] < 1 || w[3]%x[3] != 0 {
		return 0, fmt.Errorf("weights %v do not fit the channels of an input %v", w, x)
	}
	return w[3] / x[3], nil
}
