package graph

import (
	"slices"

	"github.com/goqat/goqat/quant"
)

// Group is a run of nodes that becomes one exported operator: an anchor, an
// optional BatchNorm and an optional fusable activation. Dropout nodes between
// them do not matter.
type Group struct {
	Anchor *Node
	// BatchNorm and Activation are nil where the group has none.
	BatchNorm, Activation *Node
}

// Output is what the group computes: the output of its last node.
func (gr Group) Output() *Tensor {
	switch {
	case gr.Activation != nil:
		return gr.Activation.Output
	case gr.BatchNorm != nil:
		return gr.BatchNorm.Output
	}
	return gr.Anchor.Output
}

// Fused returns the activation of the exported operator.
func (gr Group) Fused() quant.Activation {
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
		gr := Group{Anchor: n}
		if next := g.nextNode(n.Output); next != nil && anchor.Activation() == quant.NoActivation {
			if _, ok := next.Op.(BatchNorm); ok {
				gr.BatchNorm = next
				next = g.nextNode(next.Output)
			}
			if next != nil {
				if _, ok := next.Op.(Fusable); ok {
					gr.Activation = next
				}
			}
		}
		groups = append(groups, gr)
	}
	return groups
}

// nextNode returns the node that alone reads t, looking through Dropout nodes;
// nil if there are several.
func (g *Graph) nextNode(t *Tensor) *Node {
	for {
		next := g.onlyConsumer(t)
		if next == nil {
			return nil
		}
		if _, ok := next.Op.(Dropout); !ok {
			return next
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
