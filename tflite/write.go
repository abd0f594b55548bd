package tflite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/atomicfile"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// description is the text that tools show as the origin of a file.
const description = "goqat"

// Write writes g as a .tflite file. See [Marshal].
func Write(w io.Writer, g *graph.Graph) error {
	data, err := Marshal(g)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

// WriteFile writes g to the named file: whole or, on error, not at all. See
// [Marshal].
func WriteFile(path string, g *graph.Graph) error {
	data, err := Marshal(g)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, data); err != nil {
		return fmt.Errorf("tflite: %w", err)
	}
	return nil
}

// Marshal returns g as the bytes of a .tflite file; equal graphs give equal
// bytes. Whatever data tensors hold becomes constant. A convolution without
// bias gets one of zeros, which LiteRT's kernel demands.
//
// Errors: a graph that fails its own [graph.Graph.Check]; operators that files
// cannot carry and number types that no runtime takes, by node; a file that
// fails [Verify].
func Marshal(g *graph.Graph) ([]byte, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("tflite: %w", err)
	}
	w := &writer{
		b:       flatbuffers.NewBuilder(1 << 16),
		shared:  map[string]flatbuffers.UOffsetT{},
		indices: map[*graph.Tensor]int32{},
		// Buffer 0 is empty: tensors without data have it.
		buffers: make([]flatbuffers.UOffsetT, 1),
		buffer:  map[string]uint32{},
	}
	if err := w.plan(g); err != nil {
		return nil, err
	}
	if err := w.model(g); err != nil {
		return nil, err
	}
	data := bytes.Clone(w.b.FinishedBytes())
	if err := Verify(data); err != nil {
		return nil, fmt.Errorf("tflite: this network makes no valid file: %w", err)
	}
	return data, nil
}

// writer makes a file of a graph. FlatBuffers are built from the end: first
// what is pointed to, then what points.
type writer struct {
	b       *flatbuffers.Builder
	shared  map[string]flatbuffers.UOffsetT // vectors and tables with equal content
	nodes   []planned
	codes   []format.Code // distinct ones
	tensors []*graph.Tensor
	indices map[*graph.Tensor]int32
	buffers []flatbuffers.UOffsetT
	buffer  map[string]uint32 // by content
}

// planned is a node as the file will have it.
type planned struct {
	row    *operators.Row // nil for one that is foreign
	node   *graph.Node    // with the inputs of the file
	opcode int
}

// plan decides the operators, their codes and the order of tensors.
func (w *writer) plan(g *graph.Graph) error {
	c := operators.NewConstants()
	for _, t := range g.Tensors() {
		c.Names[t.Name] = 1
	}
	w.add(g.Inputs...)
	var faults []error
	for _, n := range g.Nodes {
		if f, ok := n.Op.(graph.Foreign); ok {
			code, err := foreignCode(f)
			if err != nil {
				faults = append(faults, fmt.Errorf("tflite: node %q: %w", n.Name, err))
			}
			w.plans(planned{nil, n, w.opcode(code)})
			continue
		}
		row := operators.ByName(n.Op.Name())
		if row == nil {
			faults = append(faults, fmt.Errorf("tflite: node %q: files cannot carry the operator %s%s", n.Name, n.Op.Name(), advice(n.Op)))
			continue
		}
		inputs := n.Inputs
		if row.Inputs != nil {
			inputs = row.Inputs(n, c)
		}
		for len(inputs) > 0 && inputs[len(inputs)-1] == nil {
			inputs = inputs[:len(inputs)-1]
		}
		inFile := &graph.Node{Name: n.Name, Op: n.Op, Inputs: inputs, Output: n.Output}
		number, err := row.VersionOf(inFile)
		if err != nil {
			faults = append(faults, fmt.Errorf("tflite: node %q (%s): %w", n.Name, row.Name(), err))
			continue
		}
		w.plans(planned{row, inFile, w.opcode(format.Code{Number: int(row.Code), Version: number})})
	}
	return errors.Join(faults...)
}

// plans appends a node and its tensors.
func (w *writer) plans(p planned) {
	w.nodes = append(w.nodes, p)
	w.add(p.node.Inputs...)
	w.add(p.node.Output)
}

// advice says what to do about an operator that only training has.
func advice(op graph.Op) string {
	if op.Class() != graph.TrainingOnly {
		return ""
	}
	return ", which exists only while training: export the network first"
}

// opcode returns the index of an operator code.
func (w *writer) opcode(v format.Code) int {
	for i, have := range w.codes {
		if have == v {
			return i
		}
	}
	w.codes = append(w.codes, v)
	return len(w.codes) - 1
}

