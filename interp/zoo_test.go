package interp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/zoo"
)

// zooModel returns an untrained network of the zoo, calibrated on noise, in int8.
func zooModel(t testing.TB, n zoo.Network) *graph.Graph {
	t.Helper()
	return zooModelOf(t, n, quant.Int8(), export.Options{Input: graph.Int8, Output: graph.Int8})
}

// zooModelOf does by a recipe.
func zooModelOf(t testing.TB, n zoo.Network, recipe quant.Recipe, o export.Options) *graph.Graph {
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
	model, err := posttrain.Quantize(t.Context(), net, recipe, noise, posttrain.Options{Export: o})
	if err != nil {
		t.Fatal(err)
	}
	return model
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
