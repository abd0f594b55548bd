package nodes

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// cnn is conv 3x3x16 - pool - conv 3x3x32 - pool - dense 10 on 28x28 images,
// with relu fused into the convolutions; quantized adds FakeQuant nodes for
// weights and activations.
func cnn(t testing.TB, quantized bool) *graph.Graph {
	g := &graph.Graph{Name: "cnn"}
	random := rng.New(1)
	add := func(name string, op graph.Op, in ...*graph.Tensor) *graph.Tensor {
		y, err := g.Add(name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = []*graph.Tensor{y}
		return y
	}
	weights := func(name string, shape ...int) *graph.Tensor {
		w := &graph.Tensor{Name: name, Role: graph.Parameter, Shape: shape, Data: make([]float32, graph.Elements(shape))}
		for i := range w.Float32s() {
			w.Float32s()[i] = 0.1 * (2*random.Float32() - 1)
		}
		if !quantized {
			return w
		}
		q := &graph.Quantizer{Name: name, Bits: 8, Symmetric: true, Narrow: true, Source: graph.LastValue}
		return add(name+"/fq", graph.FakeQuant{Quantizer: q}, w)
	}
	observed := func(x *graph.Tensor) *graph.Tensor {
		if !quantized {
			return x
		}
		q := graph.NewObserved(x.Name, quant.Scheme{Bits: 8}, 0.99)
		return add(x.Name+"/fq", graph.FakeQuant{Quantizer: q, Observe: true}, x)
	}
	bias := func(name string, units int) *graph.Tensor {
		return &graph.Tensor{Name: name, Role: graph.Parameter, Shape: []int{units}, Data: make([]float32, units)}
	}
	h := observed(g.AddInput("x", graph.Float32, []int{1, 28, 28, 1}))
	for i, filters := range []int{16, 32} {
		name := []string{"conv1", "conv2"}[i]
		op := graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: quant.Relu}
		h = observed(add(name, op, h, weights(name+"/w", filters, 3, 3, h.Shape[3]), bias(name+"/b", filters)))
		h = add("pool_"+name, graph.MaxPool2D{Pool: graph.Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}}, h)
	}
	h = add("flatten", graph.Reshape{Shape: []int{-1, 1568}}, h)
	observed(add("dense", graph.FullyConnected{}, h, weights("dense/w", 10, 1568), bias("dense/b", 10)))
	return g
}

// BenchmarkStep measures forward, loss, gradients and commit of a CNN.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name      string
		quantized bool
		executor  Executor
	}{{"float", false, Fast}, {"float tape", false, Tape}, {"fakequant", true, Fast}} {
		b.Run(c.name, func(b *testing.B) {
			s := compile(b, cnn(b, c.quantized), Config{
				Batch: 128, Training: true, Executor: c.executor,
				Loss: &Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true},
			})
			fill(s, rng.New(2), 10)
			b.ReportAllocs()
			for step := uint64(0); b.Loop(); step++ {
				if err := s.Run(step); err != nil {
					b.Fatal(err)
				}
				if err := s.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
