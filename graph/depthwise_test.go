package graph

import (
	"encoding/json"
	"log/slog"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

// depthwiseNet is a depthwise convolution of two channels, two outputs each, and
// a BatchNorm, on images of 2x2.
func depthwiseNet(t *testing.T) *net {
	n := newNet(t)
	w := &Tensor{Name: "w", Role: Parameter, Shape: []int{1, 1, 3, 4}, Data: []float32{
		1, 2, 3, 4,
		5, 6, 7, 8,
		-1, -2, -3, -4,
	}}
	y := n.node("dw", depthwise(Same, 1, 1, 2), n.AddInput("x", Float32, []int{1, 2, 2, 2}), w)
	n.Outputs = []*Tensor{n.node("norm", BatchNorm{Epsilon: 0.5}, y,
		statistic("gamma", 1, -2, 0, 0.5), statistic("beta", 1, 2, 3, 4), statistic("mean", 0, 1, 0, 2), statistic("variance", 0.5, 0.5, 0.5, 0.5))}
	return n
}

// Depthwise weights have their channels along the last axis, and all that treats
// weights channel by channel goes along it.
func TestFoldAlongTheLastAxis(t *testing.T) {
	n := depthwiseNet(t)
	folded, err := Passes{FoldBatchNorm}.Run(n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{
		1, -4, 0, 2,
		5, -12, 0, 4,
		-1, 4, 0, -2,
	}
	if diff := cmp.Diff(want, folded.Nodes[0].Inputs[InputWeights].Float32s()); diff != "" {
		t.Errorf("folded weights (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float32{1, 4, 3, 3}, folded.Nodes[0].Inputs[InputBias].Float32s()); diff != "" {
		t.Errorf("folded bias (-want +got):\n%s", diff)
	}
	of := func(name string) *Tensor { return find(t, n.Graph, name) }
	n.node("fw", FoldWeights{Epsilon: 0.5, Axis: 3}, of("w"), of("gamma"), of("variance"))
	if diff := cmp.Diff(want, FoldedWeights(n.Nodes[2])); diff != "" {
		t.Errorf("FoldWeights (-want +got):\n%s", diff)
	}
}

func TestRaiseAlongTheLastAxis(t *testing.T) {
	n := depthwiseNet(t)
	in := NewObserved("x", quant.Scheme{Bits: 8, Symmetric: true}, 0.99)
	in.SetRange(quant.Range{Min: 0, Max: 127. / 128, Weight: 1}) // scale 1/128
	q := &Quantizer{Name: "w", Bits: 8, Symmetric: true, Narrow: true, Axis: 3, Source: LastValue}
	dw := n.Nodes[0]
	n.node("x/fq", FakeQuant{Quantizer: in, Observe: true}, n.Inputs[0])
	n.node("w/fq", FakeQuant{Quantizer: q}, find(t, n.Graph, "w"))
	dw.Inputs = []*Tensor{n.Nodes[2].Output, n.Nodes[3].Output}
	n.Nodes = []*Node{n.Nodes[2], n.Nodes[3], dw, n.Nodes[1]}
	w := find(t, n.Graph, "w").Float32s()
	w[1], w[5], w[9] = 0, 127e-12, 0 // channel 1: scale 1e-12, times |gamma| 2; its bias is 4
	want(t, n.Check(), "")
	if err := RaiseWeightScales(n.Graph, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	least := 4 * 128 / 2 / math.Ldexp(1, 30)
	if m := q.MinScale; len(m) != 4 || m[0] != 0 || m[2] != 0 || m[3] != 0 || float64(m[1]) < least || float64(m[1]) > least*(1+math.Ldexp(1, -22)) {
		t.Errorf("least scales %v, want one just above %v for channel 1", m, least)
	}
}

// TestFoldAxisInFiles: graphs from before there was an axis are read, and where
// it is the first, graphs are written as before.
func TestFoldAxisInFiles(t *testing.T) {
	op, err := operators["FOLD_WEIGHTS"]([]byte(`{"epsilon":0.5}`))
	if err != nil || op != Op(FoldWeights{Epsilon: 0.5}) {
		t.Errorf("%+v, %v", op, err)
	}
	for axis, want := range map[int]string{0: `{"epsilon":0.5}`, 3: `{"epsilon":0.5,"axis":3}`} {
		if got, err := json.Marshal(FoldWeights{Epsilon: 0.5, Axis: axis}); err != nil || string(got) != want {
			t.Errorf("axis %d: %s, %v", axis, got, err)
		}
	}
}