// add gives tensors their indices, in order of first use.
func (w *writer) add(ts ...*graph.Tensor) {
	for _, t := range ts {
		if _, have := w.indices[t]; t != nil && !have {
			w.indices[t] = int32(len(w.tensors))
			w.tensors = append(w.tensors, t)
		}
	}
}

// model writes everything.
func (w *writer) model(g *graph.Graph) error {
	b := w.b
	schema.BufferStart(b)
	w.buffers[0] = schema.BufferEnd(b)
	buffers, total := make([]uint32, len(w.tensors)), 0
	for i, t := range w.tensors {
		if t.Data == nil {
			continue
		}
		data, err := format.EncodeData(t.Data)
		if err != nil {
			return fmt.Errorf("tflite: tensor %q: %w", t.Name, err)
		}
		if t.Int4 {
			data = format.PackInt4(t.Int8s())
		}
		if total += len(data); total > format.MaxSize/2 {
			return fmt.Errorf("tflite: tensor %q: the constants up to here have %d bytes, a file holds at most %d", t.Name, total, format.MaxSize/2)
		}
		buffers[i] = w.constant(data)
	}
	runtime := w.runtime()

	var tensors, operators, codes []flatbuffers.UOffsetT
	for i, t := range w.tensors {
		tensors = append(tensors, w.tensor(t, buffers[i]))
	}
	for _, p := range w.nodes {
		at, err := w.operator(p)
		if err != nil {
			return fmt.Errorf("tflite: node %q (%s): %w", p.node.Name, p.node.Op.Name(), err)
		}
		operators = append(operators, at)
	}
	for _, c := range w.codes {
		codes = append(codes, w.code(c))
	}
	subgraph := w.subgraph(g, tensors, operators)
	signature := w.signature(g)

	metadata := w.metadata(runtime)
	text := b.CreateSharedString(description)
	codesVector := b.CreateVectorOfTables(codes)
	subgraphs := b.CreateVectorOfTables([]flatbuffers.UOffsetT{subgraph})
	buffersVector := b.CreateVectorOfTables(w.buffers)
	metadataVector := b.CreateVectorOfTables(metadata)
	signatures := b.CreateVectorOfTables([]flatbuffers.UOffsetT{signature})
	schema.ModelStart(b)
	schema.ModelAddVersion(b, format.FileVersion)
	schema.ModelAddOperatorCodes(b, codesVector)
	schema.ModelAddSubgraphs(b, subgraphs)
	schema.ModelAddDescription(b, text)
	schema.ModelAddBuffers(b, buffersVector)
	schema.ModelAddMetadata(b, metadataVector)
	schema.ModelAddSignatureDefs(b, signatures)
	b.FinishWithFileIdentifier(schema.ModelEnd(b), []byte(format.Identifier))
	return nil
}

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
	typ := format.TypeCodes[t.Type]
	if t.Int4 {
		typ = schema.TensorTypeINT4
	}
	// Fields are stored as they are added: bytes beside each other need no padding.
	schema.TensorStart(w.b)
	schema.TensorAddShape(w.b, shapeVector)
	schema.TensorAddBuffer(w.b, buffer)
	schema.TensorAddName(w.b, name)
	schema.TensorAddQuantization(w.b, params)
	schema.TensorAddType(w.b, typ)
	schema.TensorAddHasRank(w.b, true)
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

func (w *writer) operator(p planned) (at flatbuffers.UOffsetT, err error) {
	inputs := vector(w, w.list(p.node.Inputs))
	outputs := vector(w, w.list([]*graph.Tensor{p.node.Output}))
	var kind schema.BuiltinOptions
	var options, raw flatbuffers.UOffsetT
	if f, ok := p.node.Op.(graph.Foreign); ok {
		kind, options, raw, err = writeForeign(w.b, f)
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
	return schema.OperatorEnd(w.b), err
}

// list returns the indices of tensors, -1 for omitted ones.
func (w *writer) list(ts []*graph.Tensor) []int32 {
	indices := make([]int32, len(ts))
	for i, t := range ts {
		indices[i] = -1
		if t != nil {
			indices[i] = w.indices[t]
		}
	}
	return indices
}

func (w *writer) subgraph(g *graph.Graph, tensors, operators []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b := w.b
	inputs, outputs := vector(w, w.list(g.Inputs)), vector(w, w.list(g.Outputs))
	tensorsVector, operatorsVector := b.CreateVectorOfTables(tensors), b.CreateVectorOfTables(operators)
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

func (w *writer) signature(g *graph.Graph) flatbuffers.UOffsetT {
	b := w.b
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
	key := b.CreateSharedString(format.SignatureKey)
	schema.SignatureDefStart(b)
	schema.SignatureDefAddInputs(b, inputs)
	schema.SignatureDefAddOutputs(b, outputs)
	schema.SignatureDefAddSignatureKey(b, key)
	return schema.SignatureDefEnd(b)
}
