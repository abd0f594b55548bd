package graph

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goqat/goqat/quant"
)

// TestInferencePasses shows the compiler at work: the graph before and after.
func TestInferencePasses(t *testing.T) {
	g := floatNet(t)
	before := g.String()
	out, err := Passes{DropDropout, FoldBatchNorm, FuseActivations}.Run(g)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "inference.txt", out.String())
	if g.String() != before {
		t.Error("the passes changed the graph they were given")
	}
	// Without DropDropout the groups are the same: Dropout between is absorbed.
	through, err := Passes{FoldBatchNorm, FuseActivations}.Run(g)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(show(out), show(through)); diff != "" {
		t.Errorf("folding through dropout (-dropped before +absorbed):\n%s", diff)
	}
}

func TestDropDropoutAtTheEdges(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 2})
	y := n.node("second", Dropout{}, n.node("first", Dropout{}, x))
	n.Outputs = []*Tensor{y}
	out, err := Passes{DropDropout}.Run(n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Nodes) != 0 || out.Outputs[0] != out.Inputs[0] {
		t.Errorf("left over:\n%s", out)
	}
}

func TestPassErrors(t *testing.T) {
	broken := errors.New("broken")
	_, err := Passes{{"first", func(*Graph) error { return nil }}, {"second", func(*Graph) error { return broken }}}.Run(floatNet(t))
	if want(t, err, "second: broken"); !errors.Is(err, broken) {
		t.Error("the cause is not wrapped")
	}
	_, err = Passes{{"cut", func(g *Graph) error { g.Nodes = g.Nodes[1:]; return nil }}}.Run(floatNet(t))
	want(t, err, `after cut: graph: node "norm": input 0 ("conv") is used before it is produced`)
}

func TestFoldErrors(t *testing.T) {
	alone := newNet(t)
	x := alone.batchNorm("alone", alone.AddInput("x", Float32, []int{1, 2}))
	alone.Outputs = []*Tensor{x}
	find(t, alone.Graph, "alone/gamma").Float32s()[0] = float32(math.Inf(1))
	nan := floatNet(t)
	find(t, nan, "norm/moving_mean").Float32s()[1] = float32(math.NaN())
	negative := floatNet(t)
	find(t, negative, "norm/moving_variance").Float32s()[0] = -1
	quantized := newNet(t)
	w := quantized.node("fq", FakeQuant{Quantizer: &Quantizer{Name: "w", Bits: 8, Axis: -1, Source: LastValue}}, parameter("w", 2, 3))
	x = quantized.node("dense", FullyConnected{}, quantized.AddInput("x", Float32, []int{1, 3}), w)
	quantized.Outputs = []*Tensor{quantized.batchNorm("norm", x)}
	computed := newNet(t)
	b := computed.node("relu", Relu{}, parameter("b", 2))
	x = computed.node("dense", FullyConnected{}, computed.AddInput("x", Float32, []int{1, 3}), parameter("w", 2, 3), b)
	computed.Outputs = []*Tensor{computed.batchNorm("norm", x)}
	for name, c := range map[string]struct {
		g    *Graph
		want string
	}{
		"alone":             {alone.Graph, `node "alone": channel 0:`},
		"NaN":               {nan, `node "norm": channel 1:`},
		"negative variance": {negative, `node "norm": channel 0:`},
		"quantized weights": {quantized.Graph, `node "dense": weights "fq" are not float32 data`},
		"computed bias":     {computed.Graph, `node "dense": bias "relu" is not float32 data`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Passes{FoldBatchNorm}.Run(c.g)
			want(t, err, "fold batch norm: graph: ")
			want(t, err, c.want)
		})
	}
}

