package export

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// halveConstants stores float32 constants as float16 and widens each with a
// DEQUANTIZE operator. Biases stay: the operator would take about as many bytes as
// they save, and their rounding shows in the outputs.
var halveConstants = graph.Pass{Name: "halve constants", Run: func(g *graph.Graph) error {
	biases, anchors := map[*graph.Tensor]bool{}, map[*graph.Tensor]graph.Anchored{}
	for _, n := range g.Nodes {
		if op, ok := n.Op.(graph.Anchored); ok {
			biases[n.Input(graph.InputBias)] = true
			anchors[n.Input(graph.InputWeights)] = op
		}
	}
	var widen []*graph.Node
	for _, t := range g.Tensors() {
		values := t.Float32s()
		if t.Role != graph.Constant || values == nil || biases[t] {
			continue
		}
		if i := slices.IndexFunc(values, func(v float32) bool { return v != v }); i >= 0 {
			return fmt.Errorf("tensor %q: value %d is NaN", t.Name, i)
		}
		bits := halve(values)
		if op, ok := anchors[t]; ok {
			balanceFilters(bits, t, op)
		}
		widen = append(widen, widened(g, t, &graph.Tensor{Name: t.Name, Type: graph.Float16, Role: graph.Constant, Shape: t.Shape, Data: bits}))
	}
	if len(widen) == 0 {
		return errors.New("the network has no float32 constants")
	}
	g.Nodes = append(widen, g.Nodes...)
	return nil
}}

// widened returns the node that turns a stored constant into float32, whose output
// takes the place of t.
func widened(g *graph.Graph, t, stored *graph.Tensor) *graph.Node {
	wide := &graph.Tensor{Name: g.Unique(t.Name + "/float32"), Shape: t.Shape}
	g.Replace(t, wide)
	return &graph.Node{Name: wide.Name, Op: graph.Dequantize{}, Inputs: []*graph.Tensor{stored}, Output: wide}
}

// widenWeights puts a DEQUANTIZE operator behind each of the quantized weights.
var widenWeights = graph.Pass{Name: "widen weights", Run: func(g *graph.Graph) error {
	var widen []*graph.Node
	for _, t := range g.Tensors() {
		if t.Role == graph.Constant && t.Quant != nil {
			widen = append(widen, widened(g, t, t))
		}
	}
	g.Nodes = append(widen, g.Nodes...)
	return nil
}}
