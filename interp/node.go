package interp

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// RunNode computes one node of g on given values of tensors: the slice of each
// tensor's type for Options.Batch rows. Constants and variables come from the
// graph. An input that is neither given nor stored is computed by its own node
// in the same way; so one call computes a node on another runtime's inputs, or a
// run of nodes between two tensors, or quantized weights.
//
// Options.Tap sees what was computed; KeepAll has no meaning.
//
// Errors: those of [New] and [Interpreter.Run] for the nodes that are needed; a
// node that needs a graph input which is not given, by name.
func RunNode(g *graph.Graph, node *graph.Node, inputs map[*graph.Tensor]any, o Options) (any, error) {
	o, err := o.completed()
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	shapes, err := g.Shapes(o.Batch)
	if err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	r := nodeRun{graph: g, options: o, shapes: shapes, values: map[*graph.Tensor]*value{}}
	for t, data := range inputs {
		if t == node.Output {
			return nil, fmt.Errorf("interp: node %q: its output %q is given", node.Name, t.Name)
		}
		if shapes[t] == nil {
			return nil, fmt.Errorf("interp: tensor %q is not in the graph", t.Name)
		}
		if err := checkData(t, data, shapes[t]); err != nil {
			return nil, err
		}
		r.values[t] = newValue(t, shapes[t], data)
	}
	out, err := r.compute(node)
	if err != nil {
		return nil, err
	}
	return out.data, nil
}

// nodeRun holds what is known of the tensors while [RunNode] runs.
type nodeRun struct {
	graph   *graph.Graph
	options Options
	shapes  map[*graph.Tensor][]int
	values  map[*graph.Tensor]*value
	ws      workspaces
}

// compute runs a node after those whose output it needs; there are no cycles,
// for the graph was checked.
func (r *nodeRun) compute(n *graph.Node) (*value, error) {
	if !slices.Contains(r.graph.Nodes, n) {
		return nil, fmt.Errorf("interp: node %q is not in the graph", n.Name)
	}
	k, err := prepare(r.graph, n, nil, r.options, &r.ws)
	if err != nil {
		return nil, err
	}
	in := make([]*value, len(n.Inputs))
	for i, t := range n.Inputs {
		if t == nil {
			continue
		}
		if in[i], err = r.value(t); err != nil {
			return nil, fmt.Errorf("node %q needs %q: %w", n.Name, t.Name, err)
		}
	}
	out := newValue(n.Output, r.shapes[n.Output], newData(n.Output.Type, graph.Elements(r.shapes[n.Output])))
	if err := guarded(n, func() error { return k(in, out) }); err != nil {
		return nil, err
	}
	r.values[n.Output] = out
	if r.options.Tap != nil {
		r.options.Tap(out.tensor, out.shape, out.data)
	}
	return out, nil
}

// value returns a tensor that was given, is stored in the graph, or can be
// computed.
func (r *nodeRun) value(t *graph.Tensor) (*value, error) {
	if v := r.values[t]; v != nil {
		return v, nil
	}
	if t.Role != graph.Activation {
		return newValue(t, t.Shape, t.Data), nil
	}
	if n := r.graph.Producer(t); n != nil {
		return r.compute(n)
	}
	return nil, fmt.Errorf("interp: graph input %q is not given", t.Name)
}
