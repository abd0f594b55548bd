package fakequant

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// scale is a set of activations that must have equal codes. Sets form a
// union-find structure: whoever shares one is found by its root.
type scale struct {
	parent *scale // nil for a root
	order  int    // of creation, along the graph
	// tensor is the first member.
	tensor string
	// fixed are the parameters that an operator prescribes; nil for a scale that
	// is observed. Both kinds never join.
	fixed *quant.Params
	// quantizer is made when the first FakeQuant node needs it.
	quantizer *graph.Quantizer
}

// root returns the set's representative.
func (s *scale) root() *scale {
	for s.parent != nil {
		s = s.parent
	}
	return s
}

// join makes one set of two; the earlier one stays the root.
func (s *scale) join(o *scale) {
	a, b := s.root(), o.root()
	switch {
	case a == b:
	case a.order < b.order:
		b.parent = a
	default:
		a.parent = b
	}
}

// own starts a set for the activation t.
func (in *inserter) own(t *graph.Tensor, fixed *quant.Params) {
	in.scales[t] = &scale{order: len(in.scales), tensor: t.Name, fixed: fixed}
}

// share decides which set the output of a node of class SameScale, or the like,
// belongs to: that of its inputs, all of which are joined. Inputs with parameters
// of their own, such as the output of a softmax, stay out, unless all have the
// same; see [inserter.requantize] for what becomes of them.
func (in *inserter) share(n *graph.Node) error {
	var observed, fixed *scale
	equal := true
	for _, x := range n.Inputs {
		s := in.scales[x]
		if s == nil {
			return fmt.Errorf("fakequant: node %q: input %q has no quantizer to share", n.Name, x.Name)
		}
		s = s.root()
		switch {
		case s.fixed == nil && observed == nil:
			observed = s
		case s.fixed == nil:
			observed.join(s)
		case fixed == nil:
			fixed = s
		default:
			equal = equal && fixed.fixed.Equal(*s.fixed)
		}
	}
	switch {
	case observed != nil:
		in.scales[n.Output] = observed
	case equal:
		for _, x := range n.Inputs {
			fixed.join(in.scales[x])
		}
		in.scales[n.Output] = fixed
	default:
		in.own(n.Output, nil)
	}
	return nil
}

// quantizer returns the quantizer of the activation t.
func (in *inserter) quantizer(t *graph.Tensor) *graph.Quantizer {
	s := in.scales[t].root()
	switch {
	case s.quantizer != nil:
	case s.fixed != nil:
		s.quantizer = &graph.Quantizer{Name: s.tensor, Bits: in.recipe.Activations.Bits, Axis: -1, Source: graph.Fixed, FixedParams: s.fixed}
	default:
		s.quantizer = graph.NewObserved(s.tensor, in.recipe.Activations, in.recipe.Decay)
	}
	return s.quantizer
}
