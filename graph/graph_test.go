package graph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdd(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Int8, []int{1, 2})
	y := n.node("y", Relu{}, x)
	if y.Type != Int8 || y.Role != Activation || y.Data != nil || !slices.Equal(y.Shape, []int{1, 2}) {
		t.Errorf("output is %+v", y)
	}
	second := n.node("y", Relu{}, y)
	if third := n.node("y", Relu{}, second); second.Name != "y_1" || third.Name != "y_2" || n.Nodes[2].Name != "y_2" {
		t.Errorf("names are %q and %q", second.Name, third.Name)
	}
	if n.Producer(y) != n.Nodes[0] || n.Producer(x) != nil {
		t.Error("wrong producer")
	}
	if got := n.Consumers(y); len(got) != 1 || got[0] != n.Nodes[1] {
		t.Errorf("consumers of y are %v", got)
	}
	if n.Nodes[0].Input(0) != x || n.Nodes[0].Input(1) != nil {
		t.Error("wrong inputs")
	}
}

func TestUnique(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 2})
	n.node("y", FakeQuant{Quantizer: &Quantizer{Range: statistic("x/range", 0, 0, 0)}}, x)
	n.node("z", FullyConnected{}, x, parameter("w", 2, 2))
	n.node("empty", FakeQuant{}, x)
	n.Nodes[1].Output.Name = "renamed"
	for name, want := range map[string]string{
		"new": "new", "x": "x_1", "w": "w_1", "y": "y_1", "x/range": "x/range_1",
		"z": "z_1", "renamed": "renamed_1", // a node's name and its output's
	} {
		if got := n.Unique(name); got != want {
			t.Errorf("Unique(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestTensorsAndVariables(t *testing.T) {
	names := func(ts []*Tensor) []string {
		var list []string
		for _, t := range ts {
			list = append(list, t.Name)
		}
		return list
	}
	g := floatNet(t)
	check := func(what string, got []*Tensor, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("tensors", g.Tensors(), "image", "conv/kernel", "conv",
		"norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance", "norm", "dropout", "relu", "pool", "flatten",
		"dense/kernel", "dense/bias", "dense", "softmax")
	check("variables", g.Variables(), "conv/kernel", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance", "dense/kernel", "dense/bias")
	check("parameters", g.Parameters(), "conv/kernel", "norm/gamma", "norm/beta", "dense/kernel", "dense/bias")
	q := quantNet(t)
	check("variables with ranges", q.Variables(), "kernel", "x/range", "dense/range")
	check("parameters without ranges", q.Parameters(), "kernel")
	if got := len(q.Quantizers()); got != 5 {
		t.Errorf("%d quantizers, want 5: one is shared", got)
	}
}

func TestShapes(t *testing.T) {
	g := floatNet(t)
	before := g.String()
	shapes, err := g.Shapes(5)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range g.Tensors() {
		want := slices.Clone(x.Shape)
		if x.Role == Activation {
			want[0] = 5
		}
		if diff := cmp.Diff(want, shapes[x]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.Name, diff)
		}
	}
	if g.String() != before {
		t.Error("the graph changed")
	}
	_, err = g.Shapes(0)
	want(t, err, "batch 0 is not positive")

	fixed := newNet(t)
	fixed.node("y", Reshape{Shape: []int{1, 6}}, fixed.AddInput("x", Float32, []int{1, 2, 3}))
	_, err = fixed.Shapes(2)
	want(t, err, `node "y" (RESHAPE): input 0 has shape [2 2 3], want as many elements as [1 6]`)

	for _, shape := range [][]int{{}, {2, 3}} {
		odd := newNet(t)
		odd.AddInput("x", Float32, shape)
		_, err = odd.Shapes(2)
		want(t, err, `input "x" has shape`)
	}
}

func TestReplaceAndRemove(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 2})
	a := n.node("a", Relu{}, x)
	b := n.node("b", Relu{}, a)
	c := n.node("c", Relu6{}, a)
	n.Outputs = []*Tensor{b, a}
	n.Replace(a, x)
	n.Remove(n.Nodes[0])
	n.Outputs = append(n.Outputs, c)
	want(t, n.Check(), "")
	golden(t, "replaced.txt", n.String())
	if n.IsOutput(a) || !n.IsOutput(x) {
		t.Error("outputs were not replaced")
	}
}

// TestElements: the empty shape is a scalar.
func TestElements(t *testing.T) {
	for want, shape := range map[int][]int{1: nil, 24: {2, 3, 4}, 7: {7}} {
		if got := Elements(shape); got != want {
			t.Errorf("Elements(%v) = %d, want %d", shape, got, want)
		}
	}
}

func TestTensorAccess(t *testing.T) {
	f := &Tensor{Name: "f", Shape: []int{1}, Data: []float32{1}}
	i := &Tensor{Name: "i", Type: Int8, Shape: []int{1}, Data: []int8{1}}
	w := &Tensor{Name: "w", Type: Int32, Shape: []int{1}, Data: []int32{1}}
	for _, x := range []*Tensor{f, i, w} {
		if (x.Float32s() != nil) != (x == f) || (x.Int8s() != nil) != (x == i) || (x.Int32s() != nil) != (x == w) {
			t.Errorf("%v gives data of another type", x)
		}
	}
	if got := i.String(); got != "i int8[1]" {
		t.Errorf("text is %q", got)
	}
	for typ, size := range map[Type]int{Float32: 4, Float16: 2, Int8: 1, UInt8: 1, Int16: 2, Int32: 4, Int64: 8} {
		if typ.Size() != size {
			t.Errorf("%v has %d bytes, want %d", typ, typ.Size(), size)
		}
	}
}
