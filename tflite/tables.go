package tflite

import (
	"encoding/binary"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// metadata writes the least runtime version, whose text the buffer holds; nothing
// where there is none.
func (w *writer) metadata(buffer uint32) []flatbuffers.UOffsetT {
	if buffer == 0 {
		return nil
	}
	name := w.b.CreateSharedString(format.RuntimeKey)
	schema.MetadataStart(w.b)
	schema.MetadataAddName(w.b, name)
	schema.MetadataAddBuffer(w.b, buffer)
	return []flatbuffers.UOffsetT{schema.MetadataEnd(w.b)}
}

// runtime writes the text of the least runtime version, which fills 16 bytes with
// NUL as the official converter has it; nothing where foreign operators make it
// unknown.
func (w *writer) runtime() (buffer uint32) {
	least, known := operators.LeastRuntime(w.codes)
	if !known {
		return 0
	}
	text := make([]byte, 16)
	copy(text, least)
	return w.constant(text)
}

func (w *writer) code(c format.Code) flatbuffers.UOffsetT {
	var custom flatbuffers.UOffsetT
	if c.Custom() {
		custom = w.b.CreateSharedString(c.Text)
	}
	schema.OperatorCodeStart(w.b)
	schema.OperatorCodeAddDeprecatedBuiltinCode(w.b, int8(min(c.Number, int(schema.BuiltinOperatorPLACEHOLDER_FOR_GREATER_OP_CODES))))
	schema.OperatorCodeAddCustomCode(w.b, custom)
	schema.OperatorCodeAddVersion(w.b, int32(c.Version))
	schema.OperatorCodeAddBuiltinCode(w.b, schema.BuiltinOperator(c.Number))
	return schema.OperatorCodeEnd(w.b)
}

// constant returns the index of a buffer with the given content.
func (w *writer) constant(data []byte) uint32 {
	if i, have := w.buffer[string(data)]; have {
		return i
	}
	w.b.Prep(format.Alignment, len(data))
	v := w.b.CreateByteVector(data)
	schema.BufferStart(w.b)
	schema.BufferAddData(w.b, v)
	w.buffers = append(w.buffers, schema.BufferEnd(w.b))
	i := uint32(len(w.buffers) - 1)
	w.buffer[string(data)] = i
	return i
}

func (w *writer) tensor(t *graph.Tensor, buffer uint32) flatbuffers.UOffsetT {
	shape := make([]int32, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int32(d)
	}
	shapeVector := vector(w, shape)
	name := w.b.CreateSharedString(t.Name)
	params := w.params(t.Quant)
	typ := schema.TensorTypeINT4
	if t.Type != graph.Other && !t.Int4 {
		typ = format.TypeCodes[t.Type]
	}
	var signature flatbuffers.UOffsetT
	if k := t.Kept; k != nil {
		if k.Type != "" {
			typ = schema.EnumValuesTensorType[k.Type]
		}
		if k.Signature != nil {
			signature = vector(w, format.List(len(k.Signature), func(i int) int32 { return int32(k.Signature[i]) }))
		}
	}
	// Fields are stored as they are added: bytes beside each other need no padding.
	schema.TensorStart(w.b)
	schema.TensorAddShape(w.b, shapeVector)
	schema.TensorAddBuffer(w.b, buffer)
	schema.TensorAddName(w.b, name)
	schema.TensorAddQuantization(w.b, params)
	schema.TensorAddType(w.b, typ)
	schema.TensorAddHasRank(w.b, true)
	schema.TensorAddShapeSignature(w.b, signature)
	schema.TensorAddIsVariable(w.b, t.Kept != nil && t.Kept.State)
	return schema.TensorEnd(w.b)
}

// params writes quantization parameters; 0, which the builder leaves out, for
// none.
func (w *writer) params(p *quant.Params) flatbuffers.UOffsetT {
	if p == nil {
		return 0
	}
	axis := 0
	if p.PerChannel() {
		axis = p.Axis
	}
	zeros := make([]int64, len(p.ZeroPoint))
	for i, z := range p.ZeroPoint {
		zeros[i] = int64(z)
	}
	scale, zero := vector(w, p.Scale), vector(w, zeros)
	return w.share(fmt.Sprintf("params %d %d %d", scale, zero, axis), func() flatbuffers.UOffsetT {
		schema.QuantizationParametersStart(w.b)
		schema.QuantizationParametersAddScale(w.b, scale)
		schema.QuantizationParametersAddZeroPoint(w.b, zero)
		schema.QuantizationParametersAddQuantizedDimension(w.b, int32(axis))
		return schema.QuantizationParametersEnd(w.b)
	})
}

// share returns the object made earlier under the same key, or makes it.
func (w *writer) share(key string, create func() flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	at, have := w.shared[key]
	if !have {
		at = create()
		w.shared[key] = at
	}
	return at
}

// vector writes a vector, once for equal content.
func vector[T int32 | int64 | float32](w *writer, list []T) flatbuffers.UOffsetT {
	var zero T
	size := binary.Size(zero)
	// Numbers of fixed size always encode.
	content, _ := format.EncodeData(list)
	return w.share(fmt.Sprintf("%T %s", list, content), func() flatbuffers.UOffsetT {
		w.b.StartVector(size, len(list), size)
		for i := len(list) - 1; i >= 0; i-- {
			switch x := any(list[i]).(type) {
			case int32:
				w.b.PrependInt32(x)
			case int64:
				w.b.PrependInt64(x)
			case float32:
				w.b.PrependFloat32(x)
			}
		}
		return w.b.EndVector(len(list))
	})
}
