package tflite

import (
	"errors"
	"fmt"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

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
	o, c := s.o, s.b.f.codes[s.o.code]
	if len(o.outputs) != 1 {
		return fmt.Errorf("%w: it has %d outputs, and what is not understood can be kept with one only", why, len(o.outputs))
	}
	y, err := s.output(0)
	switch {
	case err != nil:
		return err
	case s.b.loose[y]:
		return fmt.Errorf("%w: the sizes of its output are known only at run time", why)
	case o.intermediates > 0 || o.mutated:
		return fmt.Errorf("%w: it has state or tensors of its own", why)
	case slices.Contains(callers, schema.BuiltinOperator(c.number)):
		return fmt.Errorf("%w: it runs other subgraphs", why)
	}
	for _, x := range s.inputs {
		if s.b.exchanged[x] != nil {
			return fmt.Errorf("%w: tensor %q does not have the batch in front", why, x.Name)
		}
	}
	f := graph.Foreign{Operator: s.name, Version: c.version, Shape: y.Shape, Custom: c.custom()}
	if !errors.Is(why, errUnknown) {
		f.Reason = why.Error()
	}
	if x := s.input(0); x != nil && len(x.Shape) > 0 && len(y.Shape) > 0 {
		f.Follows = x.Role == graph.Activation && x.Shape[0] == 1 && y.Shape[0] == 1
	}
	if f.Custom {
		f.Operator = c.text
		f.Raw = slices.Clone(s.b.f.data[o.custom.at:][:s.b.p.take(o.custom.size, 1)])
	}
	if f.Table, f.Options = s.b.p.options(o); s.b.p.err != nil {
		return s.b.p.err
	}
	s.b.g.Nodes = append(s.b.g.Nodes, &graph.Node{Name: y.Name, Op: f, Inputs: s.inputs, Output: y})
	return nil
}

// options returns the options of an operator and the name of their table, empty
// for none. A table that is not known has its number for a name.
func (p *parser) options(o *fileOperator) (table string, list []graph.Option) {
	t := optionTables[int(o.kind)]
	switch {
	case o.stable > 0:
		return fmt.Sprintf("StableHLO %d", o.stable), nil
	case o.kind == schema.BuiltinOptionsNONE:
		return "", nil
	case t == nil:
		return fmt.Sprint(int(o.kind)), nil
	}
	return t.name, t.read(p, o.options)
}

// foreignCode returns the operator code of a foreign operator.
//
// Errors: names that the format does not have.
func foreignCode(f graph.Foreign) (opCode, error) {
	if f.Custom {
		return opCode{number: int(schema.BuiltinOperatorCUSTOM), text: f.Operator, version: f.Version}, nil
	}
	number, ok := schema.EnumValuesBuiltinOperator[f.Operator]
	if !ok {
		return opCode{}, fmt.Errorf("the format has no operator %s", f.Operator)
	}
	return opCode{number: int(number), version: f.Version}, nil
}

// writeForeign appends the options of a foreign operator.
//
// Errors: tables whose fields are not known.
func writeForeign(b *flatbuffers.Builder, f graph.Foreign) (kind schema.BuiltinOptions, options, raw flatbuffers.UOffsetT, err error) {
	if len(f.Raw) > 0 {
		raw = b.CreateByteVector(f.Raw)
	}
	if f.Table == "" {
		return schema.BuiltinOptionsNONE, 0, raw, nil
	}
	t := optionTableByName(f.Table)
	if t == nil {
		return 0, 0, 0, fmt.Errorf("its options, of kind %s, cannot be written", f.Table)
	}
	options, err = t.write(b, f.Options)
	return schema.BuiltinOptions(t.number), options, raw, err
}
