package tflite_test

import (
	"errors"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// raw is a file as tests want it, right or wrong.
type raw struct {
	identifier string
	version    uint32
	subgraphs  int
	codes      []rawCode
	buffers    []rawBuffer
	tensors    []rawTensor
	operators  []rawOperator
	inputs     []int32
	outputs    []int32
	signature  []uint32
	others     []string // signatures of the subgraphs behind the first
	runtime    string
	repeat     int // list tensor 1 and buffer 1 so many times more
}

type rawCode struct {
	old     int8
	code    schema.BuiltinOperator
	version int32
	custom  string
}

type rawBuffer struct {
	data     []byte
	unplaced bool   // not on a 16-byte boundary
	offset   uint64 // data outside the FlatBuffer
	size     uint64
}

type rawTensor struct {
	name             string
	shape, signature []int32
	typ              schema.TensorType
	buffer           uint32
	scale            []float32
	zero             []int64
	axis             int32
	details          bool
	sparse, variable bool
	external         uint32
}

type rawOperator struct {
	opcode          uint32
	inputs, outputs []int32
	kind            schema.BuiltinOptions
	options         func(b *flatbuffers.Builder) flatbuffers.UOffsetT
	custom          []byte
	mutating        bool
	intermediate    bool
}

func ints(b *flatbuffers.Builder, list []int32) flatbuffers.UOffsetT {
	if list == nil {
		return 0
	}
	b.StartVector(4, len(list), 4)
	for i := len(list) - 1; i >= 0; i-- {
		b.PrependInt32(list[i])
	}
	return b.EndVector(len(list))
}

func (r *raw) bytes() []byte {
	b := flatbuffers.NewBuilder(0)
	var buffers, codes, tensors, operators, subgraphs, metadata, signatures []flatbuffers.UOffsetT
	all := r.buffers
	if r.runtime != "" {
		all = append(append([]rawBuffer(nil), all...), rawBuffer{data: []byte(r.runtime + "\x00")})
	}
	for _, x := range all {
		var v flatbuffers.UOffsetT
		if x.data != nil {
			b.Prep(16, len(x.data))
			if x.unplaced {
				b.Pad(4)
			}
			v = b.CreateByteVector(x.data)
		}
		schema.BufferStart(b)
		schema.BufferAddData(b, v)
		schema.BufferAddOffset(b, x.offset)
		schema.BufferAddSize(b, x.size)
		buffers = append(buffers, schema.BufferEnd(b))
	}
	if r.runtime != "" {
		name := b.CreateString("min_runtime_version")
		schema.MetadataStart(b)
		schema.MetadataAddName(b, name)
		schema.MetadataAddBuffer(b, uint32(len(r.buffers)))
		metadata = append(metadata, schema.MetadataEnd(b))
	}
	for _, x := range r.codes {
		custom := b.CreateString(x.custom)
		schema.OperatorCodeStart(b)
		schema.OperatorCodeAddDeprecatedBuiltinCode(b, x.old)
		schema.OperatorCodeAddBuiltinCode(b, x.code)
		schema.OperatorCodeAddVersion(b, x.version)
		schema.OperatorCodeAddCustomCode(b, custom)
		codes = append(codes, schema.OperatorCodeEnd(b))
	}
	for _, x := range r.tensors {
		tensors = append(tensors, x.write(b))
	}
	for range r.repeat {
		tensors, buffers = append(tensors, tensors[1]), append(buffers, buffers[1])
	}
	for _, x := range r.operators {
		in, out := ints(b, x.inputs), ints(b, x.outputs)
		var options, custom, mutating, intermediates flatbuffers.UOffsetT
		if x.options != nil {
			options = x.options(b)
		}
		if x.custom != nil {
			custom = b.CreateByteVector(x.custom)
		}
		if x.mutating {
			mutating = b.CreateByteVector([]byte{1})
		}
		if x.intermediate {
			intermediates = ints(b, []int32{0})
		}
		schema.OperatorStart(b)
		schema.OperatorAddOpcodeIndex(b, x.opcode)
		schema.OperatorAddInputs(b, in)
		schema.OperatorAddOutputs(b, out)
		schema.OperatorAddBuiltinOptionsType(b, x.kind)
		schema.OperatorAddBuiltinOptions(b, options)
		schema.OperatorAddCustomOptions(b, custom)
		schema.OperatorAddMutatingVariableInputs(b, mutating)
		schema.OperatorAddIntermediates(b, intermediates)
		operators = append(operators, schema.OperatorEnd(b))
	}
	for range r.subgraphs {
		in, out := ints(b, r.inputs), ints(b, r.outputs)
		ts, ops := b.CreateVectorOfTables(tensors), b.CreateVectorOfTables(operators)
		schema.SubGraphStart(b)
		schema.SubGraphAddTensors(b, ts)
		schema.SubGraphAddInputs(b, in)
		schema.SubGraphAddOutputs(b, out)
		schema.SubGraphAddOperators(b, ops)
		subgraphs = append(subgraphs, schema.SubGraphEnd(b))
	}
	if r.signature != nil {
		var maps []flatbuffers.UOffsetT
		for _, i := range r.signature {
			schema.TensorMapStart(b)
			schema.TensorMapAddTensorIndex(b, i)
			maps = append(maps, schema.TensorMapEnd(b))
		}
		v := b.CreateVectorOfTables(maps)
		for i, key := range append([]string{"main"}, r.others...) {
			name := b.CreateString(key)
			schema.SignatureDefStart(b)
			schema.SignatureDefAddInputs(b, v)
			schema.SignatureDefAddOutputs(b, v)
			schema.SignatureDefAddSignatureKey(b, name)
			schema.SignatureDefAddSubgraphIndex(b, uint32(i))
			signatures = append(signatures, schema.SignatureDefEnd(b))
		}
	}
	vectors := [][]flatbuffers.UOffsetT{codes, subgraphs, buffers, metadata, signatures}
	at := make([]flatbuffers.UOffsetT, len(vectors))
	for i, v := range vectors {
		at[i] = b.CreateVectorOfTables(v)
	}
	schema.ModelStart(b)
	schema.ModelAddVersion(b, r.version)
	schema.ModelAddOperatorCodes(b, at[0])
	schema.ModelAddSubgraphs(b, at[1])
	schema.ModelAddBuffers(b, at[2])
	schema.ModelAddMetadata(b, at[3])
	schema.ModelAddSignatureDefs(b, at[4])
	b.FinishWithFileIdentifier(schema.ModelEnd(b), []byte(r.identifier))
	return b.FinishedBytes()
}

func (x *rawTensor) write(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	name, shape, signature := b.CreateString(x.name), ints(b, x.shape), ints(b, x.signature)
	var sparsity, q, scale, zero, details flatbuffers.UOffsetT
	if x.sparse {
		schema.SparsityParametersStart(b)
		sparsity = schema.SparsityParametersEnd(b)
	}
	if x.scale != nil {
		b.StartVector(4, len(x.scale), 4)
		for i := len(x.scale) - 1; i >= 0; i-- {
			b.PrependFloat32(x.scale[i])
		}
		scale = b.EndVector(len(x.scale))
		b.StartVector(8, len(x.zero), 8)
		for i := len(x.zero) - 1; i >= 0; i-- {
			b.PrependInt64(x.zero[i])
		}
		zero = b.EndVector(len(x.zero))
		if x.details {
			schema.CustomQuantizationStart(b)
			details = schema.CustomQuantizationEnd(b)
		}
		schema.QuantizationParametersStart(b)
		schema.QuantizationParametersAddScale(b, scale)
		schema.QuantizationParametersAddZeroPoint(b, zero)
		schema.QuantizationParametersAddQuantizedDimension(b, x.axis)
		if x.details {
			schema.QuantizationParametersAddDetailsType(b, schema.QuantizationDetailsCustomQuantization)
			schema.QuantizationParametersAddDetails(b, details)
		}
		q = schema.QuantizationParametersEnd(b)
	}
	schema.TensorStart(b)
	schema.TensorAddShape(b, shape)
	schema.TensorAddType(b, x.typ)
	schema.TensorAddBuffer(b, x.buffer)
	schema.TensorAddName(b, name)
	schema.TensorAddQuantization(b, q)
	schema.TensorAddIsVariable(b, x.variable)
	schema.TensorAddSparsity(b, sparsity)
	schema.TensorAddShapeSignature(b, signature)
	schema.TensorAddExternalBuffer(b, x.external)
	return schema.TensorEnd(b)
}

// denseFile is a well-formed int8 file of one dense layer, x [1, 2] to y [1, 2],
// with scales per channel: 0 is x, 1 the weights, 2 the bias, 3 y.
func denseFile() *raw {
	return &raw{
		identifier: "TFL3", version: 3, subgraphs: 1,
		codes:   []rawCode{{old: 9, version: 4}},
		buffers: []rawBuffer{{}, {data: []byte{1, 2, 0xff, 0x81}}, {data: []byte{1, 0, 0, 0, 2, 0, 0, 0}}},
		tensors: []rawTensor{
			{name: "x", shape: []int32{1, 2}, typ: schema.TensorTypeINT8, scale: []float32{0.5}, zero: []int64{-3}},
			{name: "w", shape: []int32{2, 2}, typ: schema.TensorTypeINT8, buffer: 1, scale: []float32{0.25, 0.125}, zero: []int64{0, 0}},
			{name: "b", shape: []int32{2}, typ: schema.TensorTypeINT32, buffer: 2, scale: []float32{0.125, 0.0625}, zero: []int64{0, 0}},
			{name: "y", shape: []int32{1, 2}, typ: schema.TensorTypeINT8, scale: []float32{0.75}, zero: []int64{5}},
		},
		operators: []rawOperator{{inputs: []int32{0, 1, 2}, outputs: []int32{3}, kind: schema.BuiltinOptionsFullyConnectedOptions, options: dense(0)}},
		inputs:    []int32{0}, outputs: []int32{3}, signature: []uint32{0, 3}, runtime: "1.14.0",
	}
}

// dense returns the options of a FULLY_CONNECTED.
func dense(a schema.ActivationFunctionType) func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	return func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.FullyConnectedOptionsStart(b)
		schema.FullyConnectedOptionsAddFusedActivationFunction(b, a)
		return schema.FullyConnectedOptionsEnd(b)
	}
}

// floatFile is the same layer in float32 without bias, the operator being of
// the given kind: 0 is x, 1 the weights, 2 y.
func floatFile(code schema.BuiltinOperator, kind schema.BuiltinOptions, options func(b *flatbuffers.Builder) flatbuffers.UOffsetT, inputs ...int32) *raw {
	return &raw{
		identifier: "TFL3", version: 3, subgraphs: 1,
		codes:   []rawCode{{code: code, version: 1}},
		buffers: []rawBuffer{{}, {data: make([]byte, 16)}},
		tensors: []rawTensor{
			{name: "x", shape: []int32{1, 2}},
			{name: "w", shape: []int32{2, 2}, buffer: 1},
			{name: "y", shape: []int32{1, 2}},
		},
		operators: []rawOperator{{inputs: inputs, outputs: []int32{2}, kind: kind, options: options}},
		inputs:    []int32{0}, outputs: []int32{2},
	}
}

// understand is Unmarshal that takes what it keeps as foreign for an error.
func understand(data []byte) (*graph.Graph, error) {
	g, err := tflite.Unmarshal(data)
	if err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if f, ok := n.Op.(graph.Foreign); ok {
			return nil, errors.New("tflite: " + f.Refusal())
		}
	}
	return g, nil
}
