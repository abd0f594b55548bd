package oracle_test

import flatbuffers "github.com/google/flatbuffers/go"

// The tests here write their own files, field by field from the public schema of TensorFlow Lite, so that this package
// checks the module's writer without depending on it. Slot numbers are the schema's field ids.

type tensorSpec struct {
	name     string
	shape    []int32
	typ      int8
	data     []byte
	scales   []float32
	zeros    []int64
	axis     int32
	variable bool
}

type opSpec struct {
	code            int32
	version         int32
	optionsType     byte // of the union BuiltinOptions; 0 is none
	options         func(b *flatbuffers.Builder)
	optionSlots     int
	inputs, outputs []int32
}

// buildModel writes a .tflite file with one subgraph; each operator gets an operator code of its own.
func buildModel(tensors []tensorSpec, ops []opSpec, inputs, outputs []int32) []byte {
	b := flatbuffers.NewBuilder(1024)
	buffers := []flatbuffers.UOffsetT{table(b, 3, func() {})}
	var tensorOffsets, codeOffsets, opOffsets []flatbuffers.UOffsetT
	for _, t := range tensors {
		buffer := uint32(0)
		if t.data != nil {
			b.Prep(16, len(t.data)) // LiteRT wants constants aligned to 16 bytes
			data := b.CreateByteVector(t.data)
			buffer = uint32(len(buffers))
			buffers = append(buffers, table(b, 3, func() { b.PrependUOffsetTSlot(0, data, 0) }))
		}
		tensorOffsets = append(tensorOffsets, writeTensor(b, t, buffer))
	}
	for i, op := range ops {
		codeOffsets = append(codeOffsets, table(b, 4, func() {
			b.PrependInt8Slot(0, int8(min(op.code, 127)), 0)
			b.PrependInt32Slot(2, op.version, 1)
			b.PrependInt32Slot(3, op.code, 0)
		}))
		opOffsets = append(opOffsets, writeOperator(b, op, uint32(i)))
	}
	graphTensors, graphOps := vector(b, tensorOffsets), vector(b, opOffsets)
	in, out := int32s(b, inputs), int32s(b, outputs)
	graph := table(b, 6, func() {
		b.PrependUOffsetTSlot(0, graphTensors, 0)
		b.PrependUOffsetTSlot(1, in, 0)
		b.PrependUOffsetTSlot(2, out, 0)
		b.PrependUOffsetTSlot(3, graphOps, 0)
	})
	codes, graphs, bufferVector := vector(b, codeOffsets), vector(b, []flatbuffers.UOffsetT{graph}), vector(b, buffers)
	b.FinishWithFileIdentifier(table(b, 10, func() {
		b.PrependUint32Slot(0, 3, 0)
		b.PrependUOffsetTSlot(1, codes, 0)
		b.PrependUOffsetTSlot(2, graphs, 0)
		b.PrependUOffsetTSlot(4, bufferVector, 0)
	}), []byte("TFL3"))
	return b.FinishedBytes()
}

func writeTensor(b *flatbuffers.Builder, t tensorSpec, buffer uint32) flatbuffers.UOffsetT {
	name, shape := b.CreateString(t.name), int32s(b, t.shape)
	var quantization flatbuffers.UOffsetT
	if t.scales != nil {
		b.StartVector(4, len(t.scales), 4)
		for i := len(t.scales) - 1; i >= 0; i-- {
			b.PrependFloat32(t.scales[i])
		}
		scales := b.EndVector(len(t.scales))
		b.StartVector(8, len(t.zeros), 8)
		for i := len(t.zeros) - 1; i >= 0; i-- {
			b.PrependInt64(t.zeros[i])
		}
		zeros := b.EndVector(len(t.zeros))
		quantization = table(b, 7, func() {
			b.PrependUOffsetTSlot(2, scales, 0)
			b.PrependUOffsetTSlot(3, zeros, 0)
			b.PrependInt32Slot(6, t.axis, 0)
		})
	}
	return table(b, 11, func() {
		b.PrependUOffsetTSlot(0, shape, 0)
		b.PrependInt8Slot(1, t.typ, 0)
		b.PrependUint32Slot(2, buffer, 0)
		b.PrependUOffsetTSlot(3, name, 0)
		b.PrependUOffsetTSlot(4, quantization, 0)
		b.PrependBoolSlot(5, t.variable, false)
	})
}

func writeOperator(b *flatbuffers.Builder, op opSpec, code uint32) flatbuffers.UOffsetT {
	in, out := int32s(b, op.inputs), int32s(b, op.outputs)
	var options flatbuffers.UOffsetT
	if op.optionsType != 0 {
		options = table(b, op.optionSlots, func() {
			if op.options != nil {
				op.options(b)
			}
		})
	}
	return table(b, 14, func() {
		b.PrependUint32Slot(0, code, 0)
		b.PrependUOffsetTSlot(1, in, 0)
		b.PrependUOffsetTSlot(2, out, 0)
		b.PrependByteSlot(3, op.optionsType, 0)
		b.PrependUOffsetTSlot(4, options, 0)
	})
}

func table(b *flatbuffers.Builder, slots int, fields func()) flatbuffers.UOffsetT {
	b.StartObject(slots)
	fields()
	return b.EndObject()
}

func vector(b *flatbuffers.Builder, offsets []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	return b.CreateVectorOfTables(offsets)
}

func int32s(b *flatbuffers.Builder, values []int32) flatbuffers.UOffsetT {
	b.StartVector(4, len(values), 4)
	for i := len(values) - 1; i >= 0; i-- {
		b.PrependInt32(values[i])
	}
	return b.EndVector(len(values))
}
