package tflite_test

import (
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// foreign.tflite is the network "odd" in int8, packed by the schema code of
// ai-edge-litert: another order of objects, a buffer for each tensor, a batch
// of unknown size, the old field for operator codes only.
func TestForeignFile(t *testing.T) {
	g, err := tflite.ReadFile("testdata/foreign.tflite")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, odd(t, int8s, true), g)
	data, err := os.ReadFile("testdata/foreign.tflite")
	if err != nil {
		t.Fatal(err)
	}
	if err := tflite.Verify(data); err == nil || !strings.Contains(err.Error(), "buffer 1 starts at byte 604, which is not a multiple of 16") {
		t.Errorf("its constants are not aligned, but Verify says %v", err)
	}
}

// What other writers do and the format allows.
func TestReadLeniency(t *testing.T) {
	read := func(r *raw) *graph.Graph {
		t.Helper()
		g, err := tflite.Unmarshal(r.bytes())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	r := denseFile()
	r.tensors[1].zero = []int64{0} // one zero point for all channels
	r.tensors[0].name, r.tensors[2].name, r.tensors[3].name = "", "w", "w"
	r.operators[0].options = dense(schema.ActivationFunctionTypeRELU6)
	g := read(r)
	n := g.Nodes[0]
	if z := n.Inputs[1].Quant.ZeroPoint; !slices.Equal(z, []int32{0, 0}) {
		t.Errorf("zero points %v", z)
	}
	if names := []string{g.Inputs[0].Name, n.Inputs[1].Name, n.Inputs[2].Name, n.Output.Name}; !slices.Equal(names, []string{"tensor_0", "w", "w_1", "w_2"}) {
		t.Errorf("names %q", names)
	}
	if a := n.Op.(graph.FullyConnected).Activate; a != quant.Relu6 {
		t.Errorf("activation %v", a)
	}

	r = denseFile()
	r.operators[0].inputs[2] = -1 // no bias
	if g := read(r); g.Nodes[0].Input(graph.InputBias) != nil {
		t.Error("a bias that is not in the file")
	}

	// Constants outside the FlatBuffer, as in files of more than 2 GB.
	r = denseFile()
	end := uint64(len(r.bytes())) + 64
	r.buffers[1] = rawBuffer{offset: end, size: 4}
	data := append(make([]byte, 0, end+4), r.bytes()...)
	data = append(data, make([]byte, int(end)-len(data))...)
	data = append(data, 1, 2, 3, 4)
	g, err := tflite.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if w := g.Nodes[0].Inputs[1].Int8s(); !slices.Equal(w, []int8{1, 2, 3, 4}) {
		t.Errorf("weights %v", w)
	}

	// A new shape that is only an option, its batch written as 1.
	g = read(floatFile(schema.BuiltinOperatorRESHAPE, schema.BuiltinOptionsReshapeOptions, newShape(1, 2), 0))
	if s := g.Nodes[0].Op.(graph.Reshape).Shape; !slices.Equal(s, []int{-1, 2}) {
		t.Errorf("new shape %v", s)
	}
}

func newShape(shape ...int32) func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	return func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		v := ints(b, shape)
		schema.ReshapeOptionsStart(b)
		schema.ReshapeOptionsAddNewShape(b, v)
		return schema.ReshapeOptionsEnd(b)
	}
}

