package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var mean = reducer(operator{
	code:     schema.BuiltinOperatorMEAN,
	runtimes: []string{"1.6.0", "1.14.0", "2.4.0"},
}, func(op graph.Op) graph.Reducer { return op.(graph.Mean).Reducer },
	func(r graph.Reducer) graph.Op { return graph.Mean{Reducer: r} })

var reduceMax = reducer(operator{
	code:     schema.BuiltinOperatorREDUCE_MAX,
	runtimes: []string{"1.11.0", "1.14.0", "2.5.0"},
}, func(op graph.Op) graph.Reducer { return op.(graph.ReduceMax).Reducer },
	func(r graph.Reducer) graph.Op { return graph.ReduceMax{Reducer: r} })

// reducer completes the row of a reduction, whose axes are an input in a file.
func reducer(o operator, of func(graph.Op) graph.Reducer, op func(graph.Reducer) graph.Op) operator {
	o.options = schema.BuiltinOptionsReducerOptions
	o.kinds = withInt32(sameTypeKinds(1, 2, 3), 1)
	o.inputs = func(n *graph.Node, c *constants) []*graph.Tensor {
		axes := of(n.Op).Axes
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/axes", []int{len(axes)}, axes...)}
	}
	o.write = func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		schema.ReducerOptionsStart(b)
		schema.ReducerOptionsAddKeepDims(b, of(op).KeepDims)
		return schema.ReducerOptionsEnd(b)
	}
	o.read = func(s source) (graph.Op, []*graph.Tensor, error) {
		if err := s.require(schema.BuiltinOptionsReducerOptions); err != nil {
			return nil, nil, err
		}
		var t schema.ReducerOptions
		t.Init(s.table.Bytes, s.table.Pos)
		axes, err := s.ints(1, "axes", 0, 1)
		if err != nil {
			return nil, nil, err
		}
		return op(graph.Reducer{Axes: axes, KeepDims: t.KeepDims()}), s.inputs[:1], nil
	}
	return o
}
