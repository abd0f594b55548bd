package oracle_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/internal/oracle"
)

// BuiltinOperator numbers and BuiltinOptions members of the schema.
const (
	opFullyConnected, optFullyConnected = 9, 8
	opRelu                              = 19
	opSVDF, optSVDF                     = 27, 6
)

const (
	depth, units      = 3, 2
	inZero, outZero   = 5, -7
	float32T, int32T  = int8(oracle.Float32), int8(oracle.Int32)
	int8T             = int8(oracle.Int8)
	examples          = 256
	intermediateIndex = 3
)

var (
	weights = []int8{1, -2, 3, -127, 127, 0} // [units, depth]
	biases  = []int32{40, -4}
)

// int8Model is FULLY_CONNECTED and RELU on int8. All scales are powers of two and those of input and weights multiply
// to that of the output, so requantization multiplies by exactly 1 and the expected codes need no rounding rule.
func int8Model(fcVersion int32) []byte {
	half, quarter, eighth := []float32{0.5}, []float32{0.25}, []float32{0.125}
	tensors := []tensorSpec{
		{name: "x", shape: []int32{1, depth}, typ: int8T, scales: half, zeros: []int64{inZero}},
		{name: "w", shape: []int32{units, depth}, typ: int8T, data: oracle.Input(weights).Data, scales: quarter, zeros: []int64{0}},
		{name: "b", shape: []int32{units}, typ: int32T, data: oracle.Input(biases).Data, scales: eighth, zeros: []int64{0}},
		{name: "y", shape: []int32{1, units}, typ: int8T, scales: eighth, zeros: []int64{outZero}},
		{name: "z", shape: []int32{1, units}, typ: int8T, scales: eighth, zeros: []int64{outZero}},
	}
	return buildModel(tensors, []opSpec{
		{code: opFullyConnected, version: fcVersion, optionsType: optFullyConnected, optionSlots: 5, inputs: []int32{0, 1, 2}, outputs: []int32{3}},
		{code: opRelu, version: 2, inputs: []int32{3}, outputs: []int32{4}},
	}, []int32{0}, []int32{4})
}

// int8Examples returns inputs and the codes that int8Model must give: y = clamp(acc + outZero), z = max(y, outZero).
func int8Examples() (x, y, z []int8) {
	for i := range examples * depth {
		x = append(x, int8(i*37%256-128))
	}
	for e := range examples {
		for u := range units {
			acc := biases[u]
			for d := range depth {
				acc += (int32(x[e*depth+d]) - inZero) * int32(weights[u*depth+d])
			}
			code := min(max(acc+outZero, -128), 127)
			y = append(y, int8(code))
			z = append(z, int8(max(code, outZero)))
		}
	}
	return x, y, z
}

func TestRunReturnsEveryTensor(t *testing.T) {
	o := oracle.Start(t)
	x, y, z := int8Examples()
	tensors, err := o.Run(int8Model(4), oracle.Options{Batch: examples}, []oracle.Tensor{oracle.Input(x)})
	if err != nil {
		t.Fatal(err)
	}
	if len(tensors) < 5 {
		t.Fatalf("got %d tensors, the file has 5", len(tensors))
	}
	want := []struct {
		name     string
		role     oracle.Role
		shape    []int
		examples int
		scale    float32
		zero     int
		data     []byte
	}{
		{"x", oracle.ModelInput, []int{1, depth}, examples, 0.5, inZero, oracle.Input(x).Data},
		{"w", oracle.Constant, []int{units, depth}, 1, 0.25, 0, oracle.Input(weights).Data},
		{"b", oracle.Constant, []int{units}, 1, 0.125, 0, oracle.Input(biases).Data},
		{"y", oracle.Intermediate, []int{1, units}, examples, 0.125, outZero, oracle.Input(y).Data},
		{"z", oracle.ModelOutput, []int{1, units}, examples, 0.125, outZero, oracle.Input(z).Data},
	}
	for i, w := range want {
		got := tensors[i]
		if got.Index != i || got.Name != w.name || got.Role != w.role || !slices.Equal(got.Shape, w.shape) || got.Examples != w.examples ||
			!slices.Equal(got.Scales, []float32{w.scale}) || !slices.Equal(got.ZeroPoints, []int{w.zero}) {
			t.Errorf("tensor %d: got %+v, want %+v", i, header(got), w)
		}
		if !bytes.Equal(got.Data, w.data) {
			t.Errorf("tensor %s: data differ\n got %v\nwant %v", w.name, got.Data, w.data)
		}
	}
	if !bytes.Equal(tensors[4].Example(7), oracle.Input(z[7*units:8*units]).Data) {
		t.Errorf("example 7 of z: got %v, want %v", tensors[4].Example(7), z[7*units:8*units])
	}
	for _, i := range []int{-1, examples} {
		if got := tensors[4].Example(i); got != nil {
			t.Errorf("example %d of %d: got %v, want nil", i, examples, got)
		}
	}
}

