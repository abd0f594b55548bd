package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// callers are the operators that run other subgraphs.
var callers = []schema.BuiltinOperator{
	schema.BuiltinOperatorCALL, schema.BuiltinOperatorCALL_ONCE, schema.BuiltinOperatorIF, schema.BuiltinOperatorWHILE,
	schema.BuiltinOperatorSTABLEHLO_CASE, schema.BuiltinOperatorSTABLEHLO_COMPOSITE, schema.BuiltinOperatorSTABLEHLO_WHILE,
}

// foreign keeps an operator as it is. The error why says what was not understood.
func (s *site) foreign(why error) error {
	o, c, b := s.o, s.b.f.Codes[s.o.Code], s.b
	f := graph.Foreign{Operator: s.name, Version: c.Version, Custom: c.Custom(), Mutates: o.Mutates, Extra: len(o.Outputs) - 1}
	if !errors.Is(why, errUnknown) {
		f.Reason = why.Error()
	}
	if o.Intermediates > 0 {
		f.Unwritable = "tensors of its own"
	}
	for _, x := range s.inputs {
		b.compute(x, s.index)
	}
	y, err := s.outcome()
	if err != nil {
		return err
	}
	follows := func(y *graph.Tensor) bool {
		x := s.input(0)
		return x != nil && x.Role == graph.Activation && len(x.Shape) > 0 && len(y.Shape) > 0 && x.Shape[0] == 1 && y.Shape[0] == 1
	}
	f.Shape, f.Follows = y.Shape, follows(y)
	if f.Custom {
		f.Operator = c.Text
		f.Raw = slices.Clone(b.f.Data[o.Custom.At:][:b.p.Take(o.Custom.Size, 1)])
	}
	if f.Table, f.Options = b.p.Options(o); b.p.Err != nil {
		return b.p.Err
	}
	if slices.Contains(callers, schema.BuiltinOperator(c.Number)) {
		f.Reason = "it runs " + s.called(f.Options)
	}
	b.node(s.index, &graph.Node{Name: y.Name, Op: f, Inputs: s.inputs, Output: y})
	for k := 1; k < len(o.Outputs); k++ {
		z, err := s.keptOutput(k)
		if err != nil {
			return err
		}
		op := graph.ForeignOutput{Index: k, Shape: z.Shape, Follows: f.Follows && follows(z)}
		b.node(s.index, &graph.Node{Name: z.Name, Op: op, Inputs: []*graph.Tensor{y}, Output: z})
	}
	return nil
}

// called names the subgraphs that options refer to.
func (s *site) called(options []graph.Option) string {
	var list []string
	for _, o := range options {
		if i, ok := o.Value.(int); ok && strings.Contains(o.Name, "subgraph") && i >= 0 && i < len(s.b.f.Subgraphs) {
			list = append(list, fmt.Sprintf("subgraph %d, %q", i, short(s.b.f.Subgraphs[i].Name)))
		}
	}
	if len(list) == 0 {
		return "other subgraphs"
	}
	return strings.Join(list, ", and ")
}

// outcome returns the first output, or for an operator without outputs a tensor that
// stands for its having run.
func (s *site) outcome() (*graph.Tensor, error) {
	if len(s.o.Outputs) > 0 {
		return s.keptOutput(0)
	}
	return &graph.Tensor{Name: s.b.names.Unique(s.name + "/done"), Type: graph.Other, Shape: []int{}, Kept: &graph.Kept{Type: "nothing"}}, nil
}

// keptOutput is output k with the sizes that the file knows.
func (s *site) keptOutput(k int) (*graph.Tensor, error) {
	y, err := s.output(k)
	if err == nil && s.b.loose[y] {
		unknown(y, &s.b.s.Tensors[s.o.Outputs[k]])
	}
	return y, err
}

// node adds a node of operator i.
func (b *builder) node(i int, n *graph.Node) {
	b.g.Nodes, b.origins = append(b.g.Nodes, n), append(b.origins, i)
}
