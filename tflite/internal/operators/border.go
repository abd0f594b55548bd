package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var quantize = Row{
	Code:    schema.BuiltinOperatorQUANTIZE,
	Options: schema.BuiltinOptionsQuantizeOptions,
	Kinds: []Kind{
		{[]graph.Type{graph.Float32}, graph.Int8, 1},
		{[]graph.Type{graph.Float32}, graph.UInt8, 1},
		{[]graph.Type{graph.Int8}, graph.Int8, 1},
		{[]graph.Type{graph.Int8}, graph.UInt8, 1},
		{[]graph.Type{graph.UInt8}, graph.Int8, 1},
		{[]graph.Type{graph.UInt8}, graph.UInt8, 1},
		{[]graph.Type{graph.Float32}, graph.Int16, 2},
		{[]graph.Type{graph.Int16}, graph.Int16, 2},
	},
	Runtimes: []string{"1.14.0", "1.15.0", "2.7.0", "2.21.0"},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.QuantizeOptionsStart(b)
		return schema.QuantizeOptionsEnd(b)
	},
	Read: plain(graph.Quantize{}),
}

var dequantize = Row{
	Code:    schema.BuiltinOperatorDEQUANTIZE,
	Options: schema.BuiltinOptionsDequantizeOptions,
	Kinds: []Kind{
		{[]graph.Type{graph.UInt8}, graph.Float32, 1},
		{[]graph.Type{graph.Int8}, graph.Float32, 2},
		{[]graph.Type{graph.Float16}, graph.Float32, 3},
		{[]graph.Type{graph.Int16}, graph.Float32, 3},
	},
	version: func(n *graph.Node, k Kind) int {
		if k.version == 2 && PerChannel(n.Input(0)) {
			return 5
		}
		return k.version
	},
	int4:     6,
	Runtimes: []string{"1.13.1", "1.14.0", "1.15.0", "2.2.0", "2.7.0", "2.18.0"},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.DequantizeOptionsStart(b)
		return schema.DequantizeOptionsEnd(b)
	},
	Read: plain(graph.Dequantize{}),
}
