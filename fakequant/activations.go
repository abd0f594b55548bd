package fakequant

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// activations places the quantizers of an integer recipe along the graph. First
// it finds which activations share one, then it places the FakeQuant nodes.
func (in *inserter) activations() error {
	inputs := slices.DeleteFunc(slices.Clone(in.g.Inputs), in.rescaled)
	for _, x := range inputs {
		in.own(x, nil)
	}
	nodes := slices.Clone(in.g.Nodes)
	places := make([]placement, len(nodes))
	inside := in.groupInterior()
	for i, n := range nodes {
		var err error
		if places[i], err = in.placement(n, inside[n.Output]); err == nil {
			err = in.scale(n, places[i])
		}
		if err != nil {
			return err
		}
	}
	for _, x := range inputs {
		in.attach(x, graph.FakeQuant{Observe: true})
	}
	for i, n := range nodes {
		if err := in.constants(n); err != nil {
			return err
		}
		in.place(n, places[i])
	}
	return nil
}

// placement says what happens behind a node.
type placement uint8

const (
	// nothing: the node is inside a fusion group, whose last node carries the
	// quantizer, or works on weights.
	nothing placement = iota
	// observed outputs have a range of their own.
	observed
	// fixed outputs have the parameters that the operator prescribes.
	fixed
	// copied outputs have the very codes of the inputs.
	copied
	// averaged outputs are rounded to the quantizer of the input, as means.
	averaged
	// bounded outputs are rounded to the quantizer of the input.
	bounded
)

// placement classifies a node. A RELU6 outside of groups shares the quantizer of
// its input and rounds its bound to it: TensorFlow Lite Micro's kernel clamps
// codes without rescaling them.
func (in *inserter) placement(n *graph.Node, inside bool) (placement, error) {
	if inside {
		return nothing, nil
	}
	switch n.Op.(type) {
	case graph.FakeQuant, graph.FoldWeights, graph.FoldBias:
		return nothing, nil
	case graph.Dropout:
		return copied, nil
	}
	if in.keeps(n) {
		if in.onlyKept(n.Output) {
			return nothing, nil
		}
		return observed, nil
	}
	switch n.Op.(type) {
	case graph.Relu6:
		if !in.ends(n) {
			return bounded, nil
		}
	}
	switch n.Op.Class() {
	case graph.Anchor, graph.Requantize, graph.TrainingOnly: // the last node of a group, or alone
		return observed, nil
	case graph.SameScale:
		if a, ok := n.Op.(graph.Averaging); ok && a.Averages() {
			return averaged, nil
		}
		return copied, nil
	case graph.FixedOutput:
		return fixed, nil
	}
	return nothing, fmt.Errorf("fakequant: node %q: %s cannot be quantized", n.Name, n.Op.Name())
}

// scale finds the set of activations that the output of n belongs to.
func (in *inserter) scale(n *graph.Node, at placement) error {
	switch at {
	case nothing:
	case observed:
		in.own(n.Output, nil)
	case fixed:
		p, err := n.Op.(graph.FixedParams).FixedParams(in.recipe.Activations.Bits)
		if err != nil {
			return fmt.Errorf("fakequant: node %q: %w", n.Name, err)
		}
		in.own(n.Output, &p)
	default:
		return in.share(n)
	}
	return nil
}

// place puts FakeQuant nodes around n.
func (in *inserter) place(n *graph.Node, at placement) {
	switch at {
	case observed:
		in.attach(n.Output, graph.FakeQuant{Observe: true})
	case fixed:
		in.attach(n.Output, graph.FakeQuant{})
	case averaged:
		in.attach(n.Output, graph.FakeQuant{Mean: true})
	case bounded:
		in.attach(n.Output, graph.FakeQuant{})
	case copied:
		in.of[n.Output] = in.quantizer(n.Output)
		in.requantize(n)
	}
}

