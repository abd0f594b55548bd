package tflite

import (
	"fmt"
	"slices"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
)

// Trainable is the pass that makes a network read from a float file trainable:
// the weights and biases of its anchors and the slopes of a Prelu (float32
// constants, or float16 constants behind a Dequantize) become float32 parameters
// under the same names.
//
//	g, err := tflite.ReadFile("model.tflite")
//	net, err := graph.Passes{tflite.Trainable}.Run(g)
//
// Errors: quantized weights, by node: their float values are gone.
var Trainable = graph.Pass{Name: "trainable", Run: func(g *graph.Graph) error {
	for _, n := range slices.Clone(g.Nodes) {
		var trained []int
		switch n.Op.(type) {
		case graph.Anchored:
			trained = []int{graph.InputWeights, graph.InputBias}
		case graph.Prelu:
			trained = []int{graph.InputAlpha}
		}
		for _, i := range trained {
			t := n.Input(i)
			if t == nil || t.Role == graph.Parameter {
				continue
			}
			values, source := floatsOf(g, t)
			if values == nil {
				return fmt.Errorf("tflite: node %q: %v is not float data that can be trained", n.Name, t)
			}
			p := &graph.Tensor{Name: t.Name, Role: graph.Parameter, Shape: slices.Clone(t.Shape), Data: values}
			g.Replace(t, p)
			if source != nil {
				g.Remove(source)
			}
		}
	}
	return nil
}}

// floatsOf returns a copy of constant values and the Dequantize node that they
// come from, nil where there is none; nil values for anything else.
func floatsOf(g *graph.Graph, t *graph.Tensor) ([]float32, *graph.Node) {
	if t.Role == graph.Constant {
		return slices.Clone(t.Float32s()), nil
	}
	n := g.Producer(t)
	if n == nil {
		return nil, nil
	}
	if _, ok := n.Op.(graph.Dequantize); !ok {
		return nil, nil
	}
	half, ok := n.Inputs[0].Data.([]uint16)
	if !ok {
		return nil, nil
	}
	values := make([]float32, len(half))
	for i, h := range half {
		values[i] = float16.Frombits(h).Float32()
	}
	return values, n
}
