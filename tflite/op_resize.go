package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// resizeNearest has its new height and width as an input in a file.
var resizeNearest = operator{
	code:    schema.BuiltinOperatorRESIZE_NEAREST_NEIGHBOR,
	options: schema.BuiltinOptionsResizeNearestNeighborOptions,
	kinds: []kind{
		{[]graph.Type{graph.Float32, graph.Int32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int32}, graph.Int8, 2},
		{[]graph.Type{graph.Int16, graph.Int32}, graph.Int16, 4},
	},
	version: func(n *graph.Node, k kind) int {
		if o := n.Op.(graph.ResizeNearestNeighbor); o.AlignCorners || o.HalfPixelCenters {
			return 3
		}
		return k.version
	},
	runtimes: []string{"1.13.1", "1.14.0", "2.3.0", "2.4.0"},
	inputs: func(n *graph.Node, c *constants) []*graph.Tensor {
		o := n.Op.(graph.ResizeNearestNeighbor)
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/size", []int{2}, o.Height, o.Width)}
	},
	write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.ResizeNearestNeighbor)
		schema.ResizeNearestNeighborOptionsStart(b)
		schema.ResizeNearestNeighborOptionsAddAlignCorners(b, o.AlignCorners)
		schema.ResizeNearestNeighborOptionsAddHalfPixelCenters(b, o.HalfPixelCenters)
		return schema.ResizeNearestNeighborOptionsEnd(b)
	},
	read: func(s source) (graph.Op, []*graph.Tensor, error) {
		if err := s.require(schema.BuiltinOptionsResizeNearestNeighborOptions); err != nil {
			return nil, nil, err
		}
		var o schema.ResizeNearestNeighborOptions
		o.Init(s.table.Bytes, s.table.Pos)
		size, err := s.ints(1, "new size", 1)
		if err != nil {
			return nil, nil, err
		}
		if len(size) != 2 {
			return nil, nil, fmt.Errorf("new size %v, want height and width", size)
		}
		return graph.ResizeNearestNeighbor{
			Height: size[0], Width: size[1],
			AlignCorners: o.AlignCorners(), HalfPixelCenters: o.HalfPixelCenters(),
		}, s.inputs[:1], nil
	},
}
