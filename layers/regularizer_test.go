package layers_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// TestRules: what is set of a layer's weights reaches its parameters, with
// Keras' defaults, and says nothing of other layers.
func TestRules(t *testing.T) {
	type rules struct {
		Penalty    graph.Penalty
		Constraint graph.Constraint
	}
	g := build(t, layers.Sequential{
		layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, KernelRegularizer: layers.L2{}, BiasConstraint: layers.NonNeg{}},
		layers.Flatten{},
		layers.Dense{Units: 4, KernelRegularizer: layers.L1L2{L1: 0.25, L2: 0.5}, KernelConstraint: layers.MaxNorm{}, BiasRegularizer: layers.L1{}},
		layers.Dense{Units: 4, NoBias: true, BiasRegularizer: layers.L2{}, KernelConstraint: layers.MaxNorm{MaxValue: 3}},
		layers.Dense{Units: 2, KernelConstraint: layers.UnitNorm{}, KernelRegularizer: layers.L2{L2: 1}, BiasRegularizer: layers.L1{L1: 2}},
		layers.Dense{Units: 2},
	}, layers.Input{6, 6, 1}, 1)
	got := map[string]rules{}
	for _, p := range g.Parameters() {
		if r := (rules{p.Penalty, p.Constraint}); r != (rules{}) {
			got[p.Name] = r
		}
	}
	want := map[string]rules{
		"conv2d/kernel":  {Penalty: graph.Penalty{L2: 0.01}},
		"conv2d/bias":    {Constraint: graph.Constraint{Bound: graph.NonNeg}},
		"dense/kernel":   {graph.Penalty{L1: 0.25, L2: 0.5}, graph.Constraint{Bound: graph.MaxNorm, Max: 2}},
		"dense/bias":     {Penalty: graph.Penalty{L1: 0.01}},
		"dense_1/kernel": {Constraint: graph.Constraint{Bound: graph.MaxNorm, Max: 3}},
		"dense_2/kernel": {graph.Penalty{L2: 1}, graph.Constraint{Bound: graph.UnitNorm}},
		"dense_2/bias":   {Penalty: graph.Penalty{L1: 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEveryParameterHasRules sets every regularizer and constraint that a layer
// has, and finds them on its parameters: none is left without.
func TestEveryParameterHasRules(t *testing.T) {
	image, series := layers.Input{6, 6, 2}, layers.Input{6, 2}
	for _, c := range []struct {
		in    layers.Input
		layer layers.Layer
		rules int
	}{
		{image, layers.Dense{Units: 2}, 2},
		{image, layers.Conv2D{Filters: 2, Kernel: [2]int{2, 2}}, 2},
		{image, layers.DepthwiseConv2D{Kernel: [2]int{2, 2}}, 2},
		{image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{2, 2}}, 2},
		{image, layers.SeparableConv2D{Filters: 3, Kernel: [2]int{2, 2}}, 3},
		{image, layers.BatchNorm{}, 2},
		{image, layers.PReLU{}, 1},
		{series, layers.Conv1D{Filters: 2, Kernel: 2}, 2},
		{series, layers.DepthwiseConv1D{Kernel: 2}, 2},
		{series, layers.SeparableConv1D{Filters: 3, Kernel: 2}, 3},
	} {
		v := reflect.New(reflect.TypeOf(c.layer)).Elem()
		v.Set(reflect.ValueOf(c.layer))
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; {
			case strings.HasSuffix(name, "Regularizer"):
				v.Field(i).Set(reflect.ValueOf(layers.L2{}))
			case strings.HasSuffix(name, "Constraint"):
				v.Field(i).Set(reflect.ValueOf(layers.NonNeg{}))
			}
		}
		g := build(t, layers.Sequential{v.Interface().(layers.Layer)}, c.in, 1)
		if got := len(g.Parameters()); got != c.rules {
			t.Errorf("%v has %d parameters, want %d", v.Type(), got, c.rules)
		}
		for _, p := range g.Parameters() {
			if p.Penalty != (graph.Penalty{L2: 0.01}) || p.Constraint != (graph.Constraint{Bound: graph.NonNeg}) {
				t.Errorf("%v: %s has penalty %q and constraint %q, want what all fields say", v.Type(), p.Name, p.Penalty, p.Constraint)
			}
			units := len(p.Shape) > 1 && !strings.HasSuffix(p.Name, "/alpha") // slopes are one unit
			if axis := g.UnitAxis(p); (axis >= 0) != units {
				t.Errorf("%v: the units of %s %v lie on axis %d", v.Type(), p.Name, p.Shape, axis)
			}
		}
	}
}

func TestRuleErrors(t *testing.T) {
	for want, layer := range map[string]layers.Layer{
		`layers: layer 0 (Dense "dense"): kernel: l2 is -1, want a finite number of at least 0`: layers.Dense{Units: 1, KernelRegularizer: layers.L2{L2: -1}},
		`bias: l1 is +Inf`:       layers.Dense{Units: 1, BiasRegularizer: layers.L1{L1: float32(math.Inf(1))}},
		`kernel: max_norm is -3`: layers.Dense{Units: 1, KernelConstraint: layers.MaxNorm{MaxValue: -3}},
	} {
		_, err := layers.Sequential{layer}.Build(layers.Input{2}, 1)
		wantError(t, err, want)
	}
}
