package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var relu = operator{
	code:     schema.BuiltinOperatorRELU,
	kinds:    sameTypeKinds(1, 2, 3),
	runtimes: []string{"1.5.0", "2.1.0", "2.5.0"},
	read:     plain(graph.Relu{}),
}

var relu6 = operator{
	code:     schema.BuiltinOperatorRELU6,
	kinds:    sameTypeKinds(1, 2, 3),
	runtimes: []string{"1.5.0", "1.14.0", "2.5.0"},
	read:     plain(graph.Relu6{}),
}

var softmax = operator{
	code:     schema.BuiltinOperatorSOFTMAX,
	options:  schema.BuiltinOptionsSoftmaxOptions,
	kinds:    sameTypeKinds(1, 2, 3),
	runtimes: []string{"1.5.0", "1.14.0", "2.3.0", "2.23.0"},
	write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.SoftmaxOptionsStart(b)
		schema.SoftmaxOptionsAddBeta(b, 1)
		return schema.SoftmaxOptionsEnd(b)
	},
	read: func(s source) (graph.Op, []*graph.Tensor, error) {
		if err := s.require(schema.BuiltinOptionsSoftmaxOptions); err != nil {
			return nil, nil, err
		}
		var o schema.SoftmaxOptions
		o.Init(s.table.Bytes, s.table.Pos)
		if o.Beta() != 1 {
			return nil, nil, fmt.Errorf("beta is %v; only 1 is supported", o.Beta())
		}
		return graph.Softmax{}, s.inputs, nil
	},
}
