package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// stridedSlice has begin, end and strides as inputs in a file. It is read by
// [readStridedSlice].
var stridedSlice = Row{
	Code:     schema.BuiltinOperatorSTRIDED_SLICE,
	Options:  schema.BuiltinOptionsStridedSliceOptions,
	Kinds:    withInt32(sameTypeKinds(1, 2, 1), 3),
	version:  deeper(map[int]int{5: 4}),
	Runtimes: []string{"1.6.0", "1.14.0", "2.1.0", "2.2.0", "2.5.0", "2.6.0", "2.14.0", "2.14.0"},
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		o := n.Op.(graph.StridedSlice)
		axes := []int{len(o.Begin)}
		return []*graph.Tensor{
			n.Inputs[0],
			c.ints(n.Output.Name+"/begin", axes, o.Begin...),
			c.ints(n.Output.Name+"/end", axes, o.End...),
			c.ints(n.Output.Name+"/strides", axes, o.Strides...),
		}
	},
	Write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.StridedSlice)
		schema.StridedSliceOptionsStart(b)
		schema.StridedSliceOptionsAddBeginMask(b, int32(o.BeginMask))
		schema.StridedSliceOptionsAddEndMask(b, int32(o.EndMask))
		return schema.StridedSliceOptionsEnd(b)
	},
}
