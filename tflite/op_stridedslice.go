package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// stridedSlice has begin, end and strides as inputs in a file.
var stridedSlice = operator{
	code:     schema.BuiltinOperatorSTRIDED_SLICE,
	options:  schema.BuiltinOptionsStridedSliceOptions,
	kinds:    withInt32(sameTypeKinds(1, 2), 3),
	version:  deeper(map[int]int{5: 4}),
	runtimes: []string{"1.6.0", "1.14.0", "2.1.0", "2.2.0", "2.5.0", "2.6.0", "2.14.0", "2.14.0"},
	inputs: func(n *graph.Node, c *constants) []*graph.Tensor {
		o := n.Op.(graph.StridedSlice)
		axes := []int{len(o.Begin)}
		return []*graph.Tensor{
			n.Inputs[0],
			c.ints(n.Output.Name+"/begin", axes, o.Begin...),
			c.ints(n.Output.Name+"/end", axes, o.End...),
			c.ints(n.Output.Name+"/strides", axes, o.Strides...),
		}
	},
	write: func(b *flatbuffers.Builder, op graph.Op) flatbuffers.UOffsetT {
		o := op.(graph.StridedSlice)
		schema.StridedSliceOptionsStart(b)
		schema.StridedSliceOptionsAddBeginMask(b, int32(o.BeginMask))
		schema.StridedSliceOptionsAddEndMask(b, int32(o.EndMask))
		return schema.StridedSliceOptionsEnd(b)
	},
	read: func(s source) (graph.Op, []*graph.Tensor, error) {
		if err := s.require(schema.BuiltinOptionsStridedSliceOptions); err != nil {
			return nil, nil, err
		}
		var o schema.StridedSliceOptions
		o.Init(s.table.Bytes, s.table.Pos)
		if o.EllipsisMask() != 0 || o.NewAxisMask() != 0 || o.ShrinkAxisMask() != 0 || o.Offset() {
			return nil, nil, fmt.Errorf("ellipsis mask %d, new axis mask %d, shrink axis mask %d, offset %t: only begin and end masks are supported",
				o.EllipsisMask(), o.NewAxisMask(), o.ShrinkAxisMask(), o.Offset())
		}
		op := graph.StridedSlice{BeginMask: int(o.BeginMask()), EndMask: int(o.EndMask())}
		var err error
		for i, list := range []*[]int{&op.Begin, &op.End, &op.Strides} {
			if *list, err = s.ints(1+i, [...]string{"begin", "end", "strides"}[i], 1); err != nil {
				return nil, nil, err
			}
		}
		return wholeBatch(op), s.inputs[:1], nil
	},
}

// wholeBatch marks the first axis as taken whole where, at batch 1, it is: other
// batches are free then.
func wholeBatch(o graph.StridedSlice) graph.StridedSlice {
	if len(o.Begin) > 0 && len(o.End) == len(o.Begin) && len(o.Strides) == len(o.Begin) && o.Strides[0] == 1 {
		if begin, count := o.Range(0, 1); begin == 0 && count == 1 {
			o.BeginMask, o.EndMask = o.BeginMask|1, o.EndMask|1
		}
	}
	return o
}
