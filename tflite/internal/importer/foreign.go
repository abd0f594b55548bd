package importer

import (
	"errors"
	"fmt"
	"slices"

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
	o, c := s.o, s.b.f.Codes[s.o.Code]
	if len(o.Outputs) != 1 {
		return fmt.Errorf("%w: it has %d outputs, and what is not understood can be kept with one only", why, len(o.Outputs))
	}
	y, err := s.output(0)
	switch {
	case err != nil:
		return err
	case s.b.loose[y]:
		return fmt.Errorf("%w: the sizes of its output are known only at run time", why)
	case o.Intermediates > 0 || o.Mutated:
		return fmt.Errorf("%w: it has state or tensors of its own", why)
	case slices.Contains(callers, schema.BuiltinOperator(c.Number)):
		return fmt.Errorf("%w: it runs other subgraphs", why)
	}
	for _, x := range s.inputs {
		if s.b.exchanged[x] != nil {
			return fmt.Errorf("%w: tensor %q does not have the batch in front", why, x.Name)
		}
	}
	f := graph.Foreign{Operator: s.name, Version: c.Version, Shape: y.Shape, Custom: c.Custom()}
	if !errors.Is(why, errUnknown) {
		f.Reason = why.Error()
	}
	if x := s.input(0); x != nil && len(x.Shape) > 0 && len(y.Shape) > 0 {
		f.Follows = x.Role == graph.Activation && x.Shape[0] == 1 && y.Shape[0] == 1
	}
	if f.Custom {
		f.Operator = c.Text
		f.Raw = slices.Clone(s.b.f.Data[o.Custom.At:][:s.b.p.Take(o.Custom.Size, 1)])
	}
	if f.Table, f.Options = s.b.p.Options(o); s.b.p.Err != nil {
		return s.b.p.Err
	}
	s.b.g.Nodes = append(s.b.g.Nodes, &graph.Node{Name: y.Name, Op: f, Inputs: s.inputs, Output: y})
	return nil
}
