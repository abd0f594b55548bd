package ptq

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// parts is a network taken apart: what can be calibrated, and what cannot because
// it depends on operators that cannot be run.
type parts struct {
	net         *graph.Graph
	front, back []*graph.Node
	// between are the tensors that the back reads of the front, and outputs of the
	// network that the front computes.
	between []*graph.Tensor
	float   []Float
}

// split takes a network apart.
func split(net *graph.Graph) *parts {
	s := &parts{net: net}
	cause := map[*graph.Tensor]string{} // why an output of the back cannot be run
	for _, n := range net.Nodes {
		root, reason := "", ""
		if f, ok := n.Op.(graph.Foreign); ok {
			root, reason = fmt.Sprintf("%s (%s)", Short(n.Name), f.Operator), f.Refusal()
		} else if i := slices.IndexFunc(n.Inputs, func(x *graph.Tensor) bool { return cause[x] != "" }); i >= 0 {
			root = cause[n.Inputs[i]]
			reason = "it depends on " + root
		}
		if root == "" {
			s.front = append(s.front, n)
			continue
		}
		cause[n.Output] = root
		s.back = append(s.back, n)
		if _, part := n.Op.(graph.ForeignOutput); !part {
			s.float = append(s.float, Float{n.Name, operatorName(n.Op), reason})
		}
	}
	s.float = append(s.float, others(net)...)
	computed := map[*graph.Tensor]bool{}
	for _, n := range s.front {
		computed[n.Output] = true
	}
	need := func(t *graph.Tensor) {
		if computed[t] && !slices.Contains(s.between, t) {
			s.between = append(s.between, t)
		}
	}
	for _, y := range net.Outputs {
		need(y)
	}
	for _, n := range s.back {
		for _, x := range n.Inputs {
			need(x)
		}
	}
	return s
}

// others lists the networks beside the main one.
func others(net *graph.Graph) (list []Float) {
	for i, s := range net.Subgraphs {
		list = append(list, Float{s.Name, fmt.Sprintf("subgraph %d", i+1), "only the main network is quantized"})
	}
	return list
}

// operatorName is the name of an operator in a file.
func operatorName(op graph.Op) string {
	if f, ok := op.(graph.Foreign); ok {
		return f.Operator
	}
	return op.Name()
}

// quantize quantizes the front and puts the back behind it.
func (s *parts) quantize(ctx context.Context, r quant.Recipe, samples data.Dataset, o posttrain.Options) (*Result, error) {
	if len(s.back) == 0 {
		alone := *s.net
		alone.Subgraphs = nil
		model, err := posttrain.Quantize(ctx, &alone, r, samples, o)
		if err != nil {
			return nil, err
		}
		model.Subgraphs = s.net.Subgraphs
		return &Result{model, append(kept(model), s.float...)}, nil
	}
	if len(s.front) == 0 || len(s.between) == 0 {
		return nil, errors.New("nothing can be quantized: all operators depend on such as cannot be run")
	}
	// The back reads float32, of inputs too.
	o.Export.Output = graph.Float32
	if s.readsInput() {
		o.Export.Input = graph.Float32
	}
	front := &graph.Graph{Name: s.net.Name, Nodes: s.front, Inputs: s.net.Inputs, Outputs: s.between}
	model, err := posttrain.Quantize(ctx, front, r, samples, o)
	if err != nil {
		return nil, err
	}
	float := append(kept(model), s.float...)
	back, err := s.floatBack()
	if err != nil {
		return nil, err
	}
	tensors := map[string]*graph.Tensor{}
	for _, t := range slices.Concat(model.Inputs, model.Outputs) {
		tensors[t.Name] = t
	}
	for _, x := range back.Inputs {
		t := tensors[x.Name]
		if t == nil {
			return nil, fmt.Errorf("tensor %q is lost between the parts", x.Name)
		}
		back.Replace(x, t)
	}
	for _, y := range back.Outputs {
		tensors[y.Name] = y
	}
	model.Nodes = append(model.Nodes, back.Nodes...)
	model.Outputs, model.Subgraphs, model.Signature = nil, s.net.Subgraphs, s.net.Signature
	for _, y := range s.net.Outputs {
		model.Outputs = append(model.Outputs, tensors[y.Name])
	}
	if err := model.Check(); err != nil {
		return nil, err
	}
	return &Result{model, float}, nil
}

// kept lists the operators of an integer model that compute with float32.
func kept(model *graph.Graph) (list []Float) {
	for _, n := range model.Nodes {
		switch n.Op.(type) {
		case graph.Quantize, graph.Dequantize:
		default:
			if n.Output.Type == graph.Float32 {
				list = append(list, Float{n.Name, n.Op.Name(), "the recipe keeps it"})
			}
		}
	}
	return list
}

// readsInput reports whether the back reads an input of the network.
func (s *parts) readsInput() bool {
	return slices.ContainsFunc(s.back, func(n *graph.Node) bool {
		return slices.ContainsFunc(n.Inputs, func(x *graph.Tensor) bool { return slices.Contains(s.net.Inputs, x) })
	})
}

// floatBack returns the back as a float model of its own, whose inputs have the
// names of the tensors that it reads.
func (s *parts) floatBack() (*graph.Graph, error) {
	g := &graph.Graph{Name: s.net.Name, Nodes: s.back}
	own := map[*graph.Tensor]bool{}
	for _, n := range s.back {
		for _, x := range n.Inputs {
			if x != nil && x.Role == graph.Activation && !own[x] && !slices.Contains(g.Inputs, x) {
				g.Inputs = append(g.Inputs, x)
			}
		}
		own[n.Output] = true
	}
	for _, y := range s.net.Outputs {
		if own[y] {
			g.Outputs = append(g.Outputs, y)
		}
	}
	if len(g.Outputs) == 0 {
		return nil, errors.New("what cannot be run leads to no output")
	}
	return export.Float32(g)
}
