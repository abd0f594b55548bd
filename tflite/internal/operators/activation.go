package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var relu = Row{
	Code:     schema.BuiltinOperatorRELU,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "2.1.0", "2.5.0"},
	Read:     plain(graph.Relu{}),
}

var relu6 = Row{
	Code:     schema.BuiltinOperatorRELU6,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "1.14.0", "2.5.0"},
	Read:     plain(graph.Relu6{}),
}

var softmax = Row{
	Code:     schema.BuiltinOperatorSOFTMAX,
	Options:  schema.BuiltinOptionsSoftmaxOptions,
	Kinds:    sameTypeKinds(1, 2, 3),
	Runtimes: []string{"1.5.0", "1.14.0", "2.3.0", "2.23.0"},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.SoftmaxOptionsStart(b)
		schema.SoftmaxOptionsAddBeta(b, 1)
		return schema.SoftmaxOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsSoftmaxOptions); err != nil {
			return nil, nil, err
		}
		var o schema.SoftmaxOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if o.Beta() != 1 {
			return nil, nil, fmt.Errorf("beta is %v; only 1 is supported", o.Beta())
		}
		return graph.Softmax{}, s.Inputs, nil
	},
}
