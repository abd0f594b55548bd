package operators

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// inputShape is the input of RESHAPE that holds the new shape in a file.
const inputShape = 1

// reshape has its new shape as an input, as in files of the official converter.
// The option for it, which older files have, is read but not written.
var reshape = Row{
	Code: schema.BuiltinOperatorRESHAPE,
	Kinds: []Kind{
		{[]graph.Type{graph.Float32, graph.Int32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int32}, graph.Int8, 1},
		{[]graph.Type{graph.UInt8, graph.Int32}, graph.UInt8, 1},
		{[]graph.Type{graph.Int16, graph.Int32}, graph.Int16, 1},
	},
	Runtimes: []string{"1.5.0"},
	Inputs: func(n *graph.Node, c *Constants) []*graph.Tensor {
		shape := n.Op.(graph.Reshape).Shape
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/shape", []int{len(shape)}, shape...)}
	},
	Read: func(s Source) (graph.Op, []*graph.Tensor, error) {
		shape, err := newShape(s)
		if err != nil {
			return nil, nil, err
		}
		return graph.Reshape{Shape: shape}, s.Inputs[:1], nil
	},
}

// newShape returns the new shape of a RESHAPE. The first size becomes -1, unless
// another one is: with as many elements as there are it means the same, and it
// follows the batch.
func newShape(s Source) ([]int, error) {
	if len(s.Inputs) == 0 {
		return nil, errors.New("no inputs")
	}
	var shape []int
	switch {
	case len(s.Inputs) > inputShape && s.Inputs[inputShape] != nil:
		var err error
		if shape, err = s.Ints(inputShape, "new shape", 1); err != nil {
			return nil, err
		}
	case s.Kind == schema.BuiltinOptionsReshapeOptions:
		var o schema.ReshapeOptions
		o.Init(s.Table.Bytes, s.Table.Pos)
		if o.NewShapeLength() > format.MaxRank {
			return nil, fmt.Errorf("new shape has %d axes, at most %d are supported", o.NewShapeLength(), format.MaxRank)
		}
		for i := range o.NewShapeLength() {
			shape = append(shape, int(o.NewShape(i)))
		}
	default:
		return nil, errors.New("no new shape")
	}
	free := true
	for _, d := range shape {
		free = free && d != -1
	}
	if free && len(shape) > 0 {
		shape[0] = -1
	}
	return shape, nil
}
