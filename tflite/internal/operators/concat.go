package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// concatenation takes any number of inputs. The axis of a file may count from
// the end.
var concatenation = Row{
	Code:    schema.BuiltinOperatorCONCATENATION,
	Options: schema.BuiltinOptionsConcatenationOptions,
	Kinds: []Kind{
		{[]graph.Type{graph.Float32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8}, graph.Int8, 2},
		{[]graph.Type{graph.UInt8}, graph.UInt8, 1},
		{[]graph.Type{graph.Int16}, graph.Int16, 3},
	},
	variadic: true,
	Runtimes: []string{"1.5.0", "1.14.0", "2.3.0", "2.14.0", "2.21.0"},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.ConcatenationOptionsStart(b)
		schema.ConcatenationOptionsAddAxis(b, int32(op.(graph.Concat).Axis))
		return schema.ConcatenationOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsConcatenationOptions); err != nil {
			return nil, nil, err
		}
		var o schema.ConcatenationOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if err := noActivation(o.FusedActivationFunction()); err != nil {
			return nil, nil, err
		}
		axis := int(o.Axis())
		if len(s.Inputs) == 0 || s.Inputs[0] == nil {
			return nil, nil, fmt.Errorf("no inputs")
		}
		if axis < 0 {
			axis += len(s.Inputs[0].Shape)
		}
		return graph.Concat{Axis: axis}, s.Inputs, nil
	},
}
