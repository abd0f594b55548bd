package interp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// Every node on its own, fed what it got in a run, gives what it gave in that
// run; and the last node fed only the graph's input gives the graph's output.
func TestRunNodeIsTheRun(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		values := map[*graph.Tensor]any{}
		o := interp.Options{Batch: batch}
		run(t, start(t, g, interp.Options{Batch: batch, Tap: func(x *graph.Tensor, _ []int, data any) { values[x] = clone(data) }}), input)
		for _, n := range g.Nodes {
			given := map[*graph.Tensor]any{}
			for _, x := range n.Inputs {
				if v, ok := values[x]; ok {
					given[x] = v
				}
			}
			got, err := interp.RunNode(g, n, given, o)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, n.Name, got, values[n.Output])
		}
		var order []*graph.Tensor
		o.Tap = func(x *graph.Tensor, shape []int, data any) { order = append(order, x) }
		got, err := interp.RunNode(g, g.Producer(g.Outputs[0]), map[*graph.Tensor]any{g.Inputs[0]: input}, o)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "output", got, output)
		if len(order) != len(g.Nodes) || order[len(order)-1] != g.Outputs[0] {
			t.Errorf("tapped %v", order)
		}
	})
}

func TestRunNodeErrors(t *testing.T) {
	g := floatNet(t)
	x, first, last := g.Inputs[0], g.Nodes[0], g.Nodes[len(g.Nodes)-1]
	stray := &graph.Tensor{Name: "stray", Shape: []int{1}}
	for _, c := range []struct {
		g      *graph.Graph
		node   *graph.Node
		inputs map[*graph.Tensor]any
		want   string
	}{
		{g, last, nil, `interp: graph input "x" is not given`},
		{g, first, map[*graph.Tensor]any{x: []int8{1}}, `interp: tensor "x": data is []int8, want []float32`},
		{g, first, map[*graph.Tensor]any{x: make([]float32, 189)}, `interp: tensor "x": 189 elements, want 378 for shape [2 9 7 3]`},
		{g, first, map[*graph.Tensor]any{stray: []float32{1}}, `interp: tensor "stray" is not in the graph`},
		{g, first, map[*graph.Tensor]any{first.Output: []float32{1}}, `interp: node "CONV_2D": its output "CONV_2D" is given`},
		{g, int8Net(t, true).Nodes[0], nil, `interp: node "x" is not in the graph`},
		{&graph.Graph{}, first, nil, "interp: graph: no inputs"},
	} {
		_, err := interp.RunNode(c.g, c.node, c.inputs, interp.Options{Batch: 2})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if _, err := interp.RunNode(g, first, nil, interp.Options{Batch: -2}); err == nil {
		t.Error("a negative batch")
	}
}

// A dynamic-range operator computes what a float32 operator computes on the
// run-time codes and on the weights as float32: the fake-quantized form.
func TestHybridIsFakeQuantized(t *testing.T) {
	for _, perChannel := range []bool{true, false} {
		g := hybridNet(t, perChannel)
		for _, n := range g.Nodes {
			if _, ok := n.Op.(graph.Anchored); !ok {
				continue
			}
			t.Run(fmt.Sprintf("%s per channel %v", n.Op.Name(), perChannel), func(t *testing.T) {
				b := newBuilder(t, 9)
				x := b.data(n.Inputs[graph.InputX], batch)
				o := interp.Options{Batch: batch}
				got, err := interp.RunNode(g, n, map[*graph.Tensor]any{n.Inputs[graph.InputX]: x}, o)
				if err != nil {
					t.Fatal(err)
				}
				close32(t, n.Name, run(t, start(t, fakeForm(t, n, perChannel), o), x).([]float32), got.([]float32))
			})
		}
	}
}

// fakeForm returns the fake-quantized form of a hybrid node.
func fakeForm(t *testing.T, n *graph.Node, perChannel bool) *graph.Graph {
	b := newBuilder(t, 1)
	x, w := n.Inputs[graph.InputX], n.Inputs[graph.InputWeights]
	values, err := interp.Decode(w, w.Data)
	if err != nil {
		t.Fatal(err)
	}
	in := b.input("in", graph.Float32, nil, x.Shape...)
	q := &graph.Quantizer{Name: "in", Bits: 8, Symmetric: !perChannel, Source: graph.Dynamic}
	if _, ok := n.Op.(graph.FullyConnected); ok {
		q.Axis = len(x.Shape) - 2
	}
	in = b.float(graph.FakeQuant{Quantizer: q}, in)
	weights := &graph.Tensor{Name: "w", Role: graph.Constant, Shape: w.Shape, Data: values}
	return b.done(b.float(n.Op, in, weights, n.Input(graph.InputBias)))
}

// close32 allows 1e-5 of the largest magnitude, for another order of summation:
// a float32 sum of up to some fifty products against an exact integer one.
func close32(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	largest := float32(0)
	for _, v := range want {
		largest = max(largest, v, -v)
	}
	for i, v := range got {
		if d := v - want[i]; !(max(d, -d) <= 1e-5*largest) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, v, want[i])
		}
	}
}
