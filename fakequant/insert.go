package fakequant

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Insert returns a deep copy of the float network g with fake-quantization
// nodes placed by the recipe. g is not changed.
//
// [quant.Integer] recipes put quantizers on
//   - the weights of every anchor (convolution, dense): last value;
//   - every graph input, the output of every fusion group (anchor, BatchNorm,
//     activation) and of every other operator that computes a new range: moving
//     average, still unknown in the copy;
//   - operators with a fixed output (softmax): their fixed parameters;
//   - operators that share one scale between input and output (reshape, pools):
//     the input's quantizer; an average rounds again on it, and so does a RELU6
//     outside of groups, which TensorFlow Lite Micro computes on one scale only.
//
// A BatchNorm behind per-channel weights stays: conv(x, fq(w)) - BN - act - fq.
// Behind per-tensor weights it is folded with its moving statistics before the
// weights are quantized: conv(x, fq(w*gamma/sigma)) + folded bias.
//
// [quant.WeightOnly] recipes put quantizers on weights of at least MinElements
// elements and mark the inputs of their operators as quantized at run time.
//
// Errors: a recipe that does not check; float16 recipes, which need no
// quantizers; a graph that is quantized already; operators that cannot be
// quantized, all of them by name.
func Insert(g *graph.Graph, recipe quant.Recipe) (*graph.Graph, error) {
	if err := insertable(g, recipe); err != nil {
		return nil, err
	}
	c := g.Clone()
	c.Recipe = &recipe
	in := &inserter{g: c, recipe: recipe, scales: map[*graph.Tensor]*scale{}, of: map[*graph.Tensor]*graph.Quantizer{}}
	for _, gr := range c.Groups() {
		if err := in.weights(gr); err != nil {
			return nil, err
		}
	}
	if recipe.Mode == quant.Integer {
		if err := in.activations(); err != nil {
			return nil, err
		}
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("fakequant: %w", err)
	}
	return c, nil
}

// insertable reports every reason why the recipe cannot be applied to g.
func insertable(g *graph.Graph, recipe quant.Recipe) error {
	faults := []error{recipe.Check(), g.Check()}
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("fakequant: "+format, a...))
	}
	if recipe.Mode == quant.HalfFloat {
		fault("recipe %q needs no quantizers: pass the float network to export.Float16", recipe.Name)
	}
	if g.Recipe != nil {
		fault("network %q is quantized already, by recipe %q", g.Name, g.Recipe.Name)
	}
	folded := map[*graph.Node]bool{}
	for _, gr := range g.Groups() {
		folded[gr.BatchNorm] = true
		if w := gr.Anchor.Inputs[graph.InputWeights]; w.Float32s() == nil {
			fault("node %q: weights %q are %v without float32 data", gr.Anchor.Name, w.Name, w.Type)
		}
	}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case graph.BatchNorm:
			if !folded[n] {
				fault("node %q: a BatchNorm can be quantized only directly behind a convolution or dense layer, before its activation: move it there", n.Name)
			}
		case graph.FakeQuant, graph.FoldWeights, graph.FoldBias, graph.Quantize, graph.Dequantize:
			fault("node %q: %s does not belong in a float network", n.Name, n.Op.Name())
		}
	}
	return errors.Join(faults...)
}

// inserter places quantizers in one graph.
type inserter struct {
	g      *graph.Graph
	recipe quant.Recipe
	// scales says which activations of the float network share codes.
	scales map[*graph.Tensor]*scale
	// of gives the quantizer whose codes an activation has, as far as FakeQuant
	// nodes have been placed.
	of map[*graph.Tensor]*graph.Quantizer
}

// fake puts a FakeQuant node of the given name behind t, in front of the node at
// position at, and makes users read its output instead of t.
func (in *inserter) fake(t *graph.Tensor, name string, op graph.FakeQuant, at int, users []*graph.Node) *graph.Tensor {
	out := &graph.Tensor{Name: in.g.Unique(name), Type: graph.Float32, Shape: t.Shape}
	n := &graph.Node{Name: out.Name, Op: op, Inputs: []*graph.Tensor{t}, Output: out}
	for _, u := range users {
		for i, x := range u.Inputs {
			if x == t {
				u.Inputs[i] = out
			}
		}
	}
	in.g.Nodes = append(in.g.Nodes[:at], append([]*graph.Node{n}, in.g.Nodes[at:]...)...)
	return out
}

// position returns the index of n in the graph.
func (in *inserter) position(n *graph.Node) int {
	for i, m := range in.g.Nodes {
		if m == n {
			return i
		}
	}
	return len(in.g.Nodes)
}
