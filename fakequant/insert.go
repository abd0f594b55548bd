package fakequant

import (
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
//   - operators that share one scale between inputs and output (reshape, pools,
//     concatenation): the input's quantizer, which is one for all inputs of a
//     concatenation, each of which feeds its range; an average rounds again on
//     it, and so does a RELU6 outside of groups, which TensorFlow Lite Micro
//     computes on one scale only. An input with fixed parameters is rounded once
//     more in front of the concatenation, for which export writes a QUANTIZE
//     operator; inputs that all have the same fixed parameters keep them;
//   - constants that an operator computes with: their own values.
//
// A BatchNorm behind per-channel weights stays: conv(x, fq(w)) - BN - act - fq.
// Behind per-tensor weights it is folded with its moving statistics before the
// weights are quantized: conv(x, fq(w*gamma/sigma)) + folded bias. One that has
// no such operator before it, and an Affine, get one by [graph.AnchorBatchNorm]
// and [graph.AnchorAffine]; an Affine that is [graph.Graph.Rescaled] stays, and
// the quantizer of its input stands behind it.
//
// Operators that the recipe keeps in float32 have no quantizers on weights and
// constants; what they read of others is quantized and so is what others read of
// them, on a range of its own, for which export writes DEQUANTIZE and QUANTIZE
// operators. The recipe of the copy names each, a fusion group by its head.
//
// [quant.WeightOnly] recipes put quantizers on weights of at least MinElements
// elements and, unless they compute in float32, mark the inputs of their operators
// as quantized at run time.
//
// Errors: a recipe that does not check; float16 recipes, which need no
// quantizers; a graph that is quantized already; every operator that the recipe
// cannot serve, by name and with what to do instead.
func Insert(g *graph.Graph, recipe quant.Recipe) (*graph.Graph, error) {
	if err := insertable(g, recipe); err != nil {
		return nil, err
	}
	c, err := graph.Passes{graph.AnchorBatchNorm, graph.AnchorAffine}.Run(g)
	if err != nil {
		return nil, fmt.Errorf("fakequant: %w", err)
	}
	if err := resolveKept(c, &recipe); err != nil {
		return nil, err
	}
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
