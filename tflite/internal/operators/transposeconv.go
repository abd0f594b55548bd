package operators

import (
	"fmt"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// transposeConv has the shape of its output as its first input in a file, a
// constant for batch 1; behind it stand the weights, x and the bias.
var transposeConv = Row{
	Code:    schema.BuiltinOperatorTRANSPOSE_CONV,
	Options: schema.BuiltinOptionsTransposeConvOptions,
	Kinds: []Kind{
		{[]graph.Type{graph.Int32, graph.Float32, graph.Float32, graph.Float32}, graph.Float32, 1},
		{[]graph.Type{graph.Int32, graph.Int8, graph.Float32, graph.Float32}, graph.Float32, 2},
		{[]graph.Type{graph.Int32, graph.Int8, graph.Int8, graph.Int32}, graph.Int8, 2},
		{[]graph.Type{graph.Int32, graph.Int8, graph.Int16, graph.Int64}, graph.Int16, 3},
	},
	version: func(n *graph.Node, k Kind) int {
		switch {
		case n.Op.(graph.TransposeConv).Activate != quant.NoActivation:
			return 4
		case n.Input(transposedBias) != nil:
			return 3
		}
		return k.version
	},
	Runtimes: []string{"1.9.0", "2.2.0", "2.3.0", "2.13.0", "2.15.0"},
	Bias:     transposedBias,
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		shape := c.ints(n.Output.Name+"/shape", []int{len(n.Output.Shape)}, n.Output.Shape...)
		return []*graph.Tensor{shape, n.Inputs[graph.InputWeights], n.Inputs[graph.InputX], n.Input(graph.InputBias)}
	},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.TransposeConv)
		schema.TransposeConvOptionsStart(b)
		schema.TransposeConvOptionsAddPadding(b, paddingCode(o.Padding))
		schema.TransposeConvOptionsAddFusedActivationFunction(b, activationCodes[o.Activate])
		schema.TransposeConvOptionsAddStrideW(b, int32(o.StrideW))
		schema.TransposeConvOptionsAddStrideH(b, int32(o.StrideH))
		return schema.TransposeConvOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsTransposeConvOptions); err != nil {
			return nil, nil, err
		}
		var o schema.TransposeConvOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if t := o.QuantizedBiasType(); t != schema.TensorTypeFLOAT32 {
			return nil, nil, fmt.Errorf("quantized_bias_type %v is not supported", t)
		}
		padding, err := paddingOf(o.Padding())
		if err != nil {
			return nil, nil, err
		}
		activation, err := activationOf(o.FusedActivationFunction())
		if err != nil {
			return nil, nil, err
		}
		op := graph.TransposeConv{Padding: padding, Activate: activation, StrideH: int(o.StrideH()), StrideW: int(o.StrideW())}
		inputs, err := transposedInputs(op, s)
		return op, inputs, err
	},
}

// transposedBias is the position of the bias in a file.
const transposedBias = 3

// transposedInputs returns the inputs that the graph's operator has. The shape
// that the file demands of the output must be the one that follows from them.
func transposedInputs(op graph.TransposeConv, s Source) ([]*graph.Tensor, error) {
	shape, err := s.Ints(0, "output shape", 1)
	if err != nil {
		return nil, err
	}
	if len(s.Inputs) < transposedBias || slices.Contains(s.Inputs[:transposedBias], nil) {
		return nil, fmt.Errorf("%d inputs, want output shape, weights and image", len(s.Inputs))
	}
	w, x := s.Inputs[1], s.Inputs[2]
	want, err := op.Infer([][]int{x.Shape, w.Shape})
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, want) {
		return nil, fmt.Errorf("output shape %v, want %v: output padding is not supported", shape, want)
	}
	return append([]*graph.Tensor{x, w}, s.Inputs[transposedBias:]...), nil
}
