package graph

import "github.com/goqat/goqat/quant"

// Pin fixes the parameters of a quantizer of weights, which LastValue would
// compute anew: codes were chosen for these parameters, and the weights are now
// code times scale. Training undoes it by [Graph.UnpinWeights].
func (q *Quantizer) Pin(p quant.Params) { q.Source, q.FixedParams = Fixed, &p }

// UnpinWeights makes every quantizer of weights that is Fixed follow their values
// again, and returns their names.
func (g *Graph) UnpinWeights() (names []string) {
	for _, n := range g.Nodes {
		if f, ok := n.Op.(FakeQuant); ok && f.Quantizer.Source == Fixed && n.OnData() {
			f.Quantizer.Source, f.Quantizer.FixedParams = LastValue, nil
			names = append(names, f.Quantizer.Name)
		}
	}
	return names
}

// OnData reports whether the first input of n is stored in the graph rather than
// computed: so it is for the FakeQuant nodes of weights and constants.
func (n *Node) OnData() bool { return n.Inputs[InputX].Role != Activation }
