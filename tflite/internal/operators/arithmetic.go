package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// pot_scale_int16, which means nothing for int8, is written as false: kernels
// that know it then take any scale of int16.

var add = Row{
	Code:     schema.BuiltinOperatorADD,
	Options:  schema.BuiltinOptionsAddOptions,
	Kinds:    pairKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "1.14.0", "2.4.0", "2.6.0", "2.13.0", "2.23.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.AddOptionsStart(b)
		schema.AddOptionsAddFusedActivationFunction(b, activationCodes[op.(graph.Add).Activate])
		schema.AddOptionsAddPotScaleInt16(b, false)
		return schema.AddOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		var o schema.AddOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		return s.fusing(schema.BuiltinOptionsAddOptions, graph.Add{}, o.FusedActivationFunction)
	},
}

var sub = Row{
	Code:     schema.BuiltinOperatorSUB,
	Options:  schema.BuiltinOptionsSubOptions,
	Kinds:    pairKinds(1, 2, 5),
	Runtimes: []string{"1.6.0", "1.14.0", "2.3.0", "2.4.0", "2.4.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.SubOptionsStart(b)
		schema.SubOptionsAddFusedActivationFunction(b, activationCodes[op.(graph.Sub).Activate])
		schema.SubOptionsAddPotScaleInt16(b, false)
		return schema.SubOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		var o schema.SubOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		return s.fusing(schema.BuiltinOptionsSubOptions, graph.Sub{}, o.FusedActivationFunction)
	},
}

var mul = Row{
	Code:     schema.BuiltinOperatorMUL,
	Options:  schema.BuiltinOptionsMulOptions,
	Kinds:    pairKinds(1, 2, 4),
	version:  mulVersion,
	Runtimes: []string{"1.5.0", "1.14.0", "1.15.0", "2.3.0", "2.6.0", "2.11.0", "2.13.0", "2.23.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.MulOptionsStart(b)
		schema.MulOptionsAddFusedActivationFunction(b, activationCodes[op.(graph.Mul).Activate])
		return schema.MulOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		var o schema.MulOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		return s.fusing(schema.BuiltinOptionsMulOptions, graph.Mul{}, o.FusedActivationFunction)
	},
}

// pairKinds are the number types of operators with two inputs of the output's
// type, with the versions for float, int8 and int16.
func pairKinds(float, integer, wide int) []Kind {
	return []Kind{
		{[]graph.Type{graph.Float32, graph.Float32}, graph.Float32, float},
		{[]graph.Type{graph.Int8, graph.Int8}, graph.Int8, integer},
		{[]graph.Type{graph.Int16, graph.Int16}, graph.Int16, wide},
	}
}

// mulVersion tells products of int8 that grow: kernels of version 2 take no factor
// of 1 or more.
func mulVersion(n *graph.Node, k Kind) int {
	if k.Out != graph.Int8 {
		return k.version
	}
	a, b, y := n.Input(0), n.Input(1), n.Output
	if a != nil && b != nil && a.Quant != nil && b.Quant != nil && y.Quant != nil &&
		float32(a.Quant.Scale[0]*b.Quant.Scale[0])/y.Quant.Scale[0] >= 1 {
		return 3
	}
	return k.version
}

// fusing reads an operator whose only option of interest is its activation.
func (s Source) fusing(kind schema.BuiltinOptions, op graph.Fusing, activation func() schema.ActivationFunctionType) (graph.Op, []*graph.Tensor, error) {
	if err := s.Require(kind); err != nil {
		return nil, nil, err
	}
	a, err := activationOf(activation())
	if err != nil {
		return nil, nil, err
	}
	return op.Fuse(a), s.Inputs, nil
}
