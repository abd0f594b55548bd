package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// resizeNearest has its new height and width as an input in a file.
var resizeNearest = Row{
	Code:    schema.BuiltinOperatorRESIZE_NEAREST_NEIGHBOR,
	Options: schema.BuiltinOptionsResizeNearestNeighborOptions,
	Kinds: []Kind{
		{[]graph.Type{graph.Float32, graph.Int32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int32}, graph.Int8, 2},
		{[]graph.Type{graph.Int16, graph.Int32}, graph.Int16, 4},
	},
	version: func(n *graph.Node, k Kind) int {
		if o := n.Op.(graph.ResizeNearestNeighbor); o.AlignCorners || o.HalfPixelCenters {
			return 3
		}
		return k.version
	},
	Runtimes: []string{"1.13.1", "1.14.0", "2.3.0", "2.4.0"},
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		o := n.Op.(graph.ResizeNearestNeighbor)
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/size", []int{2}, o.Height, o.Width)}
	},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.ResizeNearestNeighbor)
		schema.ResizeNearestNeighborOptionsStart(b)
		schema.ResizeNearestNeighborOptionsAddAlignCorners(b, o.AlignCorners)
		schema.ResizeNearestNeighborOptionsAddHalfPixelCenters(b, o.HalfPixelCenters)
		return schema.ResizeNearestNeighborOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		if err := s.Require(schema.BuiltinOptionsResizeNearestNeighborOptions); err != nil {
			return nil, nil, err
		}
		var o schema.ResizeNearestNeighborOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		size, err := s.Ints(1, "new size", 1)
		if err != nil {
			return nil, nil, err
		}
		if len(size) != 2 {
			return nil, nil, fmt.Errorf("new size %v, want height and width", size)
		}
		return graph.ResizeNearestNeighbor{
			Height: size[0], Width: size[1],
			AlignCorners: o.AlignCorners(), HalfPixelCenters: o.HalfPixelCenters(),
		}, s.Inputs[:1], nil
	},
}
