package graph

import (
	"slices"

	"github.com/goqat/goqat/quant"
)

// Group is a run of nodes that becomes one exported operator: a head, which is
// an anchor or other operator that can fuse an activation, behind an anchor an
// optional BatchNorm, and an optional fusable activation. Dropout nodes between
// them do not matter.
type Group struct {
	Head *Node
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
	return gr.Head.Output
}

// Fused returns the activation of the exported operator.
func (gr Group) Fused() quant.Activation {
	if gr.Activation != nil {
		return gr.Activation.Op.(Fusable).Fused()
	}
	return gr.Head.Op.(Fusing).Activation()
}

// Groups returns the fusion groups of the anchors in execution order: those with
// weights.
func (g *Graph) Groups() []Group {
	return slices.DeleteFunc(g.Fusions(), func(gr Group) bool {
		_, anchor := gr.Head.Op.(Anchored)
		return !anchor
	})
}

// Fusions returns all fusion groups in execution order, one for each operator
// that can fuse an activation.
//
// A BatchNorm belongs to an anchor when nothing else reads the anchor's output
// and the anchor has no activation of its own; an activation, to whatever heads a
// group when nothing else reads what is before it. FakeQuant nodes end a group.
func (g *Graph) Fusions() []Group {
	var groups []Group
	for _, n := range g.Nodes {
		head, ok := n.Op.(Fusing)
		if !ok {
			continue
		}
		gr := Group{Head: n}
		if next := g.nextNode(n.Output); next != nil && head.Activation() == quant.NoActivation {
			_, anchor := head.(Anchored)
			if _, ok := next.Op.(BatchNorm); ok && anchor {
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
