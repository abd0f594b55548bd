package graph

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ruled is a dense layer with a penalty and a constraint on its kernel.
func ruled(t *testing.T) (*Graph, *Tensor) {
	n := newNet(t)
	n.Outputs = []*Tensor{n.dense("dense", 2, n.AddInput("x", Float32, []int{1, 3}))}
	w := n.Nodes[0].Inputs[InputWeights]
	w.Penalty, w.Constraint = Penalty{L1: 0.5, L2: 0.25}, Constraint{Bound: MaxNorm, Max: 3}
	return n.Graph, w
}

func TestPenaltyIsKept(t *testing.T) {
	g, w := ruled(t)
	const line = "parameter dense/kernel: float32[2 3] l1 0.5 l2 0.25 max_norm 3\n"
	if text := g.String(); !strings.Contains(text, line) {
		t.Errorf("no %q in\n%s", line, text)
	}
	c := g.Clone().Parameters()[0]
	if diff := cmp.Diff(w, c); diff != "" || c == w {
		t.Errorf("the clone differs, or is no copy (-want +got):\n%s", diff)
	}
	loaded, err := Decode(bytes.NewReader(encode(t, &File{Graph: g})))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(show(g), show(loaded)); diff != "" {
		t.Errorf("the loaded graph differs (-saved +loaded):\n%s", diff)
	}
	// Where nothing is set nothing is written, so that older programs read it.
	w.Penalty, w.Constraint = Penalty{}, Constraint{}
	if file := encode(t, &File{Graph: g}); bytes.Contains(file, []byte("penalty")) || bytes.Contains(file, []byte("constraint")) {
		t.Error("a graph without penalties mentions them in its file")
	}
}

func TestPenaltyFaults(t *testing.T) {
	for _, c := range []struct {
		penalty    Penalty
		constraint Constraint
		want       string
	}{
		{Penalty{L1: -1}, Constraint{}, `tensor "dense/kernel": l1 is -1, want a finite number`},
		{Penalty{L2: float32(math.NaN())}, Constraint{}, `l2 is NaN`},
		{Penalty{L1: inf, L2: inf}, Constraint{}, `l2 is +Inf`},
		{Penalty{}, Constraint{Bound: MaxNorm}, `max_norm with a maximum of 0`},
		{Penalty{}, Constraint{Bound: MaxNorm, Max: -2}, `max_norm is -2`},
		{Penalty{}, Constraint{Max: 1}, `none with a maximum of 1`},
		{Penalty{}, Constraint{Bound: NonNeg, Max: 1}, `non_neg with a maximum of 1`},
		{Penalty{}, Constraint{Bound: 9}, `unknown constraint 9`},
		{Penalty{L2: 1}, Constraint{Bound: UnitNorm}, ``},
	} {
		g, w := ruled(t)
		w.Penalty, w.Constraint = c.penalty, c.constraint
		want(t, g.Check(), c.want)
	}
	g, _ := ruled(t)
	_, err := Decode(bytes.NewReader(edited(t, g, `"max_norm"`, `"norm"`)))
	want(t, err, `unknown bound "norm"`)
}

func TestUnitAxis(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 3})
	w, gamma := parameter("w", 2, 3), parameter("gamma", 2)
	folded := n.node("folded", FoldWeights{Epsilon: 1e-3}, w, gamma, statistic("variance", 1, 1))
	fq := n.node("fq", FakeQuant{Quantizer: &Quantizer{Name: "w", Bits: 8, Axis: -1, Source: LastValue}}, folded)
	b := parameter("b", 2)
	n.Outputs = []*Tensor{n.node("dense", FullyConnected{}, x, fq, b)}
	for _, c := range []struct {
		t    *Tensor
		want int
	}{{w, 0}, {fq, 0}, {gamma, -1}, {b, -1}, {x, -1}} {
		if got := n.UnitAxis(c.t); got != c.want {
			t.Errorf("%s: axis %d, want %d", c.t.Name, got, c.want)
		}
	}
}
