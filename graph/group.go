package graph

import "slices"

// Group is a run of nodes that becomes one exported operator: an anchor, an
// optional BatchNorm and an optional fusable activation. Dropout nodes between
// them do not matter.
type Group struct {
	Anchor *Node
	// BatchNorm and Activation are nil where the group has none.
	BatchNorm, Activation *Node
	// Output is what the group computes: the output of its last node, after any
	// Dropout that follows it.
	Output *Tensor
}

// Fused returns the activation of the exported operator.
func (gr Group) Fused() ActivationKind {
	if gr.Activation != nil {
		return gr.Activation.Op.(Fusable).Fused()
	}
	return gr.Anchor.Op.(Anchored).Activation()
}

// Groups returns the fusion groups in execution order, one for each anchor.
//
// A BatchNorm belongs to an anchor when nothing else reads the anchor's output
// and the anchor has no activation of its own; an activation, when nothing else
// reads what is before it. FakeQuant nodes end a group.
func (g *Graph) Groups() []Group {
	var groups []Group
	for _, n := range g.Nodes {
		anchor, ok := n.Op.(Anchored)
		if !ok {
			continue
		}
		gr := Group{Anchor: n, Output: g.throughDropout(n.Output)}
		if next := g.onlyConsumer(gr.Output); next != nil && anchor.Activation() == NoActivation {
			if _, ok := next.Op.(BatchNorm); ok {
				gr.BatchNorm, gr.Output = next, g.throughDropout(next.Output)
				next = g.onlyConsumer(gr.Output)
			}
			if next != nil {
				if _, ok := next.Op.(Fusable); ok {
					gr.Activation, gr.Output = next, g.throughDropout(next.Output)
				}
			}
		}
		groups = append(groups, gr)
	}
	return groups
}

// throughDropout follows t through the Dropout nodes that are its only readers.
func (g *Graph) throughDropout(t *Tensor) *Tensor {
	for {
		next := g.onlyConsumer(t)
		if next == nil {
			return t
		}
		if _, ok := next.Op.(Dropout); !ok {
			return t
		}
		t = next.Output
	}
}

// onlyConsumer returns the node that alone reads t; nil if there are several,
// or t is an output of the graph.
func (g *Graph) onlyConsumer(t *Tensor) *Node {
	readers := g.Consumers(t)
	if len(readers) != 1 || slices.Contains(g.Outputs, t) {
		return nil
	}
	return readers[0]
}
