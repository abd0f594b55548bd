package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var leakyRelu = operator{
	code:     schema.BuiltinOperatorLEAKY_RELU,
	options:  schema.BuiltinOptionsLeakyReluOptions,
	kinds:    sameTypeKinds(1, 1, 2),
	runtimes: []string{"1.13.1", "2.3.0"},
	write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.LeakyReluOptionsStart(b)
		schema.LeakyReluOptionsAddAlpha(b, op.(graph.LeakyRelu).Alpha)
		return schema.LeakyReluOptionsEnd(b)
	},
	read: func(s source) (graph.Op, []*graph.Tensor, error) {
		if err := s.require(schema.BuiltinOptionsLeakyReluOptions); err != nil {
			return nil, nil, err
		}
		var o schema.LeakyReluOptions
		o.Init(s.table.Bytes, s.table.Pos)
		return graph.LeakyRelu{Alpha: o.Alpha()}, s.inputs, nil
	},
}

// prelu has no hybrid kernel: float activations come with float slopes.
var prelu = operator{
	code: schema.BuiltinOperatorPRELU,
	kinds: []kind{
		{[]graph.Type{graph.Float32, graph.Float32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int8}, graph.Int8, 1},
	},
	runtimes: []string{"1.8.0"},
	read:     plain(graph.Prelu{}),
}

var elu = operator{
	code:     schema.BuiltinOperatorELU,
	kinds:    sameTypeKinds8(1, 1),
	runtimes: []string{"1.14.0"},
	read:     plain(graph.Elu{}),
}

var hardSwish = operator{
	code:     schema.BuiltinOperatorHARD_SWISH,
	options:  schema.BuiltinOptionsHardSwishOptions,
	kinds:    sameTypeKinds8(1, 1),
	runtimes: []string{"1.15.0"},
	write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.HardSwishOptionsStart(b)
		return schema.HardSwishOptionsEnd(b)
	},
	read: plain(graph.HardSwish{}),
}

var logistic = operator{
	code:     schema.BuiltinOperatorLOGISTIC,
	kinds:    sameTypeKinds(1, 2, 3),
	runtimes: []string{"1.14.0", "1.14.0", "2.3.0"},
	read:     plain(graph.Logistic{}),
}

var tanh = operator{
	code:     schema.BuiltinOperatorTANH,
	kinds:    sameTypeKinds(1, 2, 3),
	runtimes: []string{"1.14.0", "1.14.0", "2.3.0"},
	read:     plain(graph.Tanh{}),
}
