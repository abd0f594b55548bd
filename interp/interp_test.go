package interp_test

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// start returns an interpreter.
func start(t testing.TB, g *graph.Graph, o interp.Options) *interp.Interpreter {
	t.Helper()
	ip, err := interp.New(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return ip
}

// run returns copies of the outputs for inputs.
func run(t testing.TB, ip *interp.Interpreter, inputs ...any) any {
	t.Helper()
	if err := ip.Run(inputs...); err != nil {
		t.Fatal(err)
	}
	return clone(ip.Output(0))
}

// clone copies a slice of any type.
func clone(data any) any {
	v := reflect.ValueOf(data)
	return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v).Interface()
}

// rows returns rows [lo, hi) of a slice that holds n rows.
func rows(data any, n, lo, hi int) any {
	v := reflect.ValueOf(data)
	size := v.Len() / n
	return v.Slice(lo*size, hi*size).Interface()
}

const batch = 7

func TestEveryOperatorIsInSomeNet(t *testing.T) {
	missing := interp.Operators()
	for _, g := range nets(t) {
		for _, n := range g.Nodes {
			missing = slices.DeleteFunc(missing, func(op string) bool { return op == n.Op.Name() })
		}
	}
	if len(missing) > 0 {
		t.Errorf("no test network has %v", missing)
	}
}

// forEach runs f for every net with a batch of inputs and the outputs it gives.
func forEach(t *testing.T, f func(t *testing.T, g *graph.Graph, input, output any)) {
	for name, g := range nets(t) {
		t.Run(name, func(t *testing.T) {
			input := newBuilder(t, 9).data(g.Inputs[0], batch)
			output := run(t, start(t, g, interp.Options{Batch: batch}), input)
			f(t, g, input, output)
		})
	}
}

func TestBatchIsItsRows(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		one := start(t, g, interp.Options{})
		for r := range batch {
			got := run(t, one, rows(input, batch, r, r+1))
			equal(t, fmt.Sprintf("row %d", r), got, rows(output, batch, r, r+1))
		}
		three := start(t, g, interp.Options{Batch: 3})
		for _, span := range [][2]int{{0, 3}, {3, 6}, {6, 7}} { // the last one is not full
			got := run(t, three, rows(input, batch, span[0], span[1]))
			equal(t, fmt.Sprintf("rows %v", span), got, rows(output, batch, span[0], span[1]))
		}
	})
}

func TestOptionsDoNotChangeResults(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		for _, o := range []interp.Options{{Reference: true}, {KeepAll: true}, {Tap: func(*graph.Tensor, []int, any) {}}, {Threads: 1}, {Threads: 2}, {Threads: 5}, {Threads: 99}} {
			o.Batch = batch
			equal(t, fmt.Sprintf("%+v", o), run(t, start(t, g, o), input), output)
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			equal(t, fmt.Sprintf("%d threads", procs), run(t, start(t, g, interp.Options{Batch: batch}), input), output)
		}
	})
}

func TestTapSeesEveryActivationOnce(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		type seen struct {
			shape []int
			data  any
		}
		taps := map[*graph.Tensor]seen{}
		var order []*graph.Tensor
		ip := start(t, g, interp.Options{Batch: batch, KeepAll: true, Tap: func(x *graph.Tensor, shape []int, data any) {
			order = append(order, x)
			taps[x] = seen{shape, clone(data)}
		}})
		if len(order) > 0 {
			t.Fatalf("New tapped %v", order)
		}
		run(t, ip, input)
		want := slices.Clone(g.Inputs)
		for _, n := range g.Nodes {
			want = append(want, n.Output)
		}
		equal(t, "order", order, want)
		shapes, err := g.Shapes(batch)
		if err != nil {
			t.Fatal(err)
		}
		for x, s := range taps {
			equal(t, x.Name+" shape", s.shape, shapes[x])
			equal(t, x.Name, s.data, ip.Tensor(x)) // nothing overwrote it
		}
		equal(t, "output", taps[g.Outputs[0]].data, output)
	})
}

