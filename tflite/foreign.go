package tflite

import (
	"fmt"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// foreignCode returns the operator code of a foreign operator.
//
// Errors: names that the format does not have.
func foreignCode(f graph.Foreign) (format.Code, error) {
	if f.Custom {
		return format.Code{Number: int(schema.BuiltinOperatorCUSTOM), Text: f.Operator, Version: f.Version}, nil
	}
	number, ok := schema.EnumValuesBuiltinOperator[f.Operator]
	if !ok {
		return format.Code{}, fmt.Errorf("the format has no operator %s", f.Operator)
	}
	return format.Code{Number: int(number), Version: f.Version}, nil
}

// writeForeign appends the options of a foreign operator.
//
// Errors: tables whose fields are not known.
func writeForeign(b *flatbuffers.Builder, f graph.Foreign) (kind schema.BuiltinOptions, options, raw flatbuffers.UOffsetT, err error) {
	if f.Unwritable != "" {
		return 0, 0, 0, fmt.Errorf("it has %s, which cannot be written", f.Unwritable)
	}
	if len(f.Raw) > 0 {
		raw = b.CreateByteVector(f.Raw)
	}
	if f.Table == "" {
		return schema.BuiltinOptionsNONE, 0, raw, nil
	}
	t := format.OptionTableByName(f.Table)
	if t == nil {
		return 0, 0, 0, fmt.Errorf("its options, of kind %s, cannot be written", f.Table)
	}
	options, err = t.Write(b, f.Options)
	return schema.BuiltinOptions(t.Number), options, raw, err
}

// foreignOutputs returns all outputs of a foreign operator in order.
//
// Errors: outputs that no node of the graph gives.
func foreignOutputs(g *graph.Graph, n *graph.Node, f graph.Foreign) ([]*graph.Tensor, error) {
	if f.Extra < 0 {
		return nil, nil
	}
	outputs := make([]*graph.Tensor, 1+f.Extra)
	outputs[0] = n.Output
	for _, m := range g.Consumers(n.Output) {
		if o, ok := m.Op.(graph.ForeignOutput); ok && o.Index > 0 && o.Index < len(outputs) {
			outputs[o.Index] = m.Output
		}
	}
	if i := slices.Index(outputs, nil); i >= 0 {
		return nil, fmt.Errorf("no node gives output %d of the operator %s", i, f.Operator)
	}
	return outputs, nil
}

// bools appends a vector of bools; 0, which the builder leaves out, for none.
func bools(b *flatbuffers.Builder, list []bool) flatbuffers.UOffsetT {
	if len(list) == 0 {
		return 0
	}
	b.StartVector(1, len(list), 1)
	for _, x := range slices.Backward(list) {
		b.PrependBool(x)
	}
	return b.EndVector(len(list))
}
