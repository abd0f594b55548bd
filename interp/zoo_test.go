package interp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/zoo"
)

// zooModel returns an untrained network of the zoo, calibrated on noise, in int8.
func zooModel(t testing.TB, n zoo.Network) *graph.Graph {
	t.Helper()
	net, err := n.Build(n.Input, n.Outputs, 1)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 4
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, rows*net.Inputs[0].Elements())
	for i := range x {
		x[i] = r.Float32()*2 - 1
	}
	noise, err := data.NewMemory(data.Arrays{X: x, InputShape: n.Input, Y: make([]float32, rows)})
	if err != nil {
		t.Fatal(err)
	}
	model, err := posttrain.Quantize(t.Context(), net, quant.Int8(), noise, posttrain.Options{Export: export.Options{Input: graph.Int8, Output: graph.Int8}})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// TestZooWithoutAllocation: once planned, int8 networks run in the memory they
// have, where the processor has vectors; plain Go allocates what it hands to
// goroutines.
func TestZooWithoutAllocation(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, whose tests are short ones, empties pools")
	}
	if q8.Level() == "portable" {
		t.Skip("the promise is for vector kernels")
	}
	for _, n := range zoo.Networks() {
		model := zooModel(t, n)
		for _, batch := range []int{1, 3} {
			ip := start(t, model, interp.Options{Batch: batch})
			var input any = make([]int8, batch*model.Inputs[0].Elements())
			allocations := testing.AllocsPerRun(10, func() {
				if err := ip.Run(input); err != nil {
					t.Fatal(err)
				}
			})
			if batch == 1 && allocations > 0 {
				t.Errorf("%s: %v allocations for a row", n.Name, allocations)
			}
		}
	}
}

// BenchmarkFirstResult reads a file and runs it once.
func BenchmarkFirstResult(b *testing.B) {
	for _, n := range zoo.Networks() {
		b.Run(n.Name, func(b *testing.B) {
			model := zooModel(b, n)
			file, err := tflite.Marshal(model)
			if err != nil {
				b.Fatal(err)
			}
			var input any = make([]int8, model.Inputs[0].Elements())
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				g, err := tflite.Unmarshal(file)
				if err != nil {
					b.Fatal(err)
				}
				ip, err := interp.New(g, interp.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := ip.Run(input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkZoo runs one row at a time.
func BenchmarkZoo(b *testing.B) {
	for _, n := range zoo.Networks() {
		b.Run(n.Name, func(b *testing.B) {
			model := zooModel(b, n)
			ip := start(b, model, interp.Options{})
			var input any = make([]int8, model.Inputs[0].Elements())
			b.ReportAllocs()
			for b.Loop() {
				if err := ip.Run(input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