// TestFoldedIsNormalized holds a folded dense layer against the formula of
// BatchNorm on the dense layer's output, all in float64. Weights, factor and
// bias of the folded layer are each rounded to float32, three relative errors
// of 2^-24 on terms of at most the sum of magnitudes.
func TestFoldedIsNormalized(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := func(name string) float32 { return rapid.Float32Range(-4, 4).Draw(t, name) }
		x := []float64{float64(value("x")), float64(value("x"))}
		w := []float32{value("w"), value("w")}
		gamma, beta, mean := value("gamma"), value("beta"), value("mean")
		variance := rapid.Float32Range(0, 4).Draw(t, "variance")
		const epsilon = 1e-3

		g := &Graph{}
		in := g.AddInput("x", Float32, []int{1, 2})
		inputs := []*Tensor{in, {Name: "w", Role: Parameter, Shape: []int{1, 2}, Data: w}}
		b := float32(0)
		if rapid.Bool().Draw(t, "bias") {
			b = value("b")
			inputs = append(inputs, &Tensor{Name: "b", Role: Parameter, Shape: []int{1}, Data: []float32{b}})
		}
		y, err := g.Add("dense", FullyConnected{}, inputs...)
		if err != nil {
			t.Fatal(err)
		}
		y, err = g.Add("norm", BatchNorm{Epsilon: epsilon}, y,
			statistic("gamma", gamma), statistic("beta", beta), statistic("mean", mean), statistic("variance", variance))
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = []*Tensor{y}
		folded, err := Passes{FoldBatchNorm}.Run(g)
		if err != nil {
			t.Fatal(err)
		}
		dense := folded.Nodes[0]
		fw, fb := dense.Inputs[InputWeights].Float32s(), dense.Inputs[InputBias].Float32s()

		deviation := math.Sqrt(float64(variance) + float64(float32(epsilon)))
		factor := float64(gamma) / deviation
		want := factor*(float64(w[0])*x[0]+float64(w[1])*x[1]+float64(b)-float64(mean)) + float64(beta)
		got := float64(fw[0])*x[0] + float64(fw[1])*x[1] + float64(fb[0])
		size := math.Abs(factor)*(math.Abs(float64(w[0])*x[0])+math.Abs(float64(w[1])*x[1])+math.Abs(float64(b))+math.Abs(float64(mean))) + math.Abs(float64(beta))
		// The smallest terms are subnormal and have an absolute error instead.
		if math.Abs(got-want) > 3*math.Ldexp(size, -24)+0x1p-140 {
			t.Fatalf("folded %v, normalized %v", got, want)
		}
		if len(folded.Nodes) != 1 || dense.Output.Name != "norm" || dense.Inputs[InputBias].Role != Parameter {
			t.Fatalf("folded graph:\n%s", folded)
		}
	})
}

