package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var quantize = operator{
	code:    schema.BuiltinOperatorQUANTIZE,
	options: schema.BuiltinOptionsQuantizeOptions,
	kinds: []kind{
		{[]graph.Type{graph.Float32}, graph.Int8, 1},
		{[]graph.Type{graph.Float32}, graph.UInt8, 1},
		{[]graph.Type{graph.Int8}, graph.Int8, 1},
		{[]graph.Type{graph.Int8}, graph.UInt8, 1},
		{[]graph.Type{graph.UInt8}, graph.Int8, 1},
		{[]graph.Type{graph.UInt8}, graph.UInt8, 1},
		{[]graph.Type{graph.Float32}, graph.Int16, 2},
		{[]graph.Type{graph.Int16}, graph.Int16, 2},
	},
	runtimes: []string{"1.14.0", "1.15.0", "2.7.0", "2.21.0"},
	write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.QuantizeOptionsStart(b)
		return schema.QuantizeOptionsEnd(b)
	},
	read: plain(graph.Quantize{}),
}

var dequantize = operator{
	code:    schema.BuiltinOperatorDEQUANTIZE,
	options: schema.BuiltinOptionsDequantizeOptions,
	kinds: []kind{
		{[]graph.Type{graph.UInt8}, graph.Float32, 1},
		{[]graph.Type{graph.Int8}, graph.Float32, 2},
		{[]graph.Type{graph.Float16}, graph.Float32, 3},
		{[]graph.Type{graph.Int16}, graph.Float32, 3},
	},
	version: func(n *graph.Node, k kind) int {
		if k.version == 2 && perChannel(n.Input(0)) {
			return 5
		}
		return k.version
	},
	int4:     6,
	runtimes: []string{"1.13.1", "1.14.0", "1.15.0", "2.2.0", "2.7.0", "2.18.0"},
	write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.DequantizeOptionsStart(b)
		return schema.DequantizeOptionsEnd(b)
	},
	read: plain(graph.Dequantize{}),
}
