package graph

import "slices"

// Uniform returns the factor of an Affine node that multiplies all channels by
// one positive number and shifts none; ok is false for others and where factor or
// shift are trained.
func Uniform(n *Node) (factor float32, ok bool) {
	factors, shift := n.Inputs[InputFactor], n.Inputs[InputShift]
	if factors.Role != Constant || shift.Role != Constant {
		return 0, false
	}
	factor = factors.Float32s()[0]
	other := func(v float32) bool { return v != factor }
	moved := func(v float32) bool { return v != 0 }
	return factor, factor > 0 && !slices.ContainsFunc(factors.Float32s(), other) && !slices.ContainsFunc(shift.Float32s(), moved)
}

// Rescaled reports whether an Affine node needs no operator in a quantized model:
// it is [Uniform], alone reads an input of the graph, and only anchors read it, by
// [Graph.ScaleReaders]. With codes q of scale S and zero point Z behind it,
//
//	x*factor = S*(q-Z),  x = S/factor*(q-Z)
//
// so the same codes at scale S/factor are those of the input, and the anchors'
// weight scales times factor make up for it.
func (g *Graph) Rescaled(n *Node) bool {
	x := n.Inputs[InputX]
	if _, uniform := Uniform(n); !uniform || !slices.Contains(g.Inputs, x) || g.onlyConsumer(x) != n {
		return false
	}
	_, ok := g.ScaleReaders(n.Output)
	return ok
}

// ScaleReaders returns the anchors that t reaches through nothing but operators
// that a positive factor passes: those of class SameScale with one input that is
// computed, FakeQuant and Dropout. ok is false if t reaches anything else or an
// output of the graph.
func (g *Graph) ScaleReaders(t *Tensor) (anchors []*Node, ok bool) {
	if g.IsOutput(t) {
		return nil, false
	}
	for _, n := range g.Consumers(t) {
		_, fake := n.Op.(FakeQuant)
		_, dropout := n.Op.(Dropout)
		switch class := n.Op.Class(); {
		case class == Anchor:
			if slices.Contains(n.Inputs[InputX+1:], t) {
				return nil, false
			}
			anchors = append(anchors, n)
		case fake, dropout, class == SameScale && computed(n) == 1:
			behind, ok := g.ScaleReaders(n.Output)
			if !ok {
				return nil, false
			}
			anchors = append(anchors, behind...)
		default:
			return nil, false
		}
	}
	return anchors, true
}

// computed returns the number of inputs of n that hold no data.
func computed(n *Node) int {
	count := 0
	for _, t := range n.Inputs {
		if t != nil && t.Role == Activation {
			count++
		}
	}
	return count
}
