package posttrain

import (
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
)

// What follows from constants becomes one; what does not, and what is foreign,
// stays.
func TestFoldConstants(t *testing.T) {
	g := &graph.Graph{Name: "constants"}
	x := g.AddInput("x", graph.Float32, []int{1, 2})
	add := func(name string, op graph.Op, in ...*graph.Tensor) *graph.Tensor {
		y, err := g.Add(name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	half := &graph.Tensor{Name: "half", Type: graph.Float16, Role: graph.Constant, Shape: []int{1, 2}, Data: []uint16{0x3c00, 0xc000}} // 1, -2
	wide := add("wide", graph.Dequantize{}, half)
	wide.Type = graph.Float32
	state := add("state", graph.Relu{}, wide)
	kept := add("kept", graph.Foreign{Operator: "ABS", Shape: []int{1, 2}}, state)
	g.Outputs = []*graph.Tensor{add("y", graph.Add{}, add("sum", graph.Add{}, x, state), kept)}
	folded, err := graph.Passes{FoldConstants}.Run(g)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range folded.Nodes {
		names = append(names, n.Name)
	}
	if !slices.Equal(names, []string{"kept", "sum", "y"}) {
		t.Errorf("nodes %q", names)
	}
	if v := folded.Nodes[1].Inputs[1].Float32s(); !slices.Equal(v, []float32{1, 0}) {
		t.Errorf("the state is %v", v)
	}
	if len(g.Nodes) != 5 {
		t.Error("the network was changed")
	}
}
