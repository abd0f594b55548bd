package interp

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// Interpreter runs one graph. It reads the graph's variables (weights,
// statistics, ranges) anew in every run; operators, shapes and constants must
// not change while it is in use.
type Interpreter struct {
	graph    *graph.Graph
	options  Options
	steps    []step
	tensors  []*value // in graph order
	values   map[*graph.Tensor]*value
	changing []*value // variables, read in every run
	spans    map[*graph.Tensor]*span
	arenas   [graph.Int64 + 1]any
	batch    int  // that the values are bound to
	coded    bool // some tensor has codes: inputs must be finite
}

// A step is a node ready to run.
type step struct {
	node *graph.Node
	run  kernel
	in   []*value
	out  *value
	once bool // computed from constants alone: New has run it
	idle bool // nothing to do: a copy in the same place, or part of the next step
}

// New prepares g.
//
// Errors: faults of the graph ([graph.Graph.Check]); every node whose operator,
// types or quantization parameters no kernel of the profile takes, by name.
func New(g *graph.Graph, o Options) (*Interpreter, error) {
	o, err := o.completed()
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	ip := &Interpreter{graph: g, options: o, values: map[*graph.Tensor]*value{}, coded: hasCodes(g)}
	for _, t := range g.Tensors() {
		v := &value{tensor: t}
		ip.tensors, ip.values[t] = append(ip.tensors, v), v
	}
	if err := ip.prepareSteps(); err != nil {
		return nil, err
	}
	if err := ip.allocate(); err != nil {
		return nil, err
	}
	ip.load()
	for _, s := range ip.steps {
		if s.once {
			if err := s.compute(); err != nil {
				return nil, err
			}
		}
	}
	return ip, nil
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

// prepareSteps prepares every node, and collects the faults of all.
func (ip *Interpreter) prepareSteps() error {
	ws := &f32.Workspace{}
	constant := map[*graph.Tensor]bool{nil: true}
	var faults []error
	pads := ip.fusedPads()
	for _, n := range ip.graph.Nodes {
		k, err := prepare(ip.graph, n, pads[n], ip.options, ws)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		s := step{node: n, run: k, in: make([]*value, len(n.Inputs)), out: ip.values[n.Output], once: true}
		for i, t := range n.Inputs {
			s.in[i] = ip.values[t]
			if p := pads[n]; p != nil && t == p.Output {
				s.in[i] = ip.values[p.Inputs[graph.InputX]]
			}
			s.once = s.once && (constant[t] || t.Role == graph.Constant)
		}
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Range != nil {
			s.once = false
		}
		constant[n.Output] = s.once
		ip.steps = append(ip.steps, s)
	}
	for i := range ip.steps {
		for _, p := range pads {
			ip.steps[i].idle = ip.steps[i].idle || ip.steps[i].node == p
		}
	}
	return errors.Join(faults...)
}

// fusedPads returns the PAD nodes that integer convolutions compute on their way,
// by convolution: those around images that nothing else reads. Where every tensor
// is of interest there are none.
func (ip *Interpreter) fusedPads() map[*graph.Node]*graph.Node {
	pads := map[*graph.Node]*graph.Node{}
	if ip.options.KeepAll || ip.options.Tap != nil {
		return pads
	}
	for _, n := range ip.graph.Nodes {
		op, ok := n.Op.(graph.Pad)
		if !ok || len(op.Paddings) != 4 || op.Paddings[3] != [2]int{} || ip.graph.IsOutput(n.Output) {
			continue
		}
		consumers := ip.graph.Consumers(n.Output)
		if len(consumers) == 1 && n.Output.Type == graph.Int8 && fusesPad(consumers[0], n.Output) {
			pads[consumers[0]] = n
		}
	}
	return pads
}

// allocate reserves memory for the largest batch and binds the values to it.
func (ip *Interpreter) allocate() error {
	shapes, err := ip.graph.Shapes(ip.options.Batch)
	if err != nil {
		return fmt.Errorf("interp: %w", err)
	}
	once := map[*graph.Tensor]bool{}
	for _, s := range ip.steps {
		once[s.node.Output] = s.once
	}
	keep := func(t *graph.Tensor) bool { return ip.options.KeepAll || once[t] }
	uses := make([]use, len(ip.steps))
	for i, s := range ip.steps {
		u := use{writes: s.node.Output, copies: !ip.options.KeepAll && !s.once && copying(s.node.Op)}
		for _, v := range s.in {
			if v != nil {
				u.reads = append(u.reads, v.tensor)
			}
		}
		if s.idle {
			u = use{}
		}
		uses[i] = u
	}
	spans, sizes := plan(ip.graph, shapes, keep, uses)
	for i, u := range uses {
		ip.steps[i].idle = u.writes == nil || u.copies && spans[u.writes] == spans[u.reads[0]]
	}
	ip.spans = spans
	for t, n := range sizes {
		ip.arenas[t] = newData(graph.Type(t), n)
	}
	return ip.bind(ip.options.Batch)
}

// bind gives every value its shape and elements for a number of rows.
func (ip *Interpreter) bind(rows int) error {
	if rows == ip.batch {
		return nil
	}
	shapes, err := ip.graph.Shapes(rows)
	if err != nil {
		return fmt.Errorf("interp: %w", err)
	}
	for _, v := range ip.tensors {
		v.shape = shapes[v.tensor]
		if s := ip.spans[v.tensor]; s != nil {
			v.data = section(ip.arenas[s.typ], s.offset, s.offset+graph.Elements(v.shape))
		}
	}
	ip.batch = rows
	return nil
}

// load reads the graph's constants and variables, and notes which these are.
func (ip *Interpreter) load() {
	for _, v := range ip.tensors {
		if v.tensor.Role != graph.Activation {
			v.data = v.tensor.Data
		}
		if r := v.tensor.Role; r == graph.Parameter || r == graph.Statistic {
			ip.changing = append(ip.changing, v)
		}
	}
}

// Run computes the outputs for inputs in the order of the graph's inputs: the
// slice of each input's type, with the same number of rows, at most
// Options.Batch.
//
// Errors: inputs of another type or length, by tensor; NaN or infinite values
// that no code stands for, by tensor and row; those of kernels, by node. After
// an error the outputs are meaningless.
func (ip *Interpreter) Run(inputs ...any) error {
	rows, err := ip.rows(inputs)
	if err != nil {
		return err
	}
	if err := ip.bind(rows); err != nil {
		return err
	}
	for _, v := range ip.changing {
		v.data = v.tensor.Data
	}
	for i, x := range ip.graph.Inputs {
		v := ip.values[x]
		copyData(v.data, inputs[i])
		ip.tap(v)
	}
	if ip.options.Tap == nil {
		return ip.compute(ip.steps)
	}
	for i := range ip.steps {
		if err := ip.compute(ip.steps[i : i+1]); err != nil {
			return err
		}
		ip.tap(ip.steps[i].out)
	}
	return nil
}

// compute runs steps.
func (ip *Interpreter) compute(steps []step) (err error) {
	var node *graph.Node
	defer func() { err = fault(node, recover(), err) }()
	for i := range steps {
		s := &steps[i]
		if s.once || s.idle {
			continue
		}
		node = s.node
		if err := s.run(s.in, s.out); err != nil {
			return err
		}
	}
	return nil
}

// rows checks inputs and returns how many rows they hold.
func (ip *Interpreter) rows(inputs []any) (int, error) {
	if len(inputs) != len(ip.graph.Inputs) {
		return 0, fmt.Errorf("interp: %d inputs, want %d", len(inputs), len(ip.graph.Inputs))
	}
	rows := 0
	for i, x := range ip.graph.Inputs {
		typ, n, ok := typeOf(inputs[i])
		if !ok || typ != x.Type {
			return 0, fmt.Errorf("interp: input %q: data is %T, want %v", x.Name, inputs[i], x.Type)
		}
		if rows == 0 {
			rows = n / x.Elements()
		}
		if n == 0 || n != rows*x.Elements() || rows > ip.options.Batch {
			return 0, fmt.Errorf("interp: input %q: %d elements, want %d for each of 1 to %d rows, as many for all inputs",
				x.Name, n, x.Elements(), ip.options.Batch)
		}
		if f, ok := inputs[i].([]float32); ok && ip.coded {
			if err := checkFinite(x, f); err != nil {
				return 0, fmt.Errorf("interp: input: %w", err)
			}
		}
	}
	return rows, nil
}

// compute runs the kernel.
func (s *step) compute() error {
	return guarded(s.node, func() error { return s.run(s.in, s.out) })
}

// tap shows a value to the caller's function.
func (ip *Interpreter) tap(v *value) {
	if ip.options.Tap != nil {
		ip.options.Tap(v.tensor, v.shape, v.data)
	}
}

// Output returns the i-th output of the last run, the slice of its type; nil if
// the graph has fewer outputs. It is overwritten by the next run.
func (ip *Interpreter) Output(i int) any {
	if i < 0 || i >= len(ip.graph.Outputs) {
		return nil
	}
	return ip.values[ip.graph.Outputs[i]].data
}

// Tensor returns the elements of any tensor after a run, to be read before the
// next one. It is nil for a tensor of another graph and, without
// Options.KeepAll, for one whose memory may have been used again.
func (ip *Interpreter) Tensor(t *graph.Tensor) any {
	v := ip.values[t]
	if v == nil {
		return nil
	}
	if s := ip.spans[t]; s != nil && s.last < len(ip.steps) {
		return nil
	}
	return v.data
}

// ArenaBytes returns the memory of all activations at the largest batch.
func (ip *Interpreter) ArenaBytes() int {
	total := 0
	for _, a := range ip.arenas {
		t, n, _ := typeOf(a)
		total += n * t.Size()
	}
	return total
}
