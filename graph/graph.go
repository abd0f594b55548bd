package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/quant"
)

// Graph is a network: nodes in execution order.
type Graph struct {
	Name string
	// Nodes are in execution order: a tensor is produced before it is used.
	Nodes   []*Node
	Inputs  []*Tensor
	Outputs []*Tensor
	// Recipe says how the graph was quantized; nil for a float network.
	Recipe *quant.Recipe
	// Subgraphs are the networks beside this one, in a file's order: those that
	// [Foreign] operators run, by an index that counts this network as 0, and those
	// that programs run under a signature. All their operators are foreign: they can
	// be shown and written back. Copies share them.
	Subgraphs []*Graph
	// Signature is the name under which programs run one of the Subgraphs; empty for
	// none, and for the main network, which has that of a file's only one.
	Signature string
}

// Node applies an operator to tensors.
type Node struct {
	// Name is the layer's name; unique in its graph.
	Name string
	Op   Op
	// Inputs has nil entries for omitted optional inputs.
	Inputs []*Tensor
	Output *Tensor
}

// Input returns the i-th input, nil when it is omitted.
func (n *Node) Input(i int) *Tensor {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return nil
}

// AddInput appends a graph input of the given shape, batch first.
func (g *Graph) AddInput(name string, t Type, shape []int) *Tensor {
	x := &Tensor{Name: g.Unique(name), Type: t, Shape: slices.Clone(shape)}
	g.Inputs = append(g.Inputs, x)
	return x
}

// Add appends a node that applies op to inputs and returns its output, a new
// activation named after the node, with the number type of the first present
// input.
//
// Errors: [*ShapeError] and faults of the operator's configuration.
func (g *Graph) Add(name string, op Op, inputs ...*Tensor) (*Tensor, error) {
	n := &Node{Name: g.Unique(name), Op: op, Inputs: inputs}
	shape, err := n.infer(func(t *Tensor) []int { return t.Shape })
	if err != nil {
		return nil, err
	}
	n.Output = &Tensor{Name: n.Name, Shape: shape}
	for _, t := range inputs {
		if t != nil {
			n.Output.Type = t.Type
			break
		}
	}
	g.Nodes = append(g.Nodes, n)
	return n.Output, nil
}

// infer returns the node's output shape, given the shapes of its inputs.
func (n *Node) infer(shapeOf func(*Tensor) []int) ([]int, error) {
	in := make([][]int, len(n.Inputs))
	for i, t := range n.Inputs {
		if t != nil {
			// A scalar's shape is empty, not nil: nil means omitted.
			in[i] = append([]int{}, shapeOf(t)...)
		}
	}
	shape, err := n.Op.Infer(in)
	if err == nil {
		return shape, nil
	}
	if se := (*ShapeError)(nil); errors.As(err, &se) {
		se.Node, se.Op = n.Name, n.Op.Name()
		return nil, se
	}
	return nil, fmt.Errorf("graph: node %q (%s): %w", n.Name, n.Op.Name(), err)
}

// Shapes returns the shape of every tensor when the graph inputs have the given
// batch. The graph is not changed.
func (g *Graph) Shapes(batch int) (map[*Tensor][]int, error) {
	if batch < 1 {
		return nil, fmt.Errorf("graph: batch %d is not positive", batch)
	}
	shapes := map[*Tensor][]int{}
	for _, x := range g.Inputs {
		if len(x.Shape) == 0 || x.Shape[0] != 1 {
			return nil, fmt.Errorf("graph: input %q has shape %v, want a batch axis of 1 first", x.Name, x.Shape)
		}
		shapes[x] = append([]int{batch}, x.Shape[1:]...)
	}
	for _, n := range g.Nodes {
		for _, t := range n.Inputs {
			if t != nil && t.Role != Activation {
				shapes[t] = t.Shape
			}
		}
		shape, err := n.infer(func(t *Tensor) []int { return shapes[t] })
		if err != nil {
			return nil, err
		}
		shapes[n.Output] = shape
	}
	return shapes, nil
}

// Tensors returns every tensor of the graph once: inputs, then node by node the
// node's inputs and its output. Ranges of quantizers are not among them.
func (g *Graph) Tensors() []*Tensor {
	var list []*Tensor
	seen := map[*Tensor]bool{nil: true}
	add := func(ts ...*Tensor) {
		for _, t := range ts {
			if !seen[t] {
				seen[t] = true
				list = append(list, t)
			}
		}
	}
	add(g.Inputs...)
	for _, n := range g.Nodes {
		add(n.Inputs...)
		add(n.Output)
	}
	add(g.Outputs...)
	return list
}

// Variables returns the tensors that training may change, in graph order: first
// those of the nodes, then the ranges of the quantizers.
func (g *Graph) Variables() []*Tensor {
	var list []*Tensor
	for _, t := range g.Tensors() {
		if t.Variable() {
			list = append(list, t)
		}
	}
	for _, q := range g.Quantizers() {
		if q.Range != nil {
			list = append(list, q.Range)
		}
	}
	return list
}

// Parameters returns the trained tensors in graph order.
func (g *Graph) Parameters() []*Tensor {
	return slices.DeleteFunc(g.Variables(), func(t *Tensor) bool { return t.Role != Parameter })
}

// Quantizers returns every quantizer once, in graph order.
func (g *Graph) Quantizers() []*Quantizer {
	var list []*Quantizer
	seen := map[*Quantizer]bool{}
	for _, n := range g.Nodes {
		if f, ok := n.Op.(FakeQuant); ok && f.Quantizer != nil && !seen[f.Quantizer] {
			seen[f.Quantizer] = true
			list = append(list, f.Quantizer)
		}
	}
	return list
}

// Producer returns the node that computes t, nil for graph inputs and data.
func (g *Graph) Producer(t *Tensor) *Node {
	for _, n := range g.Nodes {
		if n.Output == t {
			return n
		}
	}
	return nil
}

// Consumers returns the nodes that read t, in execution order.
func (g *Graph) Consumers(t *Tensor) []*Node {
	var list []*Node
	for _, n := range g.Nodes {
		if slices.Contains(n.Inputs, t) {
			list = append(list, n)
		}
	}
	return list
}

// IsOutput reports whether t is an output of the graph.
func (g *Graph) IsOutput(t *Tensor) bool { return slices.Contains(g.Outputs, t) }

// Replace makes every consumer of old, and the graph's outputs, use new.
func (g *Graph) Replace(old, new *Tensor) {
	swap := func(ts []*Tensor) {
		for i, t := range ts {
			if t == old {
				ts[i] = new
			}
		}
	}
	for _, n := range g.Nodes {
		swap(n.Inputs)
	}
	swap(g.Outputs)
}

// Remove takes nodes out of the graph; whoever used their outputs must have
// been redirected before.
func (g *Graph) Remove(nodes ...*Node) {
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *Node) bool { return slices.Contains(nodes, n) })
}

// Unique returns name, or name_1, name_2 ... when tensors or nodes of the graph
// already use it: Keras' way of numbering layers.
func (g *Graph) Unique(name string) string {
	used := map[string]bool{}
	for _, t := range g.Tensors() {
		used[t.Name] = true
	}
	for _, n := range g.Nodes {
		used[n.Name] = true
	}
	for _, q := range g.Quantizers() {
		if q.Range != nil {
			used[q.Range.Name] = true
		}
	}
	for i, try := 1, name; ; i++ {
		if !used[try] {
			return try
		}
		try = fmt.Sprintf("%s_%d", name, i)
	}
}
