package endtoend

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
)

// Every tensor of every integer file, constants and float borders included, has
// in the interpreter the very elements that LiteRT's reference kernels give it; and
// so have the outputs under every plan.
func TestIntegerFilesEqualLiteRT(t *testing.T) { equalLiteRT(t, integerFiles) }

func equalLiteRT(t *testing.T, files []*file) {
	for _, f := range files {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), f.must(t)
			x, _ := f.testRows(t)
			run := runLiteRT(t, o, m, oracle.Reference, x)
			ours := runInterp(t, m.graph, run.input, run.rows)
			t.Logf("%d tensors, %d rows", len(m.graph.Tensors()), run.rows)
			for i, tensor := range m.graph.Tensors() {
				got := ours[tensor]
				if tensor.Role != graph.Activation {
					got = tensor.Data
				}
				if err := sameElements(got, run.values[tensor]); err != nil {
					t.Errorf("tensor %d %q: %v", i, tensor.Name, err)
				}
			}
			equalOutputs(t, m.graph, run)
		})
	}
}

// liteRTRun is what LiteRT made of a file and some rows. Default kernels leave
// only constants and outputs.
type liteRTRun struct {
	input  any // of the graph's input type
	rows   int
	values map[*graph.Tensor]any
	// scratch are LiteRT's own tensors, those of one kernel after those of the
	// kernel before.
	scratch []oracle.Tensor
}

// runLiteRT runs a file with one input on real rows.
func runLiteRT(t *testing.T, o *oracle.Oracle, m *made, r oracle.Resolver, x []float32) liteRTRun {
	t.Helper()
	in := m.graph.Inputs[0]
	input, err := interp.Encode(in, x)
	if err != nil {
		t.Fatal(err)
	}
	run := liteRTRun{input: input, rows: len(x) / in.Elements(), values: map[*graph.Tensor]any{}}
	tensors, err := o.Run(m.bytes, oracle.Options{Resolver: r, Batch: run.rows}, []oracle.Tensor{inputTensor(t, input)})
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]oracle.Tensor{}
	for _, tensor := range tensors {
		if tensor.Role == oracle.Scratch {
			run.scratch = append(run.scratch, tensor)
		} else if named[tensor.Name] = tensor; tensor.Name == "" {
			t.Fatalf("tensor %d has no name", tensor.Index)
		}
	}
	if got := len(named) + len(run.scratch); got != len(tensors) {
		t.Fatalf("%d of %d tensors have names of their own", got, len(tensors))
	}
	shapes, err := m.graph.Shapes(run.rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range m.graph.Tensors() {
		seen, ok := named[tensor.Name]
		if !ok {
			t.Fatalf("LiteRT has no tensor %q", tensor.Name)
		}
		if r == oracle.Default && seen.Role != oracle.Constant && !m.graph.IsOutput(tensor) {
			continue // fused away
		}
		if seen.Role != oracle.Constant && graph.Elements(shapes[tensor]) == graph.Elements(seen.Shape) {
			seen.Data = seen.Example(0) // computed from constants: the same for each row
		}
		if run.values[tensor], err = elements(seen, tensor.Type); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

// runInterp runs a graph once on all rows and returns every activation.
func runInterp(t *testing.T, g *graph.Graph, input any, rows int) map[*graph.Tensor]any {
	t.Helper()
	values := map[*graph.Tensor]any{}
	tap := func(t *graph.Tensor, _ []int, data any) { values[t] = cloned(data) }
	ip, err := interp.New(g, interp.Options{Batch: rows, Tap: tap})
	if err == nil {
		err = ip.Run(input)
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func cloned(data any) any {
	switch d := data.(type) {
	case []float32:
		return append([]float32(nil), d...)
	case []int8:
		return append([]int8(nil), d...)
	case []uint8:
		return append([]uint8(nil), d...)
	case []int16:
		return append([]int16(nil), d...)
	}
	panic(fmt.Sprintf("an activation of type %T", data))
}

// inputTensor is elements as the oracle takes them.
func inputTensor(t *testing.T, data any) oracle.Tensor {
	t.Helper()
	switch d := data.(type) {
	case []float32:
		return oracle.Input(d)
	case []int8:
		return oracle.Input(d)
	case []uint8:
		return oracle.Input(d)
	case []int16:
		return oracle.Input(d)
	}
	t.Fatalf("no model takes %T", data)
	return oracle.Tensor{}
}

// elements returns what the oracle holds as the slice of a graph's type.
func elements(x oracle.Tensor, typ graph.Type) (any, error) {
	switch typ {
	case graph.Float32:
		return oracle.Values[float32](x)
	case graph.Float16:
		return oracle.Values[uint16](x)
	case graph.Int8:
		return oracle.Values[int8](x)
	case graph.UInt8:
		return oracle.Values[uint8](x)
	case graph.Int16:
		return oracle.Values[int16](x)
	case graph.Int32:
		return oracle.Values[int32](x)
	case graph.Int64:
		return oracle.Values[int64](x)
	}
	return nil, fmt.Errorf("tensor %q: no files hold %v", x.Name, typ)
}

// sameElements reports where two slices of one type differ. Values are compared,
// so that 0 and -0 are equal and NaN is equal to nothing.
func sameElements(got, want any) error {
	switch g := got.(type) {
	case []float32:
		return same(g, want)
	case []uint16:
		return same(g, want)
	case []int8:
		return same(g, want)
	case []uint8:
		return same(g, want)
	case []int16:
		return same(g, want)
	case []int32:
		return same(g, want)
	case []int64:
		return same(g, want)
	}
	return fmt.Errorf("nothing was computed (%T)", got)
}

func same[T comparable](got []T, other any) error {
	want, ok := other.([]T)
	if !ok || len(got) != len(want) {
		return fmt.Errorf("%d elements %T, LiteRT has %T", len(got), got, other)
	}
	if len(got) == 0 {
		return fmt.Errorf("no elements")
	}
	differ, first := 0, -1
	for i := range got {
		if got[i] != want[i] {
			if differ++; first < 0 {
				first = i
			}
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d elements differ, the first at %d: %v, LiteRT has %v", differ, len(got), first, got[first], want[first])
	}
	return nil
}
