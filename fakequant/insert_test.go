package fakequant

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func build(t *testing.T, s layers.Sequential, in layers.Input) *graph.Graph {
	t.Helper()
	g, err := s.Build(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// network has each kind of group, shared scales, an average, a lone ReLU and a
// fixed output.
func network(t *testing.T) *graph.Graph {
	return build(t, layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, NoBias: true},
		layers.Dropout{Rate: 0.5},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.MaxPool2D{},
		layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}, Activation: layers.ActReLU6},
		layers.AveragePool2D{},
		layers.ReLU{},
		layers.Flatten{},
		layers.Dropout{Rate: 0.5},
		layers.Dense{Units: 2, Activation: layers.ActSoftmax},
	}, layers.Input{10, 10, 2})
}

// Where the quantizers go is recorded as text, one file a recipe.
func TestPlacement(t *testing.T) {
	small := quant.DynamicRange()
	small.MinElements = 0
	for name, recipe := range map[string]quant.Recipe{"int8": quant.Int8(), "int8-per-tensor": quant.Int8PerTensor(), "dynamic-range": small} {
		t.Run(name, func(t *testing.T) {
			q, err := Insert(network(t), recipe)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(q.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), q.String()); diff != "" {
				t.Errorf("placement changed (-want +got), -update accepts it:\n%s", diff)
			}
		})
	}
}

func TestInsertLeavesTheNetwork(t *testing.T) {
	g := network(t)
	before := g.String()
	q, err := Insert(g, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range q.Variables() {
		v.Float32s()[0] += float32(i) + 1
	}
	if g.String() != before || g.Recipe != nil {
		t.Error("Insert changed the network it was given")
	}
	if v := g.Variables()[0].Float32s()[0]; v == q.Variables()[0].Float32s()[0] {
		t.Error("the copy shares variables with the network")
	}
}

// A group is quantized once, at its end; operators that copy codes share the
// quantizer of their input.
func TestSharing(t *testing.T) {
	q, err := Insert(network(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	observed := map[string]int{}
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Source == graph.MovingAverage {
			observed[f.Quantizer.Name]++
		}
	}
	want := map[string]int{"input": 1, "re_lu": 1, "conv2d_1/relu6": 2, "re_lu_1": 1, "dense": 1}
	if diff := cmp.Diff(want, observed); diff != "" {
		t.Errorf("nodes on each activation quantizer (-want +got):\n%s", diff)
	}
}

// TensorFlow Lite Micro's RELU6 does not rescale, so one of its own shares the
// quantizer of its input and rounds its bound to it; one in a group does not.
func TestRelu6OutsideAGroup(t *testing.T) {
	q, err := Insert(build(t, layers.Sequential{layers.Dense{Units: 2}, layers.Dense{Units: 2, Activation: layers.ActReLU6}, layers.Flatten{}, layers.ReLU6{}}, layers.Input{4}), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Source == graph.MovingAverage {
			got = append(got, fmt.Sprintf("%s by %s, observing %v", n.Inputs[0].Name, f.Quantizer.Name, f.Observe))
		}
	}
	want := []string{
		"input by input, observing true",
		"dense by dense, observing true",
		"dense_1/relu6 by dense_1/relu6, observing true",
		"re_lu6 by dense_1/relu6, observing false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quantizers of activations (-want +got):\n%s", diff)
	}
}

func TestMinElements(t *testing.T) {
	g := build(t, layers.Sequential{layers.Dense{Units: 32}, layers.Dense{Units: 31}}, layers.Input{32})
	q, err := Insert(g, quant.DynamicRange()) // 1024 and 992 weights
	if err != nil {
		t.Fatal(err)
	}
	if n := len(q.Quantizers()); n != 2 {
		t.Errorf("%d quantizers, want one for weights of 1024 elements and one for their input", n)
	}
}

// Weights of 4 bits are those that have kernels, or become float32.
func TestWeightBits(t *testing.T) {
	net := build(t, layers.Sequential{
		layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}}, layers.DepthwiseConv2D{Kernel: [2]int{1, 1}}, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}},
		layers.Flatten{}, layers.Dense{Units: 2},
	}, layers.Input{2, 2, 1})
	for _, c := range []struct {
		recipe quant.Recipe
		want   []int
	}{{quant.Int8(), []int{4, 8, 8, 4}}, {quant.DynamicRange(), []int{4, 8, 8, 4}}, {quant.Int8Weights(), []int{4, 4, 4, 4}}} {
		c.recipe.Weights.Bits, c.recipe.MinElements = 4, 0
		q, err := Insert(net, c.recipe)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, z := range q.Quantizers() {
			if z.Source == graph.LastValue {
				got = append(got, z.Bits)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: weights of %v bits, want %v", c.recipe.Name, got, c.want)
		}
	}
}
