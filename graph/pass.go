package graph

import (
	"fmt"
	"slices"
)

// Pass is one step of a rewriting. Run changes the graph it is given, which is
// a private copy.
type Pass struct {
	Name string
	Run  func(*Graph) error
}

// Passes are run in order; the list is the compiler, read top to bottom.
type Passes []Pass

// Run returns a rewritten copy of g. The copy shares g's constants and has
// variables of its own; g is not changed.
//
// Errors: that of the first pass that fails, with its name; a pass that leaves
// a faulty graph.
func (ps Passes) Run(g *Graph) (*Graph, error) {
	c := g.Clone()
	for _, p := range ps {
		if err := p.Run(c); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("after %s: %w", p.Name, err)
		}
	}
	return c, nil
}

// Clone returns a deep copy that shares only constants and the other networks of a
// file.
func (g *Graph) Clone() *Graph {
	tensors := map[*Tensor]*Tensor{nil: nil}
	quantizers := map[*Quantizer]*Quantizer{}
	tensor := func(t *Tensor) *Tensor {
		c, ok := tensors[t]
		if !ok {
			c = t
			if t.Role != Constant {
				copied := *t
				c = &copied
				c.Shape, c.Data = slices.Clone(t.Shape), cloneData(t.Data)
			}
			tensors[t] = c
		}
		return c
	}
	list := func(ts []*Tensor) []*Tensor {
		out := make([]*Tensor, len(ts))
		for i, t := range ts {
			out[i] = tensor(t)
		}
		return out
	}
	c := &Graph{Name: g.Name, Inputs: list(g.Inputs), Subgraphs: g.Subgraphs, Signature: g.Signature}
	if g.Recipe != nil {
		r := *g.Recipe
		c.Recipe = &r
	}
	for _, n := range g.Nodes {
		m := &Node{Name: n.Name, Op: n.Op, Inputs: list(n.Inputs), Output: tensor(n.Output)}
		if f, ok := n.Op.(FakeQuant); ok && f.Quantizer != nil {
			q, ok := quantizers[f.Quantizer]
			if !ok {
				copied := *f.Quantizer
				q = &copied
				q.Range, q.MinScale = tensor(q.Range), slices.Clone(q.MinScale)
				quantizers[f.Quantizer] = q
			}
			f.Quantizer = q
			m.Op = f
		}
		c.Nodes = append(c.Nodes, m)
	}
	c.Outputs = list(g.Outputs)
	return c
}