// rescaled reports whether x is an input in front of an Affine, which takes over
// its quantizer: [Insert] has left only those.
func (in *inserter) rescaled(x *graph.Tensor) bool {
	return slices.ContainsFunc(in.g.Consumers(x), func(n *graph.Node) bool { return n.Op == graph.Op(graph.Affine{}) })
}

// groupInterior returns the tensors that exist only inside a fusion group: the
// outputs of its nodes before the last, and of Dropout nodes between them.
func (in *inserter) groupInterior() map[*graph.Tensor]bool {
	inside := map[*graph.Tensor]bool{}
	for _, gr := range in.g.Fusions() {
		for t := gr.Output(); t != gr.Head.Output; {
			t = in.g.Producer(t).Inputs[graph.InputX]
			inside[t] = true
		}
	}
	return inside
}

// ends reports whether n is the activation of a fusion group.
func (in *inserter) ends(n *graph.Node) bool {
	return slices.ContainsFunc(in.g.Fusions(), func(gr graph.Group) bool { return gr.Activation == n })
}

// constants quantizes the data that an operator of class Requantize computes
// with (a sum with a constant, for instance), each by its own values.
func (in *inserter) constants(n *graph.Node) error {
	if n.Op.Class() != graph.Requantize || in.keeps(n) {
		return nil
	}
	for _, t := range slices.Clone(n.Inputs) {
		if t == nil || t.Data == nil {
			continue
		}
		if t.Float32s() == nil {
			return fmt.Errorf("fakequant: node %q: input %q is %v without float32 data", n.Name, t.Name, t.Type)
		}
		users := slices.DeleteFunc(in.g.Consumers(t), func(u *graph.Node) bool { return u.Op.Class() != graph.Requantize || in.keeps(u) })
		q := &graph.Quantizer{Name: t.Name, Bits: in.recipe.Activations.Bits, Symmetric: in.recipe.Activations.Symmetric, Axis: -1, Source: graph.LastValue}
		in.fake(t, t.Name+"/fake_quant", graph.FakeQuant{Quantizer: q}, in.position(users[0]), users)
	}
	return nil
}

// requantize puts a FakeQuant node in front of each input of n whose codes are
// not those of its output; export makes a QUANTIZE operator of it. It goes before
// a Dropout, whose scaled values are no part of a range.
func (in *inserter) requantize(n *graph.Node) {
	q := in.of[n.Output]
	for i := range n.Inputs {
		x, reader := n.Inputs[i], n
		if in.of[x] == q {
			continue
		}
		for p := in.g.Producer(x); isDropout(p) && len(in.g.Consumers(x)) == 1 && !in.g.IsOutput(x); p = in.g.Producer(x) {
			in.of[x], x, reader = q, p.Inputs[0], p
		}
		op := graph.FakeQuant{Quantizer: q, Observe: true}
		in.of[in.fake(x, fmt.Sprintf("%s/input_%d", n.Name, i), op, in.position(reader), []*graph.Node{reader})] = q
	}
}

func isDropout(n *graph.Node) bool {
	if n == nil {
		return false
	}
	_, ok := n.Op.(graph.Dropout)
	return ok
}

// attach puts a FakeQuant node on the quantizer of t behind t for all its
// readers, graph outputs included.
func (in *inserter) attach(t *graph.Tensor, op graph.FakeQuant) {
	op.Quantizer = in.quantizer(t)
	at := 0
	if p := in.g.Producer(t); p != nil {
		at = in.position(p) + 1
	}
	users := in.g.Consumers(t)
	if p := in.g.Producer(t); p != nil && in.keeps(p) {
		users = slices.DeleteFunc(users, in.keeps) // these read float32
	}
	out := in.fake(t, t.Name+"/fake_quant", op, at, users)
	for i, y := range in.g.Outputs {
		if y == t {
			in.g.Outputs[i] = out
		}
	}
	in.of[t], in.of[out] = op.Quantizer, op.Quantizer
}
