package graph

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

// meanNet pads, cuts, transposes and takes maximum and mean of a quantized input.
func meanNet(t *testing.T) *Graph {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 4, 3, 2})
	observe := func(x *Tensor) *Tensor {
		return n.node(x.Name+"/fake_quant", FakeQuant{Quantizer: NewObserved(x.Name, quant.Int8().Activations, 0.99), Observe: true}, x)
	}
	h := n.node("pad", Pad{Paddings: [][2]int{{}, {1, 0}, {0, 2}, {}}}, observe(x))
	h = n.node("slice", StridedSlice{Begin: []int{0, 1, 0, 0}, End: []int{0, 5, 3, 0}, Strides: []int{1, 2, 1, 1}, BeginMask: 9, EndMask: 9}, h)
	h = n.node("transpose", Transpose{Perm: []int{0, 3, 1, 2}}, h)
	h = n.node("max", ReduceMax{Reducer{Axes: []int{1}}}, h)
	n.Outputs = []*Tensor{observe(n.node("mean", Mean{Reducer{Axes: []int{1, 2}}}, h))}
	return n.Graph
}

func TestSaveLoadRearranging(t *testing.T) {
	g := meanNet(t)
	got, err := Decode(bytes.NewReader(encode(t, &File{Graph: g})))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(show(g), show(got)); diff != "" {
		t.Errorf("loaded graph differs (-saved +loaded):\n%s", diff)
	}
}

// Behind a Mean a FakeQuant rounds the sum of its input's codes, as soon as both
// ranges are known; anywhere else by its own grid.
func TestRoundingOf(t *testing.T) {
	g := meanNet(t)
	first, last := g.Nodes[0], g.Nodes[len(g.Nodes)-1]
	plain := quant.Signed(8, false)
	check := func(what string, n *Node, want quant.Grid) {
		t.Helper()
		if got := g.RoundingOf(n).Grid(); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	in, out := first.Op.(FakeQuant).Quantizer, last.Op.(FakeQuant).Quantizer
	check("unknown ranges", last, plain)
	out.SetRange(quant.Range{Min: 0, Max: 2.55, Weight: 1})
	check("unknown input", last, plain)
	in.SetRange(quant.Range{Min: 0, Max: 5.1, Weight: 1})
	check("the input", first, plain)
	a, _ := in.Params()
	b, _ := out.Params()
	summed := plain
	summed.Sum = quant.SumOf(6, a.Scale[0], b.Scale[0])
	check("a mean", last, summed)
	rule := g.RoundingOf(last)
	in.SetRange(quant.Range{Min: 0, Max: 1, Weight: 1})
	if rule.Grid() == summed {
		t.Error("the rule does not follow the ranges")
	}
	out.SetRange(quant.Range{})
	check("unknown output", last, plain)

	average := last.Op.(FakeQuant)
	average.Mean = true
	first.Op = average
	plain.Ties = quant.FromCodeZero
	check("an average", first, plain)
}

// Behind a LeakyRelu a FakeQuant rounds each sign by the kernel's factor, unless
// alpha turns the sign.
func TestRoundingOfLeakyRelu(t *testing.T) {
	for _, alpha := range []float32{0.3, 0, -0.3} {
		n := newNet(t)
		x := n.AddInput("x", Float32, []int{1, 4})
		observe := func(x *Tensor) *Tensor {
			q := NewObserved(x.Name, quant.Int8().Activations, 0.99)
			q.SetRange(quant.Range{Min: -1, Max: 2, Weight: 1})
			return n.node(x.Name+"/fake_quant", FakeQuant{Quantizer: q}, x)
		}
		n.Outputs = []*Tensor{observe(n.node("leaky", LeakyRelu{Alpha: alpha}, observe(x)))}
		want := quant.Signed(8, false)
		if scale := float32(3.0 / 255); alpha > 0 {
			want.Sum, want.Negative = quant.LeakySums(alpha, scale, scale)
		}
		if got := n.RoundingOf(n.Nodes[2]).Grid(); got != want {
			t.Errorf("alpha %v: %+v, want %+v", alpha, got, want)
		}
	}
}
