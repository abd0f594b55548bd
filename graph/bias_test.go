package graph

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

// biasNet is input, fake quantization, reshape and a dense layer of three
// channels with fake-quantized weights; the input's scale is 1/128 once known.
func biasNet(t *testing.T, axis int, bias ...float32) (*net, *Quantizer) {
	n := newNet(t)
	in := NewObserved("x", quant.Scheme{Bits: 8, Symmetric: true}, 0.99)
	x := n.node("x/fq", FakeQuant{Quantizer: in, Observe: true}, n.AddInput("x", Float32, []int{1, 1, 2}))
	in.SetRange(quant.Range{Min: 0, Max: 127. / 128, Weight: 1})
	x = n.node("dropout", Dropout{}, n.node("flat", Reshape{Shape: []int{-1, 2}}, x))
	q := &Quantizer{Name: "w", Bits: 8, Symmetric: true, Narrow: true, Axis: axis, Source: LastValue}
	w := &Tensor{Name: "w", Role: Parameter, Shape: []int{3, 2}, Data: []float32{127, 0, 127e-9, 0, 127e-12, 0}} // scales 1, 1e-9, 1e-12
	n.node("w/fq", FakeQuant{Quantizer: q}, w)
	inputs := []*Tensor{x, n.Nodes[len(n.Nodes)-1].Output}
	if bias != nil {
		inputs = append(inputs, statistic("b", bias...))
	}
	n.Outputs = []*Tensor{n.node("dense", FullyConnected{}, inputs...)}
	return n, q
}

func TestRaiseWeightScales(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	n, q := biasNet(t, 0, 100, 0.001, -0.001)
	if err := RaiseWeightScales(n.Graph, log); err != nil {
		t.Fatal(err)
	}
	// 0.001 at scale 1e-9/128 is a code of 1.28e8, that fits; at 1e-12/128 it
	// would be 1.28e11, beyond 2^30.
	if len(q.MinScale) != 3 || q.MinScale[0] != 0 || q.MinScale[1] != 0 {
		t.Fatalf("least scales %v, want one for the last channel only", q.MinScale)
	}
	p, err := q.ParamsOf(find(t, n.Graph, "w").Float32s(), []int{3, 2})
	if err != nil {
		t.Fatal(err)
	}
	bias := float64(float32(0.001))
	code := bias / (float64(p.Scale[2]) / 128)
	// As little as possible: one unit in the last place of the scale below the limit.
	if code > 1<<30 || code < (1<<30)*(1-math.Ldexp(1, -22)) {
		t.Errorf("the bias has the code %v, want nearly %d", code, 1<<30)
	}
	for _, s := range []string{"node=dense", "channel=2", "bias=-0.001"} {
		if !strings.Contains(text.String(), s) {
			t.Errorf("no %q in the log: %s", s, text.String())
		}
	}
	// Once raised, there is nothing to do.
	before := q.MinScale[2]
	text.Reset()
	if err := RaiseWeightScales(n.Graph, log); err != nil || q.MinScale[2] != before || text.Len() > 0 {
		t.Errorf("a second time: %v, scale %v, log %q", err, q.MinScale[2], text.String())
	}
}

