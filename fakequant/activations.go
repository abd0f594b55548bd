package fakequant

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// activations places the quantizers of an integer recipe along the graph.
func (in *inserter) activations() error {
	inside := in.groupInterior()
	for _, x := range slices.Clone(in.g.Inputs) {
		in.observe(x)
	}
	for _, n := range slices.Clone(in.g.Nodes) {
		if inside[n.Output] {
			continue // its group's last node carries the quantizer
		}
		switch n.Op.(type) {
		case graph.FakeQuant, graph.FoldWeights, graph.FoldBias:
			continue
		case graph.Dropout:
			in.of[n.Output] = in.of[n.Inputs[0]]
			continue
		case graph.Relu6:
			if !in.ends(n) {
				if err := in.share(n); err != nil {
					return err
				}
				continue
			}
		}
		switch class := n.Op.Class(); class {
		case graph.Anchor, graph.Requantize, graph.TrainingOnly: // the last node of a group, or alone
			in.observe(n.Output)
		case graph.SameScale:
			if err := in.share(n); err != nil {
				return err
			}
		case graph.FixedOutput:
			if err := in.fix(n); err != nil {
				return err
			}
		default:
			return fmt.Errorf("fakequant: node %q: %s cannot be quantized", n.Name, n.Op.Name())
		}
	}
	return nil
}

// groupInterior returns the tensors that exist only inside a fusion group: the
// outputs of its nodes before the last, and of Dropout nodes between them.
func (in *inserter) groupInterior() map[*graph.Tensor]bool {
	inside := map[*graph.Tensor]bool{}
	for _, gr := range in.g.Fusions() {
		for t := gr.Output(); t != gr.Anchor.Output; {
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

// observe puts a moving-average quantizer behind t.
func (in *inserter) observe(t *graph.Tensor) {
	in.attach(t, graph.FakeQuant{Quantizer: graph.NewObserved(t.Name, in.recipe.Activations, in.recipe.Decay), Observe: true})
}

// fix gives the output of n the parameters that its operator prescribes.
func (in *inserter) fix(n *graph.Node) error {
	bits := in.recipe.Activations.Bits
	p, err := n.Op.(graph.FixedParams).FixedParams(bits)
	if err != nil {
		return fmt.Errorf("fakequant: node %q: %w", n.Name, err)
	}
	q := &graph.Quantizer{Name: n.Output.Name, Bits: bits, Axis: -1, Source: graph.Fixed, FixedParams: &p}
	in.attach(n.Output, graph.FakeQuant{Quantizer: q})
	return nil
}

// share gives the output of a same-scale node the quantizer of its input; a node
// that averages rounds its result on it, and a RELU6 its bound: TensorFlow Lite
// Micro's kernel clamps codes without rescaling them.
func (in *inserter) share(n *graph.Node) error {
	q := in.of[n.Inputs[0]]
	if q == nil {
		return fmt.Errorf("fakequant: node %q: input %q has no quantizer to share", n.Name, n.Inputs[0].Name)
	}
	if a, ok := n.Op.(graph.Averaging); ok && a.Averages() {
		in.attach(n.Output, graph.FakeQuant{Quantizer: q, Mean: true})
		return nil
	}
	if _, ok := n.Op.(graph.Relu6); ok {
		in.attach(n.Output, graph.FakeQuant{Quantizer: q})
		return nil
	}
	in.of[n.Output] = q
	return nil
}

// attach puts a FakeQuant node behind t for all its readers, graph outputs
// included.
func (in *inserter) attach(t *graph.Tensor, op graph.FakeQuant) {
	at := 0
	if p := in.g.Producer(t); p != nil {
		at = in.position(p) + 1
	}
	out := in.fake(t, op, at, in.g.Consumers(t))
	for i, y := range in.g.Outputs {
		if y == t {
			in.g.Outputs[i] = out
		}
	}
	in.of[t], in.of[out] = op.Quantizer, op.Quantizer
}
