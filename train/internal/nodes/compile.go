package nodes

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// compiler builds one step.
type compiler struct {
	net    *graph.Graph
	config Config
	salt   int
	step   *Step

	shapes map[*graph.Tensor][]int
	// trained tensors have a gradient: parameters and what is computed from them.
	trained map[*graph.Tensor]bool
	// forks are the trained tensors that the loss reaches by several ways.
	forks map[*graph.Tensor]*fork
	// live tensors are those that the loss depends on.
	live map[*graph.Tensor]bool
	// tails are what nodes do beside their own work, absorbed the nodes whose work
	// that is.
	tails    map[*graph.Node]*tail
	absorbed map[*graph.Node]bool
	// norms are the BatchNorms that share their work with convolutions; those that
	// a convolution has in front and behind it.
	norms, before, behind map[*graph.Node]*norm

	expr   *gorgonia.ExprGraph
	nodes  map[*graph.Tensor]*gorgonia.Node
	values map[*graph.Tensor]*value
	turns  map[*value]*turn
	named  int // nodes so far

	// ws serves all kernels of the step: operators run one after the other.
	ws f32.Workspace
}

func newCompiler(g *graph.Graph, config Config, salt int) *compiler {
	return &compiler{
		net: g, config: config, salt: salt, step: &Step{},
		trained: map[*graph.Tensor]bool{}, forks: map[*graph.Tensor]*fork{}, live: map[*graph.Tensor]bool{},
		tails: map[*graph.Node]*tail{}, absorbed: map[*graph.Node]bool{},
		norms: map[*graph.Node]*norm{}, before: map[*graph.Node]*norm{}, behind: map[*graph.Node]*norm{},
		expr:  gorgonia.NewGraph(),
		nodes: map[*graph.Tensor]*gorgonia.Node{}, values: map[*graph.Tensor]*value{}, turns: map[*value]*turn{},
	}
}

func (c *compiler) compile() (*Step, error) {
	if err := c.checkBorders(); err != nil {
		return nil, err
	}
	var err error
	if c.shapes, err = c.net.Shapes(c.config.Batch); err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	var source lossSource
	if c.config.Loss != nil {
		if source, err = c.lossSource(); err != nil {
			return nil, err
		}
	}
	if c.config.Training {
		c.analyze(source.tensor)
	}
	c.plan(source.tensor)
	for _, n := range c.net.Nodes {
		if c.absorbed[n] {
			continue
		}
		if err := c.add(n); err != nil {
			return nil, err
		}
	}
	c.step.input = c.turns[c.values[c.net.Inputs[0]]]
	c.step.output = c.values[c.net.Outputs[0]]
	if c.config.Loss != nil {
		if err := c.addLoss(source); err != nil {
			return nil, err
		}
		c.addPenalties()
	}
	if !distinct(c.expr) {
		return nil, errCollision
	}
	if c.config.Executor == Tape {
		c.step.machine = gorgonia.NewTapeMachine(c.expr)
	} else if c.step.machine, err = newMachine(c.expr); err != nil {
		return nil, err
	}
	return c.step, nil
}

// checkBorders checks what this package demands of a graph beyond
// [graph.Graph.Check].
func (c *compiler) checkBorders() error {
	if len(c.net.Inputs) != 1 || len(c.net.Outputs) != 1 {
		return fmt.Errorf("nodes: network %q has %d inputs and %d outputs, want one of each", c.net.Name, len(c.net.Inputs), len(c.net.Outputs))
	}
	var faults []error
	for _, t := range c.net.Tensors() {
		if t.Type != graph.Float32 {
			faults = append(faults, fmt.Errorf("nodes: tensor %q is %v: only float32 networks can be trained", t.Name, t.Type))
		}
	}
	return errors.Join(faults...)
}

// analyze finds the tensors that have a gradient, those the loss depends on, and
// those it depends on in several ways; from is what the loss reads.
func (c *compiler) analyze(from *graph.Tensor) {
	for _, n := range c.net.Nodes {
		for _, t := range n.Inputs {
			if t != nil && (t.Role == graph.Parameter || c.trained[t]) {
				c.trained[t], c.trained[n.Output] = true, true
			}
		}
	}
	uses := map[*graph.Tensor]int{}
	use := func(t *graph.Tensor) {
		c.live[t] = true
		if c.trained[t] {
			if uses[t]++; uses[t] > 1 {
				c.forks[t] = &fork{compiler: c, grads: make([]*gorgonia.Node, uses[t]), pending: uses[t]}
			}
		}
	}
	use(from)
	for i := len(c.net.Nodes) - 1; i >= 0; i-- {
		n := c.net.Nodes[i]
		if !c.live[n.Output] {
			continue
		}
		for _, t := range n.Inputs {
			if t != nil {
				use(t)
			}
		}
	}
}

