package interp_test

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// imageNet is a small network on images of 28x28, in int8 or float32.
func imageNet(t testing.TB, typ graph.Type) *graph.Graph {
	b := newBuilder(t, 1)
	p := ptr(0.0213, -7)
	if typ == graph.Float32 {
		p = nil
	}
	anchor := func(op graph.Op, x *graph.Tensor, shape ...int) *graph.Tensor {
		name := b.Unique(op.Name())
		if typ == graph.Float32 {
			return b.float(op, x, b.floats(name+"/w", shape...), b.floats(name+"/b", shape[0]))
		}
		w := b.weights(name+"/w", true, shape...)
		return b.op(name, op, typ, p, x, w, b.bias(name+"/b", x, w))
	}
	conv := graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: quant.Relu}
	pool := graph.MaxPool2D{Pool: graph.Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}}
	h := anchor(conv, b.input("x", typ, p, 1, 28, 28, 1), 16, 3, 3, 1)
	h = b.op("pool1", pool, typ, p, h)
	h = anchor(conv, h, 32, 3, 3, 16)
	h = b.op("pool2", pool, typ, p, h)
	h = b.op("flat", graph.Reshape{Shape: []int{-1, h.Elements()}}, typ, p, h)
	return b.done(anchor(graph.FullyConnected{}, h, 10, h.Shape[1]))
}

func BenchmarkRun(b *testing.B) {
	for _, typ := range []graph.Type{graph.Int8, graph.Float32} {
		for _, o := range []interp.Options{{Batch: 1}, {Batch: 1, Threads: 1}, {Batch: 64}, {Batch: 64, Threads: 1}, {Batch: 64, Threads: 2}} {
			batch := o.Batch
			b.Run(fmt.Sprintf("%v/batch=%d/threads=%d", typ, batch, o.Threads), func(b *testing.B) {
				g := imageNet(b, typ)
				ip := start(b, g, o)
				input := newBuilder(b, 2).data(g.Inputs[0], batch)
				b.ReportAllocs()
				for b.Loop() {
					if err := ip.Run(input); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(batch)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkClone makes another interpreter of a planned one.
func BenchmarkClone(b *testing.B) {
	ip := start(b, imageNet(b, graph.Int8), interp.Options{})
	b.ReportAllocs()
	for b.Loop() {
		ip.Clone()
	}
}

// BenchmarkAppendFloat runs rows of real numbers, Options.Batch at a time.
func BenchmarkAppendFloat(b *testing.B) {
	g := imageNet(b, graph.Int8)
	const rows = 640
	x := newBuilder(b, 2).data(&graph.Tensor{Shape: []int{28 * 28}}, rows).([]float32)
	for _, o := range []interp.Options{{Batch: 8, Threads: 2}, {Batch: 64}, {Batch: 64, Threads: 1}, {Batch: 64, Threads: 2}, {Batch: 256, Threads: 2}} {
		b.Run(fmt.Sprintf("batch=%d/threads=%d", o.Batch, o.Threads), func(b *testing.B) {
			ip := start(b, g, o)
			var y []float32
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if y, err = ip.AppendFloat(y[:0], x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
