package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// body is the tables of a subgraph.
type body struct{ tensors, operators []flatbuffers.UOffsetT }

// constants writes the buffers of the tensors.
func (w *network) constants() error {
	w.data = make([]uint32, len(w.tensors))
	for i, t := range w.tensors {
		data, err := stored(t)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if data == nil {
			continue
		}
		if w.total += len(data); w.total > format.MaxSize/2 {
			return fmt.Errorf("tensor %q: the constants up to here have %d bytes, a file holds at most %d", t.Name, w.total, format.MaxSize/2)
		}
		w.data[i] = w.constant(data)
	}
	return nil
}

// stored returns the bytes that a file holds of a tensor, nil for none.
//
// Errors: what cannot be written.
func stored(t *graph.Tensor) ([]byte, error) {
	switch {
	case t.Kept != nil && t.Kept.Unwritable != "":
		return nil, fmt.Errorf("%s cannot be written", t.Kept.Unwritable)
	case t.Kept != nil && t.Kept.Bytes != nil:
		return t.Kept.Bytes, nil
	case t.Data == nil:
		return nil, nil
	case t.Int4:
		return format.PackInt4(t.Int8s()), nil
	}
	return format.EncodeData(t.Data)
}

// body writes the tables of tensors and operators.
func (w *network) body() (tables body, err error) {
	for i, t := range w.tensors {
		tables.tensors = append(tables.tensors, w.tensor(t, w.data[i]))
	}
	for _, p := range w.nodes {
		at, err := w.operator(p)
		if err != nil {
			return tables, fmt.Errorf("node %q (%s): %w", p.node.Name, p.node.Op.Name(), err)
		}
		tables.operators = append(tables.operators, at)
	}
	return tables, nil
}

func (w *network) operator(p planned) (at flatbuffers.UOffsetT, err error) {
	inputs := vector(w.writer, w.list(p.node.Inputs))
	outputs := vector(w.writer, w.list(p.outputs))
	var kind schema.BuiltinOptions
	var options, raw, mutates flatbuffers.UOffsetT
	if f, ok := p.node.Op.(graph.Foreign); ok {
		kind, options, raw, err = writeForeign(w.b, f)
		mutates = bools(w.b, f.Mutates)
	} else if kind = p.row.Options; p.row.Write != nil {
		options = w.share(fmt.Sprintf("options %T %v", p.node.Op, p.node.Op), func() flatbuffers.UOffsetT { return p.row.Write(w.b, p.node.Op) })
	}
	schema.OperatorStart(w.b)
	schema.OperatorAddOpcodeIndex(w.b, uint32(p.opcode))
	schema.OperatorAddInputs(w.b, inputs)
	schema.OperatorAddOutputs(w.b, outputs)
	schema.OperatorAddBuiltinOptionsType(w.b, kind)
	schema.OperatorAddBuiltinOptions(w.b, options)
	schema.OperatorAddCustomOptions(w.b, raw)
	schema.OperatorAddMutatingVariableInputs(w.b, mutates)
	return schema.OperatorEnd(w.b), err
}

// list returns the indices of tensors, -1 for omitted ones.
func (w *network) list(ts []*graph.Tensor) []int32 {
	indices := make([]int32, len(ts))
	for i, t := range ts {
		indices[i] = -1
		if t != nil {
			indices[i] = w.indices[t]
		}
	}
	return indices
}

func (w *network) subgraph(tables body) flatbuffers.UOffsetT {
	b, g := w.b, w.g
	inputs, outputs := vector(w.writer, w.list(g.Inputs)), vector(w.writer, w.list(g.Outputs))
	tensorsVector, operatorsVector := b.CreateVectorOfTables(tables.tensors), b.CreateVectorOfTables(tables.operators)
	var name flatbuffers.UOffsetT
	if g.Name != "" {
		name = b.CreateSharedString(g.Name)
	}
	schema.SubGraphStart(b)
	schema.SubGraphAddTensors(b, tensorsVector)
	schema.SubGraphAddInputs(b, inputs)
	schema.SubGraphAddOutputs(b, outputs)
	schema.SubGraphAddOperators(b, operatorsVector)
	schema.SubGraphAddName(b, name)
	return schema.SubGraphEnd(b)
}

func (w *network) signature() flatbuffers.UOffsetT {
	b, g := w.b, w.g
	side := func(ts []*graph.Tensor) flatbuffers.UOffsetT {
		var entries []flatbuffers.UOffsetT
		for _, t := range ts {
			name := b.CreateSharedString(t.Name)
			schema.TensorMapStart(b)
			schema.TensorMapAddName(b, name)
			schema.TensorMapAddTensorIndex(b, uint32(w.indices[t]))
			entries = append(entries, schema.TensorMapEnd(b))
		}
		return b.CreateVectorOfTables(entries)
	}
	inputs, outputs := side(g.Inputs), side(g.Outputs)
	name := g.Signature
	if name == "" {
		name = format.SignatureKey
	}
	key := b.CreateSharedString(name)
	schema.SignatureDefStart(b)
	schema.SignatureDefAddInputs(b, inputs)
	schema.SignatureDefAddOutputs(b, outputs)
	schema.SignatureDefAddSignatureKey(b, key)
	schema.SignatureDefAddSubgraphIndex(b, uint32(w.index))
	return schema.SignatureDefEnd(b)
}