// add compiles one node of the network.
func (c *compiler) add(n *graph.Node) error {
	build, ok := builders[n.Op.Name()]
	if !ok {
		return fmt.Errorf("nodes: node %q: operator %s cannot be trained", n.Name, n.Op.Name())
	}
	var inputs []*graph.Tensor
	for _, t := range n.Inputs {
		if t != nil {
			inputs = append(inputs, t)
			if err := c.load(t); err != nil {
				return err
			}
		}
	}
	label := fmt.Sprintf("node %q (%s)", n.Name, n.Op.Name())
	o, err := build(c, n)
	if err != nil {
		return fmt.Errorf("nodes: %s: %w", label, err)
	}
	if o == nil { // the identity
		c.nodes[n.Output], c.values[n.Output] = c.nodes[inputs[0]], c.values[inputs[0]]
		return nil
	}
	o.label = label
	o.differentiable = make([]bool, len(inputs))
	arguments := make(gorgonia.Nodes, len(inputs))
	for i, t := range inputs {
		if arguments[i], err = c.read(t, c.live[n.Output]); err != nil {
			return err
		}
		o.differentiable[i] = c.trained[t]
	}
	output := n.Output
	if t := c.tails[n]; t != nil {
		output = t.output
	}
	c.values[output] = o.out
	c.nodes[output], err = c.apply(o, arguments...)
	return err
}

// load makes an input node of a tensor that holds data, over that very data, or
// of a graph input.
func (c *compiler) load(t *graph.Tensor) (err error) {
	switch {
	case c.nodes[t] != nil:
	case t.Data != nil:
		c.values[t] = view(t.Float32s(), t.Shape)
		c.nodes[t] = c.variable(t.Name, c.values[t])
	default:
		c.values[t], c.nodes[t], err = c.feed(t.Name, c.shapes[t])
	}
	return err
}

// variable adds an input node that is bound to v.
func (c *compiler) variable(name string, v *value) *gorgonia.Node {
	return gorgonia.NewTensor(c.expr, gorgonia.Float32, len(v.shape),
		gorgonia.WithShape(v.shape...), gorgonia.WithName(c.unique(name)), gorgonia.WithValue(v.boxed))
}

// unique returns a name for a node: Gorgonia merges inputs of one name and
// operators of one hash. What differs comes first, since two names with one hash
// have one hash still when the same text follows.
func (c *compiler) unique(name string) string {
	c.named++
	return fmt.Sprintf("%d.%d %s", c.salt, c.named, name)
}

// read returns the node by which a reader gets t.
func (c *compiler) read(t *graph.Tensor, live bool) (*gorgonia.Node, error) {
	if f := c.forks[t]; f != nil && live {
		return f.tee(c.nodes[t], c.values[t])
	}
	return c.nodes[t], nil
}

// elements returns the number of elements of t at the step's batch size.
func (c *compiler) elements(t *graph.Tensor) int { return graph.Elements(c.shapes[t]) }

// rows returns t's elements as [rows, last axis].
func (c *compiler) rows(t *graph.Tensor) (rows, last int) {
	s := c.shapes[t]
	last = s[len(s)-1]
	return c.elements(t) / last, last
}

// gradient returns a buffer for the gradient of t, nil if t has none.
func (c *compiler) gradient(t *graph.Tensor) *value {
	if t == nil || !c.trained[t] {
		return nil
	}
	return newValue(c.shapes[t])
}

// frozen refuses nodes that read a trained tensor where there is no gradient.
func (c *compiler) frozen(n *graph.Node, inputs ...int) error {
	for _, i := range inputs {
		if t := n.Inputs[i]; c.trained[t] {
			return fmt.Errorf("input %d (%q) is a statistic and cannot be trained", i, t.Name)
		}
	}
	return nil
}

// distinct reports whether all nodes of the graph have different hashes: the
// tape machine knows them by nothing else.
func distinct(g *gorgonia.ExprGraph) bool {
	seen := map[uint32]bool{}
	for _, n := range g.AllNodes() {
		if seen[n.Hashcode()] {
			return false
		}
		seen[n.Hashcode()] = true
	}
	return true
}
