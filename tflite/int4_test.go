package tflite

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/operators"
)

// Weights of 4 bits are written in half the bytes and read back; each operator has
// the version that takes them, and those that none does are refused.
func TestInt4Weights(t *testing.T) {
	p := quant.PerTensor(0.5, 0)
	build := func(op graph.Op, x, w []int) *graph.Graph {
		g := &graph.Graph{Name: "g"}
		in := g.AddInput("x", graph.Int8, x)
		in.Quant = &p
		codes := make([]int8, graph.Elements(w))
		for i := range codes {
			codes[i] = int8(i%15 - 7)
		}
		weights := &graph.Tensor{Name: "w", Type: graph.Int8, Role: graph.Constant, Shape: w, Data: codes, Int4: true, Quant: &p}
		y, err := g.Add("y", op, in, weights)
		if err != nil {
			t.Fatal(err)
		}
		y.Quant = &p
		g.Outputs = []*graph.Tensor{y}
		return g
	}
	for _, c := range []struct {
		g       *graph.Graph
		version int
	}{
		{build(graph.FullyConnected{}, []int{1, 5}, []int{3, 5}), 10},
		{build(graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, []int{1, 3, 3, 1}, []int{1, 3, 3, 1}), 7},
		{build(graph.DepthwiseConv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1}, []int{1, 3, 3, 1}, []int{1, 3, 3, 1}), 7},
	} {
		n := c.g.Nodes[0]
		if v, err := operators.ByName(n.Op.Name()).VersionOf(n); err != nil || v != c.version {
			t.Errorf("%s: version %d (%v), want %d", n.Op.Name(), v, err, c.version)
		}
		file, err := Marshal(c.g)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(file)
		if err != nil {
			t.Fatal(err)
		}
		w := back.Nodes[0].Inputs[graph.InputWeights]
		if !w.Int4 || !slices.Equal(w.Int8s(), n.Inputs[graph.InputWeights].Int8s()) {
			t.Errorf("%s: weights are read back as %v", n.Op.Name(), w)
		}
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := graph.Save(path, c.g); err != nil {
			t.Fatal(err)
		}
		if saved, err := graph.Load(path); err != nil || saved.String() != c.g.String() || !strings.Contains(c.g.String(), "constant w: int4[") {
			t.Errorf("saved as\n%v (%v), want\n%v", saved, err, c.g)
		}
		n.Inputs[graph.InputWeights].Int4 = false
		wide, err := Marshal(c.g)
		if err != nil || len(wide) < len(file) {
			t.Errorf("%s: %d bytes of int8, %d of int4 (%v)", n.Op.Name(), len(wide), len(file), err)
		}
	}
	_, err := Marshal(build(graph.TransposeConv{StrideH: 1, StrideW: 1}, []int{1, 3, 3, 1}, []int{1, 3, 3, 1}))
	if err == nil || !strings.Contains(err.Error(), "no runtime takes weights of int4") {
		t.Errorf("error %v", err)
	}
	g := build(graph.FullyConnected{}, []int{1, 5}, []int{3, 5})
	g.Nodes[0].Inputs[graph.InputWeights].Int8s()[0] = 8
	if err := g.Check(); err == nil || !strings.Contains(err.Error(), `tensor "w": int8 do not all fit 4 bits`) {
		t.Errorf("error %v", err)
	}
}
