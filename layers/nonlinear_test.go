package layers_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// nonlinear has every activation that is an operator of its own.
func nonlinear() layers.Sequential {
	return layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Activation: layers.ActLeakyReLU},
		layers.PReLU{SharedAxes: []int{1, 2}},
		layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}, Activation: layers.ActSwish},
		layers.LeakyReLU{},
		layers.LeakyReLU{NegativeSlope: 0.05},
		layers.PReLU{AlphaInit: layers.Constant{Value: 0.25}},
		layers.Softmax{},
		layers.Flatten{},
		layers.Dense{Units: 8, Activation: layers.ActHardSwish},
		layers.HardSwish{},
		layers.Swish{},
		layers.Dense{Units: 6, Activation: layers.ActTanh},
		layers.Tanh{},
		layers.Dense{Units: 5, Activation: layers.ActELU},
		layers.ELU{},
		layers.Dense{Units: 4, Activation: layers.ActSigmoid},
		layers.Sigmoid{},
	}
}

func TestNonlinear(t *testing.T) {
	golden(t, "nonlinear.graph", build(t, nonlinear(), layers.Input{7, 6, 1}, 1).String())
	golden(t, "nonlinear.txt", summary(t, nonlinear(), layers.Input{7, 6, 1}))
}

// The slopes of PReLU are those that Keras trains: one for each element of an
// example, or one along shared axes.
func TestPReLUShapes(t *testing.T) {
	for _, c := range []struct {
		in     layers.Input
		shared []int
		want   []int
	}{
		{layers.Input{7}, nil, []int{7}},
		{layers.Input{7}, []int{1}, []int{1}},
		{layers.Input{4, 5, 3}, nil, []int{4, 5, 3}},
		{layers.Input{4, 5, 3}, []int{1, 2}, []int{1, 1, 3}},
		{layers.Input{4, 5, 3}, []int{3}, []int{4, 5, 1}},
	} {
		g := build(t, layers.Sequential{layers.PReLU{SharedAxes: c.shared}}, c.in, 1)
		alpha := g.Parameters()[0]
		if diff := cmp.Diff(c.want, alpha.Shape); diff != "" {
			t.Errorf("%v shared along %v (-want +got):\n%s", c.in, c.shared, diff)
		}
		if alpha.Float32s()[0] != 0 || alpha.Name != "p_re_lu/alpha" {
			t.Errorf("%v starts at %v", alpha, alpha.Float32s()[0])
		}
	}
}

// TestLeakySlopes: Keras has one default for the layer and another for the
// activation.
func TestLeakySlopes(t *testing.T) {
	g := build(t, layers.Sequential{layers.Dense{Units: 1, Activation: layers.ActLeakyReLU}, layers.LeakyReLU{}}, layers.Input{2}, 1)
	got := []graph.Op{g.Nodes[1].Op, g.Nodes[2].Op}
	if diff := cmp.Diff([]graph.Op{graph.LeakyRelu{Alpha: 0.2}, graph.LeakyRelu{Alpha: 0.3}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSeriesOfNonlinear: activations between one-dimensional layers leave no
// reshapes there.
func TestSeriesOfNonlinear(t *testing.T) {
	conv := func(a layers.Activation) layers.Layer { return layers.Conv1D{Filters: 3, Kernel: 2, Activation: a} }
	g := build(t, layers.Sequential{
		conv(layers.ActLeakyReLU), conv(layers.ActSwish), layers.PReLU{SharedAxes: []int{1}}, conv(layers.ActELU), layers.PReLU{},
		conv(layers.ActHardSwish), conv(layers.ActSigmoid), layers.Tanh{}, conv(layers.Linear), layers.Flatten{},
	}, layers.Input{20, 2}, 1)
	reshapes := 0
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.Reshape); ok {
			reshapes++
		}
	}
	if reshapes != 2 { // the first and the last
		t.Errorf("%d reshapes, want 2:\n%v", reshapes, g)
	}
}

func TestNonlinearErrors(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{layers.Input{6}, layers.LeakyReLU{NegativeSlope: -0.1}, `layer 0 (LeakyReLU "leaky_re_lu"): negative slope is -0.1`},
		{layers.Input{6}, layers.LeakyReLU{NegativeSlope: nan}, `negative slope is NaN`},
		{layers.Input{6}, layers.ELU{Alpha: 0.5}, `layer 0 (ELU "elu"): alpha is 0.5: TensorFlow Lite's ELU has alpha 1; use that, or a LeakyReLU`},
		{layers.Input{4, 5, 3}, layers.PReLU{SharedAxes: []int{0}}, `layer 0 (PReLU "p_re_lu"): shared axes are [0], want different ones from 1 to 3`},
		{layers.Input{4, 5, 3}, layers.PReLU{SharedAxes: []int{4}}, `shared axes are [4]`},
		{layers.Input{4, 5, 3}, layers.PReLU{SharedAxes: []int{2, 2}}, `shared axes are [2 2]`},
		{layers.Input{2, 2, 2, 2}, layers.PReLU{SharedAxes: []int{1}}, `(PRELU): input 1 has shape [1 2 2 2], want [2 2 2 2] with 1 in any place, and at most 4 axes`},
	} {
		_, err := layers.Sequential{c.layer}.Build(c.in, 1)
		wantError(t, err, c.want)
	}
}