func TestTensorOutlivesTheRunOnlyIfKept(t *testing.T) {
	g := int8Net(t, true)
	input := newBuilder(t, 9).data(g.Inputs[0], 1)
	frugal, kept := start(t, g, interp.Options{}), start(t, g, interp.Options{KeepAll: true})
	equal(t, "output", run(t, frugal, input), run(t, kept, input))
	for _, x := range g.Tensors() {
		switch {
		case kept.Tensor(x) == nil:
			t.Errorf("%q was not kept", x.Name)
		case x.Role == graph.Constant || x == g.Outputs[0]:
			equal(t, x.Name, frugal.Tensor(x), kept.Tensor(x))
		case frugal.Tensor(x) != nil:
			t.Errorf("%q: memory that is used again was handed out", x.Name)
		}
	}
	if kept.Tensor(&graph.Tensor{}) != nil || kept.Output(-1) != nil || kept.Output(1) != nil {
		t.Error("data for tensors that do not exist")
	}
	// The least there can be, in lines of 64 bytes: the first pool's input and output.
	if got, want := frugal.ArenaBytes(), 5*64+3*64; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestRunReadsVariablesAnew(t *testing.T) {
	b := newBuilder(t, 1)
	w := b.floats("w", 1, 1)
	w.Role = graph.Parameter
	g := b.done(b.float(graph.FullyConnected{}, b.input("x", graph.Float32, nil, 1, 1), w))
	ip := start(t, g, interp.Options{})
	for _, v := range []float32{2, 3} {
		w.Float32s()[0] = v
		equal(t, "output", run(t, ip, []float32{5}), []float32{5 * v})
	}
	w.Data = []float32{4}
	equal(t, "output", run(t, ip, []float32{5}), []float32{20})
}

func TestRunErrors(t *testing.T) {
	float, codes := floatNet(t), int8Net(t, false)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	one := make([]float32, 60)
	for _, c := range []struct {
		g      *graph.Graph
		inputs []any
		want   string
	}{
		{float, nil, "0 inputs, want 1"},
		{float, []any{one, one}, "2 inputs, want 1"},
		{float, []any{[]int8{1}}, `input "x": data is []int8, want []float32`},
		{float, []any{nil}, `input "x": data is <nil>, want []float32`},
		{float, []any{"text"}, `input "x": data is string, want []float32`},
		{float, []any{[]float32{}}, `input "x": 0 elements, want 189, the shape [9 7 3], for each of 1 to 2 rows`},
		{float, []any{make([]float32, 190)}, `input "x": 190 elements`},
		{float, []any{make([]float32, 3*189)}, `input "x": 567 elements`},
		{codes, []any{make([]int8, 189)}, `input "in": data is []int8, want []uint8`},
		{hybridNet(t, true), []any{append(slices.Repeat([]float32{1}, 60+4), slices.Repeat([]float32{nan}, 56)...)}, `tensor "x", row 1: element 4 is NaN`},
		{fakeNet(t), []any{append(slices.Repeat([]float32{1}, 23), -inf)}, `tensor "x", row 0: element 23 is -Inf`},
	} {
		ip := start(t, c.g, interp.Options{Batch: 2})
		if err := ip.Run(c.inputs...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	// A float network computes with whatever it is given.
	x := slices.Repeat([]float32{nan}, 189)
	if y := run(t, start(t, float, interp.Options{}), x).([]float32); y[0] == y[0] {
		t.Errorf("NaN became %v", y[0])
	}
}

func TestOverflowInsideANetwork(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 1)
	w := b.floats("w", 1, 1)
	w.Float32s()[0] = math.MaxFloat32
	h := b.op("big", graph.FullyConnected{}, graph.Float32, nil, x, w)
	g := b.done(b.op("y", graph.Quantize{}, graph.Int8, ptr(1, 0), h))
	err := start(t, g, interp.Options{Batch: 2}).Run([]float32{1, 2})
	const want = `interp: node "y" (QUANTIZE): tensor "big", row 1: element 0 is +Inf`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestSeveralInputsAndOutputs(t *testing.T) {
	b := newBuilder(t, 1)
	x, z := b.input("x", graph.Float32, nil, 1, 2), b.input("z", graph.Int8, ptr(0.5, 1), 1, 1)
	g := b.done(b.float(graph.Relu{}, x), b.op("d", graph.Dequantize{}, graph.Float32, nil, z), z)
	ip := start(t, g, interp.Options{Batch: 4})
	run(t, ip, []float32{-1, 2, 3, -4}, []int8{1, 5})
	equal(t, "first", ip.Output(0), []float32{0, 2, 3, 0})
	equal(t, "second", ip.Output(1), []float32{0, 2})
	equal(t, "an input that is an output", ip.Output(2), []int8{1, 5})
	if err := ip.Run([]float32{1, 2}, []int8{1, 2}); err == nil || !strings.Contains(err.Error(), `input "z": 2 elements`) {
		t.Errorf("inputs with different numbers of rows: %v", err)
	}
	if _, err := ip.RunFloat([]float32{1, 2}); err == nil || !strings.Contains(err.Error(), "2 inputs and 3 outputs") {
		t.Errorf("got %v", err)
	}
}

// A run without tap allocates nothing of its own: what is left is the kernels'
// scratch and goroutines.
func TestRunAllocatesLittle(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 8)
	g := b.done(b.float(graph.Reshape{Shape: []int{-1, 4}}, x))
	ip := start(t, g, interp.Options{Batch: 16})
	input := b.data(x, 16)
	if n := testing.AllocsPerRun(100, func() { _ = ip.Run(input) }); n > 1 { // the variadic slice
		t.Errorf("%v allocations", n)
	}
}