func TestReadErrors(t *testing.T) {
	change := func(f func(*raw)) []byte {
		r := denseFile()
		f(r)
		return r.bytes()
	}
	whole := denseFile().bytes()
	if err := tflite.Verify(whole); err != nil {
		t.Fatalf("the file that the cases start from is faulty: %v", err)
	}
	softmax := func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.SoftmaxOptionsStart(b)
		return schema.SoftmaxOptionsEnd(b)
	}
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"nothing", nil, []string{"tflite: not a TensorFlow Lite file"}},
		{"an image", []byte("\x89PNG\r\n\x1a\n00000000"), []string{"not a TensorFlow Lite file"}},
		{"only the identifier", []byte("\x08\x00\x00\x00TFL3"), []string{"tflite: model (byte 8): damaged or truncated file"}},
		{"half", whole[:len(whole)/2], []string{"(byte ", "damaged or truncated file"}},
		{"version", change(func(r *raw) { r.version = 2 }), []string{"schema version 2, want 3"}},
		{"identifier", change(func(r *raw) { r.identifier = "TFL2" }), []string{"not a TensorFlow Lite file"}},
		{"no subgraph", change(func(r *raw) { r.subgraphs = 0 }), []string{"0 subgraphs"}},
		{"operator code", change(func(r *raw) { r.operators[0].opcode = 3 }), []string{"names operator code 3, there are 1"}},
		{"signature", change(func(r *raw) { r.tensors[0].signature = []int32{-1} }), []string{"differ in length"}},
		{"size", change(func(r *raw) { r.tensors[0].shape[1] = 0 }), []string{"shape [1 0]: sizes must be positive"}},
		{"huge", change(func(r *raw) { r.tensors[0].shape = []int32{1, 1 << 30, 1 << 30} }), []string{"more than 2147483647 elements"}},
		{"rank", change(func(r *raw) { r.tensors[0].shape = make([]int32, 9) }), []string{"shape has 9 axes"}},
		{"unknown type", change(func(r *raw) { r.tensors[1].typ = 99 }), []string{"type TensorType(99) is not supported"}},
		{"buffer", change(func(r *raw) { r.tensors[1].buffer = 9 }), []string{"names buffer 9, there are 4"}},
		{"buffer size", change(func(r *raw) { r.buffers[1].data = make([]byte, 5) }), []string{"buffer 1 (byte ", "holds 5 bytes, INT8[2 2] needs 4"}},
		{"data outside", change(func(r *raw) { r.buffers[1] = rawBuffer{offset: 1 << 40, size: 4} }), []string{"buffer 1 (byte ", "is outside the file"}},
		{"data outside, wrapping", change(func(r *raw) { r.buffers[1] = rawBuffer{offset: 16, size: 1<<64 - 1} }), []string{"is outside the file"}},
		{"scales", change(func(r *raw) { r.tensors[1].scale = []float32{1, 2, 3}; r.tensors[1].zero = make([]int64, 3) }), []string{`tensor 1, "w"`, "3 scales along axis 0 do not fit shape [2 2]"}},
		{"scale", change(func(r *raw) { r.tensors[0].scale[0] = 0 }), []string{"scale 0 is 0, want a positive"}},
		{"zero points", change(func(r *raw) { r.tensors[1].zero = make([]int64, 3) }), []string{"2 scales and 3 zero points"}},
		{"zero point", change(func(r *raw) { r.tensors[0].zero[0] = 1 << 40 }), []string{"zero point 1099511627776 of channel 0 does not fit"}},
		{"tensor index", change(func(r *raw) { r.operators[0].inputs[1] = 7 }), []string{"operator 0, FULLY_CONNECTED", "inputs: entry 1 names tensor 7, there are 4"}},
		{"negative index", change(func(r *raw) { r.outputs[0] = -2 }), []string{"model output: entry 0 names tensor -2"}},
		{"no input tensor", change(func(r *raw) { r.inputs[0] = -1 }), []string{"model input 0: no tensor"}},
		{"two outputs", change(func(r *raw) { r.operators[0].outputs = []int32{3, 3} }), []string{"produced twice"}},
		{"constant output", change(func(r *raw) { r.operators[0].outputs[0] = 1 }), []string{"output 0 must be a tensor that holds no data"}},
		{"no weights", change(func(r *raw) { r.operators[0].inputs = []int32{0} }), []string{"FULLY_CONNECTED", "1 inputs"}},
		{"order", change(func(r *raw) { r.operators = append(r.operators, r.operators[0]) }), []string{"produced twice"}},
		{"used before", change(func(r *raw) { r.inputs = nil }), []string{"used before it is produced", "no inputs"}},
		{"batch", change(func(r *raw) { r.tensors[0].shape[0], r.tensors[3].shape[0] = 2, 2 }), []string{`input "x" has shape [2 2], want a batch axis of 1: convert the model for one row`}},
		{"shape", change(func(r *raw) { r.tensors[3].shape[1] = 3 }), []string{"output has shape [1 3], but FULLY_CONNECTED gives [1 2]"}},
		{"activation", change(func(r *raw) { r.operators[0].options = dense(schema.ActivationFunctionTypeTANH) }), []string{"fused activation TANH is not supported"}},
		{"options", change(func(r *raw) { r.operators[0].kind = schema.BuiltinOptionsSoftmaxOptions }), []string{"options are SoftmaxOptions, want FullyConnectedOptions"}},
		{"no options", change(func(r *raw) { r.operators[0].options = nil }), []string{"options are NONE"}},
		{"types", change(func(r *raw) { r.tensors[0].typ = schema.TensorTypeUINT8 }), []string{"no runtime takes inputs [uint8 int8 int32] with output int8"}},
		{"beta", floatFile(schema.BuiltinOperatorSOFTMAX, schema.BuiltinOptionsSoftmaxOptions, softmax, 0).bytes(), []string{"beta is 0"}},
		{"no new shape", floatFile(schema.BuiltinOperatorRESHAPE, 0, nil, 0).bytes(), []string{"no new shape"}},
		{"new shape known late", floatFile(schema.BuiltinOperatorRESHAPE, 0, nil, 0, 1).bytes(), []string{"not a constant of int32"}},
		{"no inputs", floatFile(schema.BuiltinOperatorRESHAPE, 0, nil).bytes(), []string{"no inputs"}},
		{"two faults", change(func(r *raw) { r.tensors[0].shape[1], r.tensors[1].buffer = 0, 9 }), []string{"tensor 0", "tensor 1"}},
	} {
		_, err := understand(c.data)
		for _, want := range c.want {
			if err == nil || !strings.HasPrefix(err.Error(), "tflite: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", c.name, err, want)
			}
		}
		if err := tflite.Verify(c.data); err == nil {
			t.Errorf("%s: Verify finds nothing", c.name)
		}
	}
}

