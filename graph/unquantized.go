package graph

import "slices"

// Unquantized returns a copy of g without the FakeQuant nodes that drop names;
// nil drops all of them. What it computes is what quantization changes.
func (g *Graph) Unquantized(drop func(n *Node) bool) *Graph {
	c := g.Clone()
	var gone []*Node
	for i, n := range c.Nodes {
		if _, ok := n.Op.(FakeQuant); ok && (drop == nil || drop(g.Nodes[i])) {
			c.Replace(n.Output, n.Inputs[0])
			gone = append(gone, n)
		}
	}
	c.Remove(gone...)
	if drop == nil {
		c.Recipe = nil
	}
	return c
}

// Behind returns the name of the tensor of the float network whose values t holds,
// in a graph that was quantized or exported from it: the tensor in front of a
// FakeQuant node, or the outer tensor next to a border operator, which keeps the
// name.
func (g *Graph) Behind(t *Tensor) string {
	p := g.Producer(t)
	if p != nil {
		if _, ok := p.Op.(FakeQuant); ok || p.Op.Class() == Border && slices.Contains(g.Inputs, p.Inputs[0]) {
			return p.Inputs[0].Name
		}
	}
	for _, c := range g.Consumers(t) {
		if c.Op.Class() == Border && g.IsOutput(c.Output) {
			return c.Output.Name
		}
	}
	return t.Name
}
