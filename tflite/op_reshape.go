package tflite

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// inputShape is the input of RESHAPE that holds the new shape in a file.
const inputShape = 1

// reshape has its new shape as an input, as in files of the official converter.
// The option for it, which older files have, is read but not written.
var reshape = operator{
	code: schema.BuiltinOperatorRESHAPE,
	kinds: []kind{
		{[]graph.Type{graph.Float32, graph.Int32}, graph.Float32, 1},
		{[]graph.Type{graph.Int8, graph.Int32}, graph.Int8, 1},
		{[]graph.Type{graph.UInt8, graph.Int32}, graph.UInt8, 1},
		{[]graph.Type{graph.Int16, graph.Int32}, graph.Int16, 1},
	},
	runtimes: []string{"1.5.0"},
	inputs: func(n *graph.Node, c *constants) []*graph.Tensor {
		shape := n.Op.(graph.Reshape).Shape
		return []*graph.Tensor{n.Inputs[0], c.ints(n.Output.Name+"/shape", []int{len(shape)}, shape...)}
	},
	read: func(s source) (graph.Op, []*graph.Tensor, error) {
		shape, err := newShape(s)
		if err != nil {
			return nil, nil, err
		}
		return graph.Reshape{Shape: shape}, s.inputs[:1], nil
	},
}

// newShape returns the new shape of a RESHAPE. The first size becomes -1, unless
// another one is: with as many elements as there are it means the same, and it
// follows the batch.
func newShape(s source) ([]int, error) {
	if len(s.inputs) == 0 {
		return nil, errors.New("no inputs")
	}
	var shape []int
	switch {
	case len(s.inputs) > inputShape && s.inputs[inputShape] != nil:
		var err error
		if shape, err = s.ints(inputShape, "new shape", 1); err != nil {
			return nil, err
		}
	case s.kind == schema.BuiltinOptionsReshapeOptions:
		var o schema.ReshapeOptions
		o.Init(s.table.Bytes, s.table.Pos)
		if o.NewShapeLength() > maxRank {
			return nil, fmt.Errorf("new shape has %d axes, at most %d are supported", o.NewShapeLength(), maxRank)
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
