package interp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// A program is what an interpreter and its clones share: kernels with their packed
// weights, and the place of every tensor. Nothing changes once it is made.
type program struct {
	graph   *graph.Graph
	options Options
	tensors []*graph.Tensor       // in graph order, which numbers them
	number  map[*graph.Tensor]int // and -1 for nil
	steps   []step
	pads    map[*graph.Node]*graph.Node // see fusedPads

	lanes     int      // that divide the rows of a batch
	rows      int      // of a lane, at most
	coded     bool     // some tensor has codes: inputs must be finite
	separable bool     // see rowwise
	grows     []bool   // by tensor: depends on the graph's inputs
	units     [][]int  // by tensor: its shape for one row
	spans     []*span  // by tensor; nil for data
	arena     int      // bytes of a lane
	fixed     []*value // by tensor: constants, and what is computed from these alone
	changing  []int    // variables, read in every run
	encode    encoder  // of the first input, or nil
	uncoded   error    // why there is none
	ws        workspaces
}

// A step is a node ready to run.
type step struct {
	node *graph.Node
	run  kernel
	in   []int // -1 for omitted inputs
	out  int
	once bool // computed from constants alone: New has run it
	idle bool // nothing to do: a copy in the same place, or part of the next step
}

// newProgram places the tensors of g; kernels are still missing.
func newProgram(g *graph.Graph, o Options) (*program, error) {
	o, err := o.completed()
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	if err := checkKept(g); err != nil {
		return nil, err
	}
	p := &program{graph: g, options: o, tensors: g.Tensors(), number: map[*graph.Tensor]int{nil: -1}, coded: hasCodes(g)}
	for i, t := range p.tensors {
		p.number[t] = i
		if t.Variable() {
			p.changing = append(p.changing, i)
		}
	}
	p.grows = make([]bool, len(p.tensors))
	for _, x := range g.Inputs {
		p.grows[p.number[x]] = true
	}
	p.findSteps()
	if err := p.measure(); err != nil {
		return nil, err
	}
	return p, p.allot()
}

// checkKept reports tensors that nothing computes with, and the node, of another
// program's making, that reads or makes them.
func checkKept(g *graph.Graph) error {
	for _, n := range g.Nodes {
		for _, t := range append(slices.Clone(n.Inputs), n.Output) {
			if t != nil && t.Kept != nil {
				return fmt.Errorf("interp: node %q (%s): tensor %q: %s", n.Name, n.Op.Name(), t.Name, t.Kept.Refusal())
			}
		}
	}
	for _, x := range g.Inputs {
		if x.Kept != nil {
			return fmt.Errorf("interp: input %q: %s", x.Name, x.Kept.Refusal())
		}
	}
	return nil
}

// hasCodes reports whether g quantizes anything.
func hasCodes(g *graph.Graph) bool {
	for _, t := range g.Tensors() {
		if t.Quant != nil {
			return true
		}
	}
	return len(g.Quantizers()) > 0
}

// findSteps makes a step of every node.
func (p *program) findSteps() {
	p.pads = p.fusedPads()
	fused := map[*graph.Node]bool{}
	for _, pad := range p.pads {
		fused[pad] = true
	}
	constant := map[*graph.Tensor]bool{nil: true}
	for _, n := range p.graph.Nodes {
		s := step{node: n, in: make([]int, len(n.Inputs)), out: p.number[n.Output], once: true, idle: fused[n]}
		for i, t := range n.Inputs {
			s.in[i] = p.number[t]
			if pad := p.pads[n]; pad != nil && t == pad.Output {
				s.in[i] = p.number[pad.Inputs[graph.InputX]]
			}
			s.once = s.once && (constant[t] || t.Role == graph.Constant)
			p.grows[s.out] = p.grows[s.out] || t != nil && p.grows[p.number[t]]
		}
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Range != nil {
			s.once = false
		}
		constant[n.Output] = s.once
		p.steps = append(p.steps, s)
	}
}