func TestRaiseOneScaleForAll(t *testing.T) {
	n, q := biasNet(t, -1, 1e9, 1, 1) // weight scale 1, so 1.28e11 codes
	if err := RaiseWeightScales(n.Graph, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	least := 1e9 * 128 / math.Ldexp(1, 30)
	if len(q.MinScale) != 1 || float64(q.MinScale[0]) < least || float64(q.MinScale[0]) > least*(1+math.Ldexp(1, -22)) {
		t.Errorf("least scales %v, want one just above %v", q.MinScale, least)
	}
}

func TestRaiseThroughBatchNorm(t *testing.T) {
	n, q := biasNet(t, 0)
	// gamma 0 is a dead channel, which is exported with zero weights.
	gamma, beta := statistic("gamma", 1000, 0, 1), statistic("beta", 1, 1, 1)
	n.Outputs = []*Tensor{n.node("norm", BatchNorm{Epsilon: 0.5}, n.Outputs[0], gamma, beta, statistic("mean", 0, 0, 0), statistic("variance", 0.5, 0.5, 0.5))}
	if err := RaiseWeightScales(n.Graph, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	least := 128 / math.Ldexp(1, 30) // bias 1, factor 1
	want := []bool{false, false, true}
	for c, raised := range want {
		if (q.MinScale[c] > 0) != raised {
			t.Errorf("channel %d has the least scale %v", c, q.MinScale[c])
		}
	}
	if got := float64(q.MinScale[2]); got < least || got > least*(1+math.Ldexp(1, -22)) {
		t.Errorf("least scale %v, want just above %v", got, least)
	}
}

// TestRaiseFolded: the same layer with BatchNorm folded before quantization.
func TestRaiseFolded(t *testing.T) {
	n, q := biasNet(t, -1)
	w := find(t, n.Graph, "w")
	gamma, beta, mean, variance := statistic("gamma", 1, 1, 1), statistic("beta", 1e9, 1, 1), statistic("mean", 0, 0, 0), statistic("variance", 0.5, 0.5, 0.5)
	n.Remove(n.Nodes[3:]...)
	folded := n.node("folded", FoldWeights{Epsilon: 0.5}, w, gamma, variance)
	fq := n.node("w/fq", FakeQuant{Quantizer: q}, folded)
	b := n.node("bias", FoldBias{Epsilon: 0.5}, gamma, variance, beta, mean)
	n.Outputs = []*Tensor{n.node("dense", FullyConnected{}, n.Nodes[2].Output, fq, b)}
	want(t, n.Check(), "")
	if err := RaiseWeightScales(n.Graph, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	least := 1e9 * 128 / math.Ldexp(1, 30)
	if len(q.MinScale) != 1 || float64(q.MinScale[0]) < least || float64(q.MinScale[0]) > least*(1+math.Ldexp(1, -22)) {
		t.Errorf("least scales %v, want one just above %v", q.MinScale, least)
	}
}

func TestRaiseLeavesAlone(t *testing.T) {
	unknown, _ := biasNet(t, 0, 1e30, 1e30, 1e30)
	unknown.Nodes[0].Op.(FakeQuant).Quantizer.SetRange(quant.Range{})
	bare, _ := biasNet(t, 0)
	float := newNet(t)
	float.Outputs = []*Tensor{float.dense("dense", 2, float.AddInput("x", Float32, []int{1, 2}))}
	for _, g := range []*Graph{unknown.Graph, bare.Graph, float.Graph} {
		before := show(g.Clone())
		if err := RaiseWeightScales(g, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, show(g)); diff != "" {
			t.Errorf("changed:\n%s", diff)
		}
	}
}

func TestRaiseErrors(t *testing.T) {
	nan := float32(math.NaN())
	bias, _ := biasNet(t, 0, 0, nan, 0)
	weights, _ := biasNet(t, 0, 0, 0, 0)
	find(t, weights.Graph, "w").Float32s()[4] = nan
	infinite, _ := biasNet(t, 0, 0, 0, 0)
	infinite.Nodes[0].Op.(FakeQuant).Quantizer.SetRange(quant.Range{Max: inf, Weight: 1})
	computed, _ := biasNet(t, 0, 0, 0, 0)
	computed.Nodes[3].Inputs[0] = computed.node("relu", Relu{}, find(t, computed.Graph, "w"))
	for _, c := range []struct {
		g    *Graph
		want string
	}{
		{bias.Graph, `node "dense": the bias of channel 1 is NaN`},
		{weights.Graph, `quantizer of tensor "w": quant: value 4 is NaN`},
		{infinite.Graph, `quantizer of tensor "x": quant: invalid range`},
		{computed.Graph, `weights "relu" are neither data nor folded data`},
	} {
		want(t, RaiseWeightScales(c.g, slog.New(slog.DiscardHandler)), c.want)
	}
}

func TestBiasName(t *testing.T) {
	n := newNet(t)
	x := n.dense("dense", 2, n.AddInput("x", Float32, []int{1, 2}))
	n.node("bare", FullyConnected{}, x, parameter("bare/bias", 2, 2)) // an unlucky name for weights
	if got := BiasName(n.Graph, n.Nodes[0]); got != "dense/bias" {
		t.Errorf("bias is called %q", got)
	}
	if got := BiasName(n.Graph, n.Nodes[1]); got != "bare/bias_1" {
		t.Errorf("a new bias is called %q", got)
	}
}
