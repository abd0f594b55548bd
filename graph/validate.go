package graph

import (
	"errors"
	"fmt"
	"slices"
)

// Check reports every fault of the graph's structure: tensors used before they
// are produced or produced twice, names that clash, data that does not fit its
// shape, shapes that do not follow from the operators, and outputs that nothing
// computes. Of the Subgraphs it reports all but shapes.
func (g *Graph) Check() error {
	err := g.checkParts()
	if len(g.Inputs) == 0 || len(g.Outputs) == 0 {
		err = errors.Join(err, errors.New("graph: no inputs or no outputs"))
	}
	if err != nil {
		return err
	}
	for i, s := range g.Subgraphs {
		if err := s.checkParts(); err != nil {
			return fmt.Errorf("subgraph %d: %w", i+1, err)
		}
	}
	for _, y := range g.Outputs {
		if y.Role != Activation {
			return fmt.Errorf("graph: output %q is a %v", y.Name, y.Role)
		}
	}
	return g.checkShapes()
}

// checkParts is Check without what holds of main networks only.
func (g *Graph) checkParts() error {
	if err := g.checkPresent(); err != nil {
		return err
	}
	var faults []error
	fault := func(err error) { faults = append(faults, err) }
	ready := map[*Tensor]bool{}
	for _, x := range g.Inputs {
		if x.Role != Activation || ready[x] {
			fault(fmt.Errorf("graph: input %q is a %v or listed twice", x.Name, x.Role))
		}
		ready[x] = true
	}
	for _, n := range g.Nodes {
		for i, t := range n.Inputs {
			if t != nil && t.Role == Activation && !ready[t] {
				fault(fmt.Errorf("graph: node %q: input %d (%q) is used before it is produced", n.Name, i, t.Name))
			}
		}
		if ready[n.Output] || n.Output.Role != Activation {
			fault(fmt.Errorf("graph: node %q: output %q is produced twice or is not an activation", n.Name, n.Output.Name))
		}
		ready[n.Output] = true
		if err := n.checkVectors(); err != nil {
			fault(err)
		}
		if f, ok := n.Op.(FakeQuant); ok {
			if err := f.Quantizer.check(n.Output.Shape); err != nil {
				fault(fmt.Errorf("graph: node %q: %w", n.Name, err))
			}
		}
	}
	for _, y := range g.Outputs {
		if y.Role == Activation && !ready[y] {
			fault(fmt.Errorf("graph: output %q is not produced", y.Name))
		}
	}
	nodes := map[string]bool{}
	for _, n := range g.Nodes {
		if nodes[n.Name] {
			fault(fmt.Errorf("graph: two nodes are named %q", n.Name))
		}
		nodes[n.Name] = true
	}
	names := map[string]bool{}
	for _, t := range g.allTensors() {
		if names[t.Name] {
			fault(fmt.Errorf("graph: two tensors are named %q", t.Name))
		}
		names[t.Name] = true
		if err := t.check(); err != nil {
			fault(err)
		}
	}
	return errors.Join(faults...)
}

// checkPresent reports missing parts, so that everything else may rely on them.
func (g *Graph) checkPresent() error {
	for i, n := range g.Nodes {
		if n == nil || n.Op == nil || n.Output == nil {
			return fmt.Errorf("graph: node %d has no operator or no output", i)
		}
	}
	if slices.Contains(g.Inputs, nil) || slices.Contains(g.Outputs, nil) {
		return errors.New("graph: an input or output is nil")
	}
	return nil
}

// checkVectors reports inputs of Affine, BatchNorm, FoldWeights and FoldBias that
// are not float32 data: folding and training read them directly.
func (n *Node) checkVectors() error {
	first := 0
	switch n.Op.(type) {
	case Affine, BatchNorm:
		first = 1
	case FoldWeights, FoldBias:
	default:
		return nil
	}
	for i := first; i < len(n.Inputs); i++ {
		if t := n.Inputs[i]; t != nil && t.Float32s() == nil {
			return fmt.Errorf("graph: node %q (%s): input %d (%q) is not float32 data", n.Name, n.Op.Name(), i, t.Name)
		}
	}
	return nil
}

// allTensors returns every tensor once: those of the nodes and the
// ranges of the quantizers.
func (g *Graph) allTensors() []*Tensor {
	list := g.Tensors()
	for _, q := range g.Quantizers() {
		if q.Range != nil {
			list = append(list, q.Range)
		}
	}
	return list
}

// checkShapes compares each stored shape with the one its operator infers.
func (g *Graph) checkShapes() error {
	shapes, err := g.Shapes(1)
	if err != nil {
		return err
	}
	for _, n := range g.Nodes {
		if want := shapes[n.Output]; !slices.Equal(n.Output.Shape, want) {
			return fmt.Errorf("graph: node %q: output has shape %v, but %s gives %v", n.Name, n.Output.Shape, n.Op.Name(), want)
		}
	}
	return nil
}
