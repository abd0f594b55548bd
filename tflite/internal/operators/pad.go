package operators

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// pad has its paddings as an input [axes, 2] in a file.
var pad = Row{
	Code:     schema.BuiltinOperatorPAD,
	Options:  schema.BuiltinOptionsPadOptions,
	Kinds:    withInt32(sameTypeKinds(1, 2, 3), 1),
	version:  deeper(map[int]int{5: 4}),
	Runtimes: []string{"1.5.0", "1.14.0", "2.4.0", "2.6.0", "2.20.0"},
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		var list []int
		for _, p := range n.Op.(graph.Pad).Paddings {
			list = append(list, p[:]...)
		}
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/paddings", []int{len(list) / 2, 2}, list...)}
	},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.PadOptionsStart(b)
		return schema.PadOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		list, err := s.Ints(1, "paddings", 2)
		if err != nil {
			return nil, nil, err
		}
		if s.Inputs[1].Shape[1] != 2 {
			return nil, nil, fmt.Errorf("paddings of shape %v, want [axes, 2]", s.Inputs[1].Shape)
		}
		op := graph.Pad{Paddings: make([][2]int, len(list)/2)}
		for axis := range op.Paddings {
			op.Paddings[axis] = [2]int(list[2*axis:])
		}
		return op, s.Inputs[:1], nil
	},
}

// withInt32 adds int32 inputs to kinds: constants that the graph has in the
// operator.
func withInt32(kinds []Kind, n int) []Kind {
	for i := range kinds {
		for range n {
			kinds[i].In = append(kinds[i].In, graph.Int32)
		}
	}
	return kinds
}

// deeper is the version function of operators that need another version from a
// number of axes on.
func deeper(from map[int]int) func(n *graph.Node, k Kind) int {
	return func(n *graph.Node, k Kind) int {
		version := k.version
		for axes := range len(n.Inputs[0].Shape) + 1 {
			version = max(version, from[axes])
		}
		return version
	}
}
