package interp_test

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/zoo"
)

// Once planned, a network runs in the memory it has, whatever the batch: codes in
// and out, and real numbers.
func TestRunsWithoutAllocation(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, whose tests are short ones, empties pools")
	}
	if q8.Level() == "portable" {
		t.Skip("the promise is for vector kernels")
	}
	const batch = 24
	nets := map[string]*graph.Graph{
		"int8 images": imageNet(t, graph.Int8), "float32 images": imageNet(t, graph.Float32),
		"int8": int8Net(t, true), "float32 branches": branchNet(t, graph.Float32), "int8 branches": branchNet(t, graph.Int8),
	}
	for _, n := range zoo.Networks() {
		nets[n.Name] = zooModel(t, n)
		nets[n.Name+" int16x8"] = zooModelOf(t, n, quant.Int16x8(), export.Options{Input: graph.Int16, Output: graph.Int16})
		nets[n.Name+" dynamic range"] = zooModelOf(t, n, quant.DynamicRange(), export.Options{})
	}
	for name, g := range nets {
		for _, threads := range []int{1, 2} {
			ip := start(t, g, interp.Options{Batch: batch, Threads: threads})
			real := newBuilder(t, 3).data(&graph.Tensor{Shape: g.Inputs[0].Shape}, batch).([]float32)
			y := make([]float32, 0, batch*g.Outputs[0].Elements())
			row := g.Inputs[0].Elements()
			for _, rows := range []int{batch, 1, 5} {
				float := func() {
					if _, err := ip.AppendFloat(y, real[:rows*row]); err != nil {
						t.Fatal(err)
					}
				}
				codes := float
				switch x := newBuilder(t, 3).data(g.Inputs[0], rows).(type) {
				case []int8:
					codes = func() { runTyped[int8, int8](t, ip, x) }
				case []uint8:
					codes = func() { runTyped[uint8, float32](t, ip, x) }
				case []int16:
					codes = func() { runTyped[int16, int16](t, ip, x) }
				case []float32:
					codes = func() { runTyped[float32, float32](t, ip, x) }
				}
				if n := allocations(float); n > 0 {
					t.Errorf("%s, %d threads, %d rows: %v allocations for real rows", name, threads, rows, n)
				}
				if n := allocations(codes); n > 0 {
					t.Errorf("%s, %d threads, %d rows: %v allocations", name, threads, rows, n)
				}
			}
		}
	}
}

// runTyped runs rows of codes and takes the output's.
func runTyped[In, Out interp.Element](t *testing.T, ip *interp.Interpreter, x []In) {
	if err := ip.Run(x); err != nil {
		t.Fatal(err)
	}
	if _, err := interp.Output[Out](ip, 0); err != nil {
		t.Fatal(err)
	}
}

func TestOutputOfAType(t *testing.T) {
	g := imageNet(t, graph.Int8)
	for _, threads := range []int{1, 3} {
		ip := start(t, g, interp.Options{Batch: 4, Threads: threads})
		for _, n := range []int{4, 1, 2} {
			run(t, ip, newBuilder(t, 3).data(g.Inputs[0], n))
			y, err := interp.Output[int8](ip, 0)
			if err != nil || len(y) != n*10 {
				t.Fatalf("%d codes, error %v", len(y), err)
			}
			equal(t, "any output", ip.Output(0), y)
		}
		if _, err := interp.Output[float32](ip, 0); err == nil || !strings.Contains(err.Error(), `interp: output "FULLY_CONNECTED": data is []int8, want []float32`) {
			t.Errorf("got %v", err)
		}
		for _, i := range []int{-1, 1} {
			if _, err := interp.Output[int8](ip, i); err == nil || !strings.Contains(err.Error(), "interp: there is no output") {
				t.Errorf("got %v", err)
			}
		}
	}
}

func TestAppendFloat(t *testing.T) {
	g := imageNet(t, graph.Int8)
	ip := start(t, g, interp.Options{Batch: 4})
	x := newBuilder(t, 3).data(&graph.Tensor{Shape: []int{28 * 28}}, 7).([]float32)
	want, err := ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ip.AppendFloat([]float32{1, 2}, x)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", got, append([]float32{1, 2}, want...))
	codes, err := interp.Encode(g.Inputs[0], x[4*28*28:])
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the codes of the last rows", ip.Output(0), run(t, start(t, g, interp.Options{Batch: 4}), codes))
}

// allocations counts the objects of a call. A collection meanwhile would empty pools.
func allocations(call func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	return testing.AllocsPerRun(20, call)
}
