package export

import (
	"errors"
	"fmt"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
)

// maxHalf is the greatest finite float16.
const maxHalf = 65504

// halveConstants stores float32 constants as float16 and widens each with a
// DEQUANTIZE operator.
var halveConstants = graph.Pass{Name: "halve constants", Run: func(g *graph.Graph) error {
	var widen []*graph.Node
	for _, t := range g.Tensors() {
		values := t.Float32s()
		if t.Role != graph.Constant || values == nil {
			continue
		}
		bits := make([]uint16, len(values))
		for i, v := range values {
			if v != v {
				return fmt.Errorf("tensor %q: value %d is NaN", t.Name, i)
			}
			bits[i] = float16.Fromfloat32(min(max(v, -maxHalf), maxHalf)).Bits()
		}
		half := &graph.Tensor{Name: t.Name, Type: graph.Float16, Role: graph.Constant, Shape: t.Shape, Data: bits}
		wide := &graph.Tensor{Name: g.Unique(t.Name + "/float32"), Shape: t.Shape}
		g.Replace(t, wide)
		widen = append(widen, &graph.Node{Name: wide.Name, Op: graph.Dequantize{}, Inputs: []*graph.Tensor{half}, Output: wide})
	}
	if len(widen) == 0 {
		return errors.New("the network has no float32 constants")
	}
	g.Nodes = append(widen, g.Nodes...)
	return nil
}}
