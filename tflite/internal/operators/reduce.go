package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var mean = reducer(Row{
	Code:     schema.BuiltinOperatorMEAN,
	Runtimes: []string{"1.6.0", "1.14.0", "2.4.0"},
}, func(op graph.Op) graph.Reducer { return op.(graph.Mean).Reducer },
	func(r graph.Reducer) graph.Op { return graph.Mean{Reducer: r} })

var reduceMax = reducer(Row{
	Code:     schema.BuiltinOperatorREDUCE_MAX,
	Runtimes: []string{"1.11.0", "1.14.0", "2.5.0"},
}, func(op graph.Op) graph.Reducer { return op.(graph.ReduceMax).Reducer },
	func(r graph.Reducer) graph.Op { return graph.ReduceMax{Reducer: r} })

// reducer completes the row of a reduction, whose axes are an input in a file.
func reducer(o Row, of func(graph.Op) graph.Reducer, op func(graph.Reducer) graph.Op) Row {
	o.Options = schema.BuiltinOptionsReducerOptions
	o.Kinds = withInt32(sameTypeKinds(1, 2, 3), 1)
	o.Inputs = func(n *graph.Node, c *Constants) []*graph.Tensor {
		axes := of(n.Op).Axes
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/axes", []int{len(axes)}, axes...)}
	}
	o.Write = func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.ReducerOptionsStart(b)
		schema.ReducerOptionsAddKeepDims(b, of(op).KeepDims)
		return schema.ReducerOptionsEnd(b)
	}
	o.Read = func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsReducerOptions); err != nil {
			return nil, nil, err
		}
		var t schema.ReducerOptions
		t.Init(s.Table.Bytes, s.Table.Pos)
		axes, err := s.Ints(1, "axes", 0, 1)
		if err != nil {
			return nil, nil, err
		}
		return op(graph.Reducer{Axes: axes, KeepDims: t.KeepDims()}), s.Inputs[:1], nil
	}
	return o
}
