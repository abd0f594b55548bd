package diagnose

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// ownership says to which layer each node belongs that quantizes something.
type ownership struct {
	names []string // in execution order
	ops   map[string]string
	of    map[*graph.Node]string
}

func (o *ownership) add(n *graph.Node, name, op string) {
	if o.ops[name] == "" {
		o.names, o.ops[name] = append(o.names, name), op
	}
	if n != nil {
		o.of[n] = name
	}
}

// owners finds the layers of a quantized network.
//
// Errors: a network that is not quantized, or with ranges that are not known.
func owners(g *graph.Graph) (ownership, error) {
	o := ownership{ops: map[string]string{}, of: map[*graph.Node]string{}}
	if len(g.Quantizers()) > 0 {
		return o, o.ofNodes(g)
	}
	if o.ofModel(g); len(o.names) == 0 {
		return o, fmt.Errorf("network %q is not quantized", g.Name)
	}
	return o, nil
}

// ofNodes finds the layer of each FakeQuant node: the node that reads the weights,
// or what is quantized as the model runs or requantized for it, the head of the
// fusion group that computes an activation, or the input.
func (o *ownership) ofNodes(q *graph.Graph) error {
	heads := map[*graph.Tensor]*graph.Node{}
	for _, gr := range q.Fusions() {
		heads[gr.Output()] = gr.Head
	}
	codes := q.Codes()
	for _, n := range q.Nodes {
		f, ok := n.Op.(graph.FakeQuant)
		if !ok {
			continue
		}
		z, x := f.Quantizer, n.Inputs[0]
		if z.Source == graph.MovingAverage && !z.Known() {
			return fmt.Errorf("the range of tensor %q is not known: calibrate or train first", z.Name)
		}
		owner := q.Producer(x)
		if h := heads[x]; h != nil {
			owner = h
		}
		reads := n.OnData() || z.Source == graph.LastValue || z.Source == graph.Dynamic || codes[x] != nil && codes[x] != z
		if readers := q.Consumers(n.Output); reads && len(readers) > 0 {
			owner = readers[0]
		}
		if owner == nil {
			o.add(n, x.Name, "input")
		} else {
			o.add(n, owner.Name, owner.Op.Name())
		}
	}
	return nil
}

// ofModel finds the layers of a model without FakeQuant nodes, such as a file
// holds: the inputs, and the operators that compute codes on a scale of their own or
// read data that is not float32. A QUANTIZE operator belongs to what makes the
// float32 values that it reads, one between codes to the reader of what it makes.
// Operators that copy codes belong to no layer, nor do borders of outputs.
func (o *ownership) ofModel(model *graph.Graph) {
	for _, x := range model.Inputs {
		if x.Quant != nil {
			o.add(nil, x.Name, "input")
		}
	}
	for _, n := range model.Nodes {
		owner, x := n, n.Inputs[graph.InputX]
		var reader *graph.Node
		if readers := model.Consumers(n.Output); len(readers) > 0 {
			reader = readers[0]
		}
		switch n.Op.(type) {
		case graph.Quantize:
			switch {
			case slices.Contains(model.Inputs, x):
				o.add(n, x.Name, "input")
				continue
			case x.Quant != nil:
				owner = reader
			default:
				owner = model.Producer(x)
			}
		case graph.Dequantize:
			if owner = nil; n.OnData() {
				owner = reader
			}
		default:
			if !quantizes(n) {
				owner = nil
			}
		}
		if owner != nil {
			o.add(n, layerName(model, owner), owner.Op.Name())
		}
	}
}

// quantizes reports whether an operator computes codes on a scale of its own, or
// with data that has codes.
func quantizes(n *graph.Node) bool {
	x, y := n.Inputs[graph.InputX], n.Output
	if n.Op.Class() == graph.SameScale && x.Quant != nil && y.Quant != nil && x.Quant.Equal(*y.Quant) {
		a, ok := n.Op.(graph.Averaging)
		return ok && a.Averages()
	}
	return y.Quant != nil || slices.ContainsFunc(n.Inputs, func(t *graph.Tensor) bool { return t != nil && t.Role != graph.Activation && t.Quant != nil })
}

// layerName is the name of a node; of one that is named after its output that of
// the float network's tensor.
func layerName(model *graph.Graph, n *graph.Node) string {
	if n.Name == n.Output.Name {
		return model.Behind(n.Output)
	}
	return n.Name
}