func header(t oracle.Tensor) oracle.Tensor {
	t.Data = nil
	return t
}

func TestDefaultResolverShowsTheBorders(t *testing.T) {
	o := oracle.Start(t)
	x, _, z := int8Examples()
	tensors, err := o.Run(int8Model(4), oracle.Options{Resolver: oracle.Default, Batch: examples}, []oracle.Tensor{oracle.Input(x)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := oracle.Values[int8](tensors[4])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, z) { // requantization by exactly 1 leaves XNNPACK nothing to round differently
		t.Errorf("output: got %v, want %v", got, z)
	}
	if y := tensors[intermediateIndex]; y.Examples != 0 || len(y.Data) != 0 {
		t.Errorf("the fused intermediate tensor has data: %v", y.Data)
	}
	if !bytes.Equal(tensors[1].Data, oracle.Input(weights).Data) {
		t.Errorf("weights: got %v, want %v", tensors[1].Data, weights)
	}
}

func TestOptimizedKernelsKeepEverything(t *testing.T) {
	o := oracle.Start(t)
	x, y, _ := int8Examples()
	tensors, err := o.Run(int8Model(4), oracle.Options{Resolver: oracle.Optimized, Batch: examples}, []oracle.Tensor{oracle.Input(x)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := oracle.Values[int8](tensors[intermediateIndex])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, y) {
		t.Errorf("intermediate tensor: got %v, want %v", got, y)
	}
}

// A hybrid kernel quantizes its input at run time, each row by itself, and leaves its codes in a scratch tensor.
func TestScratchHoldsRunTimeCodes(t *testing.T) {
	o := oracle.Start(t)
	model := buildModel([]tensorSpec{
		{name: "x", shape: []int32{1, depth}, typ: float32T},
		{name: "w", shape: []int32{units, depth}, typ: int8T, data: oracle.Input(weights).Data, scales: []float32{0.25}, zeros: []int64{0}},
		{name: "y", shape: []int32{1, units}, typ: float32T},
	}, []opSpec{{code: opFullyConnected, version: 3, optionsType: optFullyConnected, optionSlots: 5, inputs: []int32{0, 1, -1}, outputs: []int32{2}}},
		[]int32{0}, []int32{2})
	x := []float32{1, -0.5, 0.25, 0, 8, -16}
	tensors, err := o.Run(model, oracle.Options{Batch: 2}, []oracle.Tensor{oracle.Input(x)})
	if err != nil {
		t.Fatal(err)
	}
	want := []int8{127, -64, 32, 0, 64, -127} // round(x * 127 / max|row|), ties away from zero
	found := false
	for _, s := range tensors[3:] {
		if s.Role != oracle.Scratch {
			t.Errorf("tensor %d beyond the file has role %s", s.Index, s.Role)
		}
		if s.Type == oracle.Int8 {
			codes, err := oracle.Values[int8](s)
			if err != nil {
				t.Fatal(err)
			}
			found = found || slices.Equal(codes, want)
		}
	}
	if !found {
		t.Errorf("no scratch tensor holds the codes %v", want)
	}
}

// An SVDF cell of memory 2 adds this and the previous input: a state kept from one example to the next would show.
func TestVariablesAreResetBetweenExamples(t *testing.T) {
	o := oracle.Start(t)
	one, ones := oracle.Input([]float32{1}).Data, oracle.Input([]float32{1, 1}).Data
	model := buildModel([]tensorSpec{
		{name: "x", shape: []int32{1, 1}, typ: float32T},
		{name: "feature", shape: []int32{1, 1}, typ: float32T, data: one},
		{name: "time", shape: []int32{1, 2}, typ: float32T, data: ones},
		{name: "state", shape: []int32{1, 2}, typ: float32T, variable: true},
		{name: "y", shape: []int32{1, 1}, typ: float32T},
	}, []opSpec{{code: opSVDF, version: 1, optionsType: optSVDF, optionSlots: 3,
		options: func(b *flatbuffers.Builder) { b.PrependInt32Slot(0, 1, 0) },
		inputs:  []int32{0, 1, 2, -1, 3}, outputs: []int32{4}}}, []int32{0}, []int32{4})
	x := []float32{1, 2, 4}
	tensors, err := o.Run(model, oracle.Options{Batch: 3}, []oracle.Tensor{oracle.Input(x)})
	if err != nil {
		t.Fatal(err)
	}
	if tensors[3].Role != oracle.Variable {
		t.Errorf("the state has role %s", tensors[3].Role)
	}
	if y, err := oracle.Values[float32](tensors[4]); err != nil || !slices.Equal(y, x) {
		t.Errorf("got %v, %v, want %v", y, err, x)
	}
}

func TestInspect(t *testing.T) {
	m, err := oracle.Start(t).Inspect(int8Model(4))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Inputs, []int{0}) || !slices.Equal(m.Outputs, []int{4}) || len(m.Tensors) != 5 || len(m.Operators) != 2 {
		t.Fatalf("inputs %v, outputs %v, %d tensors, %d operators", m.Inputs, m.Outputs, len(m.Tensors), len(m.Operators))
	}
	for i, want := range []struct {
		name          string
		code, version int
		inputs        []int
		outputs       []int
	}{
		{"FULLY_CONNECTED", opFullyConnected, 4, []int{0, 1, 2}, []int{3}},
		{"RELU", opRelu, 2, []int{3}, []int{4}},
	} {
		op := m.Operators[i]
		if op.Name != want.name || op.Code != want.code || op.Version != want.version || !slices.Equal(op.Inputs, want.inputs) || !slices.Equal(op.Outputs, want.outputs) {
			t.Errorf("operator %d: got %+v, want %+v", i, op, want)
		}
	}
	if got := m.Tensors[2]; !bytes.Equal(got.Data, oracle.Input(biases).Data) || got.Type != oracle.Int32 || got.Examples != 1 {
		t.Errorf("bias: got %+v", got)
	}
	if got := m.Tensors[intermediateIndex]; len(got.Data) != 0 || got.Examples != 0 {
		t.Errorf("nothing was run, but y holds %v", got.Data)
	}
}

// A per-axis tensor keeps its scales bit for bit, the smallest and the largest float32 included.
func TestInspectPerAxis(t *testing.T) {
	scales := []float32{math.SmallestNonzeroFloat32, math.MaxFloat32, 0.1}
	model := buildModel([]tensorSpec{
		{name: "x", shape: []int32{1, 4}, typ: float32T},
		{name: "w", shape: []int32{2, 3}, typ: int8T, data: make([]byte, 6), scales: scales, zeros: []int64{0, 0, 0}, axis: 1},
		{name: "y", shape: []int32{1, 4}, typ: float32T},
	}, []opSpec{{code: opRelu, version: 1, inputs: []int32{0}, outputs: []int32{2}}}, []int32{0}, []int32{2})
	m, err := oracle.Start(t).Inspect(model)
	if err != nil {
		t.Fatal(err)
	}
	w := m.Tensors[1]
	if !slices.Equal(w.Scales, scales) || !slices.Equal(w.ZeroPoints, []int{0, 0, 0}) || w.QuantizedDimension != 1 {
		t.Errorf("got scales %v, zero points %v, dimension %d", w.Scales, w.ZeroPoints, w.QuantizedDimension)
	}
}

func TestErrorsAreAnswers(t *testing.T) {
	o := oracle.Start(t)
	good := int8Model(4)
	x := oracle.Input(make([]int8, depth))
	for _, tt := range []struct {
		name   string
		model  []byte
		batch  int
		inputs []oracle.Tensor
		want   string
	}{
		{"operator version", int8Model(99), 1, []oracle.Tensor{x}, "FULLY_CONNECTED' version '99'"},
		{"no input", good, 1, nil, "the model has 1 inputs, 0 were given"},
		{"two inputs", good, 1, []oracle.Tensor{x, x}, "the model has 1 inputs, 2 were given"},
		{"wrong type", good, 1, []oracle.Tensor{oracle.Input(make([]uint8, depth))}, "input 0 (x): is of type 9, was given type 3"},
		{"too few examples", good, 4, []oracle.Tensor{x}, "input 0 (x): 4 examples are 12 bytes, 3 were given"},
		{"too many examples", good, 0, []oracle.Tensor{oracle.Input(make([]int8, 2*depth))}, "input 0 (x): 1 examples are 3 bytes, 6 were given"},
		{"not a model", []byte("not a model"), 1, nil, "oracle: The model is not a valid Flatbuffer"},
		{"empty", nil, 1, nil, "must be specified"},
		{"truncated", good[:len(good)/2], 1, []oracle.Tensor{x}, "not a valid Flatbuffer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := o.Run(tt.model, oracle.Options{Batch: tt.batch}, tt.inputs)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
			if _, err := o.Run(good, oracle.Options{}, []oracle.Tensor{x}); err != nil {
				t.Fatalf("the next request must work: %v", err)
			}
		})
	}
}

