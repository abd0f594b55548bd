package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var leakyRelu = Row{
	Code:     schema.BuiltinOperatorLEAKY_RELU,
	Options:  schema.BuiltinOptionsLeakyReluOptions,
	Kinds:    sameTypeKinds(1, 1, 2),
	Runtimes: []string{"1.13.1", "2.3.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.LeakyReluOptionsStart(b)
		schema.LeakyReluOptionsAddAlpha(b, op.(graph.LeakyRelu).Alpha)
		return schema.LeakyReluOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsLeakyReluOptions); err != nil {
			return nil, nil, err
		}
		var o schema.LeakyReluOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		return graph.LeakyRelu{Alpha: o.Alpha()}, s.Inputs, nil
	},
}

// prelu has no hybrid kernel: float activations come with float slopes.
var prelu = Row{
	Code: schema.BuiltinOperatorPRELU,
	Kinds: []Kind{
		{[]graph.Type{graph.Float32, graph.Float32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int8}, graph.Int8, 1},
	},
	Runtimes: []string{"1.8.0"},
	Read:     plain(graph.Prelu{}),
}

var elu = Row{
	Code:     schema.BuiltinOperatorELU,
	Kinds:    sameTypeKinds8(1, 1),
	Runtimes: []string{"1.14.0"},
	Read:     plain(graph.Elu{}),
}

var hardSwish = Row{
	Code:     schema.BuiltinOperatorHARD_SWISH,
	Options:  schema.BuiltinOptionsHardSwishOptions,
	Kinds:    sameTypeKinds8(1, 1),
	Runtimes: []string{"1.15.0"},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.HardSwishOptionsStart(b)
		return schema.HardSwishOptionsEnd(b)
	},
	Read: plain(graph.HardSwish{}),
}

var logistic = Row{
	Code:     schema.BuiltinOperatorLOGISTIC,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.14.0", "1.14.0", "2.3.0"},
	Read:     plain(graph.Logistic{}),
}

var tanh = Row{
	Code:     schema.BuiltinOperatorTANH,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.14.0", "1.14.0", "2.3.0"},
	Read:     plain(graph.Tanh{}),
}
