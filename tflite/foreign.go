package tflite

import (
	"fmt"

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
