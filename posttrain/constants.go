package posttrain

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// FoldConstants is the pass that computes the nodes of a float network that read
// nothing but data, and puts constants in their place: weights stored as float16,
// the state that a recurrent network begins with. Foreign operators stay.
var FoldConstants = graph.Pass{Name: "fold constants", Run: func(g *graph.Graph) error {
	for _, n := range slices.Clone(g.Nodes) {
		if _, foreign := n.Op.(graph.Foreign); foreign || g.IsOutput(n.Output) || n.Output.Type != graph.Float32 || slices.ContainsFunc(n.Inputs, computed) {
			continue
		}
		values, err := interp.RunNode(g, n, nil, interp.Options{})
		if err != nil {
			return err
		}
		g.Replace(n.Output, &graph.Tensor{Name: n.Output.Name, Role: graph.Constant, Shape: n.Output.Shape, Data: values})
		g.Remove(n)
	}
	return nil
}}

// computed reports whether a tensor is known only when the network runs.
func computed(t *graph.Tensor) bool { return t != nil && t.Data == nil }