// Every truncation of a file is refused, except where only padding is cut off.
func TestTruncated(t *testing.T) {
	whole := marshal(t, borders(t, graph.UInt8))
	for n := range len(whole) - alignment {
		if _, err := tflite.Unmarshal(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are read without error", n, len(whole))
		}
	}
}

const alignment = 16

// A small file whose lists all claim to be as long as the file, or whose tables
// all point to one long list, must not take memory by the product.
func TestHostileSizes(t *testing.T) {
	r := denseFile()
	data := r.bytes()
	for at := 0; at+4 <= len(data); at += 4 {
		for _, n := range []uint32{1 << 31, 1<<32 - 1, uint32(len(data)) / 4, uint32(len(data))} {
			bad := slices.Clone(data)
			binary.LittleEndian.PutUint32(bad[at:], n)
			_, _ = tflite.Unmarshal(bad)
		}
	}

	// 20,000 tensors and buffers that share one shape and one block of data
	// would be 16 GB if each had a copy.
	for _, change := range []func(*raw){
		func(r *raw) { r.tensors[1].shape = make([]int32, 100_000) },
		func(r *raw) { r.buffers[1].data, r.tensors[1].shape = make([]byte, 400_000), []int32{200_000, 2} },
	} {
		r = denseFile()
		change(r)
		r.repeat = 20_000
		for i := range r.repeat {
			r.operators[0].inputs = append(r.operators[0].inputs, int32(4+i))
		}
		data = r.bytes()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := tflite.Unmarshal(data); err == nil {
			t.Error("read without error")
		}
		runtime.ReadMemStats(&after)
		// Decoding is held to 16 times the file; error texts and the growth of
		// slices come on top.
		if used, most := after.TotalAlloc-before.TotalAlloc, 64*uint64(len(data)); used > most {
			t.Errorf("a file of %d bytes took %d bytes of memory, want at most %d", len(data), used, most)
		}
	}
}