// TestFoldNodes: FoldWeights and FoldBias are what FoldBatchNorm does.
func TestFoldNodes(t *testing.T) {
	n := newNet(t)
	x := n.dense("dense", 2, n.AddInput("x", Float32, []int{1, 3}))
	n.Outputs = []*Tensor{n.batchNorm("norm", x)}
	folded, err := Passes{FoldBatchNorm}.Run(n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string) *Tensor { return find(t, n.Graph, name) }
	gamma, beta, mean, variance := of("norm/gamma"), of("norm/beta"), of("norm/moving_mean"), of("norm/moving_variance")
	n.node("fw", FoldWeights{Epsilon: 1e-3}, of("dense/kernel"), gamma, variance)
	n.node("fb", FoldBias{Epsilon: 1e-3}, gamma, variance, beta, mean, of("dense/bias"))
	n.node("f0", FoldBias{Epsilon: 1e-3}, gamma, variance, beta, mean, nil)
	w := FoldedWeights(n.Nodes[2])
	b, err := FoldedBias(n.Nodes[3])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(folded.Nodes[0].Inputs[InputWeights].Float32s(), w); diff != "" {
		t.Errorf("weights (-pass +node):\n%s", diff)
	}
	if diff := cmp.Diff(folded.Nodes[0].Inputs[InputBias].Float32s(), b); diff != "" {
		t.Errorf("bias (-pass +node):\n%s", diff)
	}
	without, err := FoldedBias(n.Nodes[4])
	if err != nil {
		t.Fatal(err)
	}
	_, shift, err := BatchNormAffine(n.Nodes[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shift, without); diff != "" {
		t.Errorf("without a bias (-BatchNormAffine +node):\n%s", diff)
	}
	mean.Float32s()[0] = inf
	_, err = FoldedBias(n.Nodes[3])
	want(t, err, `node "fb": channel 0`)
}

func TestGroups(t *testing.T) {
	type group struct {
		anchor, norm, activation, output string
		fused                            quant.Activation
	}
	name := func(n *Node) string {
		if n == nil {
			return ""
		}
		return n.Name
	}
	image := func(n *net) *Tensor { return n.AddInput("x", Float32, []int{1, 4, 4, 1}) }
	for title, c := range map[string]struct {
		build func(n *net) *Tensor
		want  []group
	}{
		"bare":       {func(n *net) *Tensor { return n.conv("c", image(n)) }, []group{{"c", "", "", "c", quant.NoActivation}}},
		"norm":       {func(n *net) *Tensor { return n.batchNorm("b", n.conv("c", image(n))) }, []group{{"c", "b", "", "b", quant.NoActivation}}},
		"activation": {func(n *net) *Tensor { return n.node("a", Relu{}, n.conv("c", image(n))) }, []group{{"c", "", "a", "a", quant.Relu}}},
		"all three": {func(n *net) *Tensor { return n.node("a", Relu6{}, n.batchNorm("b", n.conv("c", image(n)))) },
			[]group{{"c", "b", "a", "a", quant.Relu6}}},
		"dropout between": {func(n *net) *Tensor {
			x := n.node("d1", Dropout{}, n.conv("c", image(n)))
			x = n.node("d2", Dropout{}, n.batchNorm("b", n.node("d1", Dropout{}, x)))
			return n.node("d3", Dropout{}, n.node("a", Relu{}, x))
		}, []group{{"c", "b", "a", "a", quant.Relu}}},
		"softmax is not fused": {func(n *net) *Tensor { return n.node("s", Softmax{}, n.conv("c", image(n))) }, []group{{"c", "", "", "c", quant.NoActivation}}},
		"two norms": {func(n *net) *Tensor { return n.batchNorm("b2", n.batchNorm("b1", n.conv("c", image(n)))) },
			[]group{{"c", "b1", "", "b1", quant.NoActivation}}},
		"activation before norm": {func(n *net) *Tensor { return n.batchNorm("b", n.node("a", Relu{}, n.conv("c", image(n)))) },
			[]group{{"c", "", "a", "a", quant.Relu}}},
		"output inside": {func(n *net) *Tensor {
			x := n.conv("c", image(n))
			n.Outputs = append(n.Outputs, x)
			return n.node("a", Relu{}, x)
		}, []group{{"c", "", "", "c", quant.NoActivation}}},
		"two readers": {func(n *net) *Tensor {
			x := n.conv("c", image(n))
			n.Outputs = append(n.Outputs, n.node("r", Relu6{}, x))
			return n.node("a", Relu{}, x)
		}, []group{{"c", "", "", "c", quant.NoActivation}}},
		"fake quantization ends a group": {func(n *net) *Tensor {
			q := NewObserved("c", quant.Int8().Activations, 0.9)
			return n.node("a", Relu{}, n.node("fq", FakeQuant{Quantizer: q}, n.conv("c", image(n))))
		}, []group{{"c", "", "", "c", quant.NoActivation}}},
		"own activation": {func(n *net) *Tensor {
			x := n.conv("c", image(n))
			n.Nodes[0].Op = n.Nodes[0].Op.(Anchored).Fuse(quant.Relu6)
			return n.node("a", Relu{}, x)
		}, []group{{"c", "", "", "c", quant.Relu6}}},
		"in order": {func(n *net) *Tensor {
			x := n.node("a1", Relu{}, n.conv("c1", image(n)))
			return n.batchNorm("b2", n.conv("c2", x))
		}, []group{{"c1", "", "a1", "a1", quant.Relu}, {"c2", "b2", "", "b2", quant.NoActivation}}},
	} {
		t.Run(title, func(t *testing.T) {
			n := newNet(t)
			y := c.build(n)
			n.Outputs = append(n.Outputs, y)
			want(t, n.Check(), "")
			var got []group
			for _, gr := range n.Groups() {
				got = append(got, group{name(gr.Head), name(gr.BatchNorm), name(gr.Activation), gr.Output().Name, gr.Fused()})
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("groups %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestCloneIsIndependent writes to every byte of the copy's variables, shapes
// and ranges; the original stays.
func TestCloneIsIndependent(t *testing.T) {
	for _, build := range []func(*testing.T) *Graph{floatNet, quantNet, integerNet} {
		g, untouched := build(t), build(t)
		c := g.Clone()
		if diff := cmp.Diff(show(g), show(c)); diff != "" {
			t.Fatalf("copy differs (-original +copy):\n%s", diff)
		}
		for i, q := range c.Quantizers() {
			if q == g.Quantizers()[i] {
				t.Error("a quantizer is shared")
			}
			q.Bits = 3
			for j := range q.MinScale {
				q.MinScale[j] = 77
			}
		}
		for i, x := range c.allTensors() {
			if shared := x == g.allTensors()[i]; shared != (x.Role == Constant) {
				t.Errorf("%v %s is shared: %v", x.Role, x.Name, shared)
			}
			if x.Role == Constant {
				continue
			}
			x.Name = "changed"
			x.Shape[0] = 99
			for j := range x.Float32s() {
				x.Float32s()[j] = 99
			}
		}
		for _, n := range c.Nodes {
			n.Inputs[0] = nil
		}
		if c.Recipe != nil {
			c.Recipe.Name = "changed"
		}
		c.Inputs[0], c.Outputs[0], c.Nodes[0] = nil, nil, nil
		if diff := cmp.Diff(show(untouched), show(g)); diff != "" {
			t.Errorf("the original changed (-before +after):\n%s", diff)
		}
	}
}

func TestCloneKeepsSharing(t *testing.T) {
	c := quantNet(t).Clone()
	if c.Nodes[0].Op.(FakeQuant).Quantizer != c.Nodes[2].Op.(FakeQuant).Quantizer {
		t.Error("the copy has two quantizers where the original shares one")
	}
	n := newNet(t)
	n.node("fq", FakeQuant{}, n.AddInput("x", Float32, []int{1, 2}))
	want(t, n.Clone().Check(), "without a quantizer") // an error, not a crash
}
