package operators

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// transpose has its permutation as an input in a file.
var transpose = Row{
	Code:     schema.BuiltinOperatorTRANSPOSE,
	Options:  schema.BuiltinOptionsTransposeOptions,
	Kinds:    withInt32(sameTypeKinds(1, 2, 5), 1),
	version:  deeper(map[int]int{5: 4, 6: 6}),
	Runtimes: []string{"1.6.0", "1.14.0", "1.15.0", "2.3.0", "2.4.0", "2.12.0"},
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		perm := n.Op.(graph.Transpose).Perm
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/perm", []int{len(perm)}, perm...)}
	},
	Write: func(b *flatbuffers.Builder, _ graph.Op) flatbuffers.UOffsetT {
		schema.TransposeOptionsStart(b)
		return schema.TransposeOptionsEnd(b)
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		perm, err := s.Ints(1, "permutation", 1)
		if err != nil {
			return nil, nil, err
		}
		return graph.Transpose{Perm: perm}, s.Inputs[:1], nil
	},
}