func TestValues(t *testing.T) {
	check(t, []float32{1.5, -2}, []uint32{1, 2})
	check(t, []float64{1.5, -2}, []uint64{1, 2})
	check(t, []int8{-128, 127}, []uint8{1, 2})
	check(t, []uint8{0, 255}, []int8{1, 2})
	check(t, []int16{-32768, 32767}, []uint16{1, 2})
	check(t, []uint16{0, 65535}, []int16{1, 2})
	check(t, []int32{math.MinInt32, math.MaxInt32}, []float32{1, 2})
	check(t, []uint32{0, math.MaxUint32}, []int32{1, 2})
	check(t, []int64{math.MinInt64, math.MaxInt64}, []float64{1, 2})
	check(t, []uint64{0, math.MaxUint64}, []int64{1, 2})
	if bits, err := oracle.Values[uint16](oracle.Tensor{Type: oracle.Float16, Data: []byte{0, 0x3c}}); err != nil || bits[0] != 0x3c00 {
		t.Errorf("float16 as its bits: %v, %v", bits, err)
	}
}

// check holds that values survive Input and Values, and that reading them as another type of the same width does not.
func check[T, Wrong oracle.Element](t *testing.T, values []T, _ []Wrong) {
	t.Helper()
	in := oracle.Input(values)
	if len(in.Data) != binary.Size(values) {
		t.Errorf("%T: %d bytes, want %d", values, len(in.Data), binary.Size(values))
	}
	if got, err := oracle.Values[T](in); err != nil || !slices.Equal(got, values) {
		t.Errorf("got %v, %v, want %v", got, err, values)
	}
	in.Name = "logits"
	if _, err := oracle.Values[Wrong](in); err == nil || !strings.Contains(err.Error(), "tensor 0 (logits) is of type") {
		t.Errorf("read %T as another type: got %v", values, err)
	}
}

// BenchmarkRun is the cost of 256 examples of a model so small that only the oracle's own work remains.
func BenchmarkRun(b *testing.B) {
	o := oracle.Start(b)
	x, _, _ := int8Examples()
	model := int8Model(4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Run(model, oracle.Options{Batch: examples}, []oracle.Tensor{oracle.Input(x)}); err != nil {
			b.Fatal(err)
		}
	}
}
