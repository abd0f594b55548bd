package nodes

import (
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
)

// TestInterpreterAgrees: what is evaluated while training is what package
// interp computes, bit for bit: both call the same kernels.
func TestInterpreterAgrees(t *testing.T) {
	g := every(t).Graph
	sgd(t, g, Config{Batch: 4, Training: true, Loss: &Loss{Kind: SparseCategoricalCrossentropy}}, 3, 5, 0.1)
	s := compile(t, g, Config{Batch: 4})
	fill(s, rng.New(2), 1)
	if err := s.Run(0); err != nil {
		t.Fatal(err)
	}
	ip, err := interp.New(g, interp.Options{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	want, err := ip.RunFloat(s.Input())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "output", want, s.Output())
}

// TestEveryOperatorTrains: an operator that the interpreter knows can be
// trained, unless it converts number types.
func TestEveryOperatorTrains(t *testing.T) {
	borders := []string{graph.Quantize{}.Name(), graph.Dequantize{}.Name()}
	tested := map[string]bool{}
	for _, n := range every(t).Nodes {
		tested[n.Op.Name()] = true
	}
	for _, name := range interp.Operators() {
		if slices.Contains(borders, name) {
			continue
		}
		if builders[name] == nil {
			t.Errorf("%s cannot be trained", name)
		}
		if !tested[name] {
			t.Errorf("%s is missing in the network with every operator", name)
		}
	}
}
