package fakequant

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// What Insert does not serve is refused by the name of the layer, with what to do
// instead; all faults at once.
func TestInsertRefuses(t *testing.T) {
	change := func(f func(g *graph.Graph)) *graph.Graph {
		g := network(t)
		f(g)
		return g
	}
	node := func(g *graph.Graph, name string) *graph.Node {
		for _, n := range g.Nodes {
			if n.Name == name {
				return n
			}
		}
		t.Fatalf("no node %q", name)
		return nil
	}
	twice, err := Insert(network(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	bad := quant.Int8()
	bad.Weights.Bits, bad.Decay = 2, 2
	wide := quant.Int8()
	wide.Activations.Bits = 4
	constant := build(t, layers.Sequential{layers.Normalization{Mean: []float32{0}, Variance: []float32{0}, Name: "unit"}, layers.Dense{Units: 2}}, layers.Input{4})
	for _, c := range []struct {
		name   string
		g      *graph.Graph
		recipe quant.Recipe
		want   []string
	}{
		{"twice", twice, quant.Int8(), []string{"quantized already", `"conv2d/kernel/fake_quant": FAKE_QUANT does not belong in a float network`, "give Insert the float network"}},
		{"float16", network(t), quant.Float16(), []string{"export.Float16"}},
		{"recipe", network(t), bad, []string{"weights of 2 bits", "decay 2"}},
		{"softmax at other widths", network(t), wide, []string{"4 bits", `node "dense/softmax": SOFTMAX has no codes of 4 bits: use activations of 8 bits`}},
		{"hard swish at 16 bits", build(t, layers.Sequential{layers.HardSwish{}, layers.ELU{}, layers.PReLU{}}, layers.Input{3}), quant.Int16x8(), []string{
			`node "hard_swish": HARD_SWISH has no kernel for codes of 16 bits: use activations of 8 bits, or ReLU`, `node "elu": ELU has`, `node "p_re_lu": PRELU has`}},
		{"a channel that never changes", constant, quant.Int8(), []string{`node "unit": AFFINE multiplies channel 0 by 1e+07`, "raise the Epsilon"}},
		{"integer weights", change(func(g *graph.Graph) {
			w := node(g, "conv2d_1").Inputs[graph.InputWeights]
			p := quant.PerTensor(1, 0)
			w.Type, w.Data, w.Quant = graph.Int8, make([]int8, w.Elements()), &p
		}), quant.Int8(), []string{`node "conv2d_1": CONV_2D has weights "conv2d_1/kernel" that are int8 without float32 data`, "tflite.Trainable"}},
		{"a bias that is computed", change(func(g *graph.Graph) {
			n := node(g, "conv2d_1")
			b := n.Inputs[graph.InputBias]
			n.Inputs[graph.InputBias] = &graph.Tensor{Name: "computed", Shape: b.Shape}
			g.Nodes = append([]*graph.Node{{Name: "computed", Op: graph.Relu{}, Inputs: []*graph.Tensor{b}, Output: n.Inputs[graph.InputBias]}}, g.Nodes...)
		}), quant.DynamicRange(), []string{`node "conv2d_1": CONV_2D has a bias "computed" that is float32 without float32 data`}},
		{"integer input", change(func(g *graph.Graph) { g.Inputs[0].Type = graph.Int8 }), quant.Int8(), []string{`input "input" is int8`}},
	} {
		_, err := Insert(c.g, c.recipe)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", c.name, err, want)
			}
		}
	}
	// A weight-only recipe leaves such a channel in float32.
	if _, err := Insert(constant, quant.DynamicRange()); err != nil {
		t.Error(err)
	}
}

// Where a rescaled input's quantizer goes, and that a BatchNorm anywhere gets one.
func TestInputsAndStandalone(t *testing.T) {
	for _, c := range []struct {
		name string
		net  layers.Sequential
		want []string // tensors with quantizers of activations, in order
	}{
		{"rescaled", layers.Sequential{layers.Rescaling{Scale: 1.0 / 255}, layers.Flatten{}, layers.Dense{Units: 2}}, []string{"rescaling", "dense"}},
		{"shifted", layers.Sequential{layers.Rescaling{Scale: 1.0 / 127.5, Offset: -1}, layers.Flatten{}, layers.Dense{Units: 2}}, []string{"input", "rescaling", "dense"}},
		{"rescaled for an activation", layers.Sequential{layers.Rescaling{Scale: 2}, layers.ReLU{}, layers.Flatten{}, layers.Dense{Units: 2}}, []string{"input", "re_lu", "dense"}},
		{"BatchNorm on the input", layers.Sequential{layers.BatchNorm{}, layers.Flatten{}, layers.Dense{Units: 2}}, []string{"input", "batch_normalization", "dense"}},
		{"BatchNorm on a vector", layers.Sequential{layers.Flatten{}, layers.Dense{Units: 2, Activation: layers.ActReLU}, layers.BatchNorm{}, layers.ReLU{}}, []string{"input", "dense/relu", "re_lu/image"}},
	} {
		for _, r := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
			q, err := Insert(build(t, c.net, layers.Input{2, 2, 3}), r)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, r.Name, err)
				continue
			}
			var got []string
			for _, z := range q.Quantizers() {
				if z.Source == graph.MovingAverage {
					got = append(got, z.Name)
				}
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("%s, %s: activation quantizers %v, want %v", c.name, r.Name, got, c.want)
			}
		}
	}
}