// fusedPads returns the PAD nodes that integer convolutions compute on their way,
// by convolution: those around images that nothing else reads. Where every tensor
// is of interest there are none.
func (p *program) fusedPads() map[*graph.Node]*graph.Node {
	pads := map[*graph.Node]*graph.Node{}
	if p.options.KeepAll || p.options.Tap != nil {
		return pads
	}
	for _, n := range p.graph.Nodes {
		op, ok := n.Op.(graph.Pad)
		if !ok || len(op.Paddings) != 4 || op.Paddings[3] != [2]int{} || p.graph.IsOutput(n.Output) {
			continue
		}
		consumers := p.graph.Consumers(n.Output)
		if len(consumers) == 1 && n.Output.Type == graph.Int8 && fusesPad(consumers[0], n.Output) {
			pads[consumers[0]] = n
		}
	}
	return pads
}

// measure finds how shapes depend on the number of rows, and with it how many
// lanes there are.
func (p *program) measure() error {
	one, err := p.graph.Shapes(1)
	if err != nil {
		return fmt.Errorf("interp: %w", err)
	}
	p.units = make([][]int, len(p.tensors))
	for i, t := range p.tensors {
		p.units[i] = one[t]
	}
	p.lanes, p.separable = 1, p.rowwise()
	if p.separable && !p.options.KeepAll && p.options.Tap == nil {
		p.lanes = min(p.options.Threads, p.options.Batch)
	}
	p.rows = (p.options.Batch + p.lanes - 1) / p.lanes
	return nil
}

// rowwise reports whether each tensor that depends on the inputs holds as many
// elements for every row, one row after the other.
func (p *program) rowwise() bool {
	two, err := p.graph.Shapes(2)
	if err != nil {
		return false
	}
	for i, t := range p.tensors {
		if !p.grows[i] {
			continue
		}
		one, two := p.units[i], two[t]
		if len(one) < 2 || len(two) != len(one) || two[0] != 2*one[0] || !slices.Equal(one[1:], two[1:]) {
			return false
		}
	}
	return !slices.ContainsFunc(p.graph.Nodes, func(n *graph.Node) bool { return p.grows[p.number[n.Output]] && mixes(n.Op) })
}

// mixes reports whether the rows of an operator's output depend on each other, or
// stand in another order.
func mixes(op graph.Op) bool {
	switch op := op.(type) {
	case graph.Concat:
		return op.Axis == 0
	case graph.FakeQuant: // by a range of all values
		return op.Quantizer.Source == graph.LastValue || op.Quantizer.Source == graph.Dynamic && op.Quantizer.Axis < 0
	}
	return false
}

// shapes returns the shape of every tensor for a number of rows.
func (p *program) shapes(rows int) ([][]int, error) {
	found, err := p.graph.Shapes(rows)
	if err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	list := make([][]int, len(p.tensors))
	for i, t := range p.tensors {
		list[i] = found[t]
	}
	return list, nil
}

// prepare prepares the kernels, and collects the faults of all; then it computes
// what needs no input.
func (p *program) prepare() error {
	var faults []error
	for i := range p.steps {
		s := &p.steps[i]
		var err error
		if s.run, err = prepare(p.graph, s.node, p.pads[s.node], p.options, &p.ws); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	p.fixed = make([]*value, len(p.tensors))
	for i, t := range p.tensors {
		if t.Role == graph.Constant {
			p.fixed[i] = newValue(t, t.Shape, t.Data)
		}
	}
	for i := range p.steps {
		if s := &p.steps[i]; s.once {
			in := make([]*value, len(s.in))
			for k, x := range s.in {
				if x >= 0 {
					in[k] = p.fixed[x]
				}
			}
			out := p.tensors[s.out]
			p.fixed[s.out] = newValue(out, p.units[s.out], newData(out.Type, graph.Elements(p.units[s.out])))
			if err := guarded(s.node, func() error { return s.run(in, p.fixed[s.out]) }); err != nil {
				return err
			}
		}
	}
	p.encode, p.uncoded = newEncoder(p.graph.Inputs[0])
	return nil
}
