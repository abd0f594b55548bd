package interp_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// Clones that run at the same time, on batches of every size, compute what one
// interpreter does.
func TestClonesRunAtTheSameTime(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		for _, threads := range []int{0, 1, 2} {
			first := start(t, g, interp.Options{Batch: batch, Threads: threads})
			var all sync.WaitGroup
			for k := range 4 {
				ip := first.Clone()
				if k == 0 {
					ip = first
				}
				all.Go(func() {
					for round := range 6 {
						lo := (k + round) % batch
						hi := lo + 1 + (k*round)%(batch-lo)
						if err := ip.Run(rows(input, batch, lo, hi)); err != nil {
							t.Error(err)
							return
						}
						got, want := fmt.Sprint(ip.Output(0)), fmt.Sprint(rows(output, batch, lo, hi))
						if got != want {
							t.Errorf("%d threads, clone %d, rows %d to %d:\n got %s\nwant %s", threads, k, lo, hi, got, want)
						}
					}
				})
			}
			all.Wait()
		}
	})
}

// A clone costs the memory of activations and little more.
func TestCloneIsCheap(t *testing.T) {
	ip := start(t, imageNet(t, graph.Int8), interp.Options{})
	var before, after runtime.MemStats
	const clones = 64
	kept := make([]*interp.Interpreter, clones)
	runtime.ReadMemStats(&before)
	for i := range kept {
		kept[i] = ip.Clone()
	}
	runtime.ReadMemStats(&after)
	each := int(after.TotalAlloc-before.TotalAlloc) / clones
	t.Logf("%d bytes a clone, arena %d, constants %d", each, ip.ArenaBytes(), ip.MemoryPlan().ConstantBytes)
	if most := ip.ArenaBytes() + 8<<10; each > most {
		t.Errorf("a clone took %d bytes, want at most %d", each, most)
	}
	runtime.KeepAlive(kept)
}

// Variables are read anew by each clone.
func TestClonesReadVariables(t *testing.T) {
	b := newBuilder(t, 1)
	w := b.floats("w", 1, 1)
	w.Role = graph.Parameter
	g := b.done(b.float(graph.FullyConnected{}, b.input("x", graph.Float32, nil, 1, 1), w))
	ip := start(t, g, interp.Options{Batch: 4, Threads: 2})
	clone := ip.Clone()
	for _, v := range []float32{2, 3} {
		w.Data = []float32{v}
		for _, ip := range []*interp.Interpreter{ip, clone} {
			equal(t, "output", run(t, ip, []float32{5, 1, 2}), []float32{5 * v, v, 2 * v})
		}
	}
}

// The rows that errors name are those of the batch, whatever the number of
// threads.
func TestThreadsNameRows(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 1)
	w := b.floats("w", 1, 1)
	w.Float32s()[0] = 3e38
	h := b.op("big", graph.FullyConnected{}, graph.Float32, nil, x, w)
	g := b.done(b.op("y", graph.Quantize{}, graph.Int8, ptr(1, 0), h))
	for threads := range 6 {
		ip := start(t, g, interp.Options{Batch: 4, Threads: threads})
		err := ip.Run([]float32{1, 1, 1, 2})
		const want = `interp: node "y" (QUANTIZE): tensor "big", row 3: element 0 is +Inf, which has no code`
		if err == nil || err.Error() != want {
			t.Errorf("%d threads: got %v, want %q", threads, err, want)
		}
		equal(t, "after an error", run(t, ip, []float32{0, 0, 0}), []int8{0, 0, 0})
	}
}

// Rows that depend on each other stay together.
func TestThreadsLeaveRowsTogether(t *testing.T) {
	build := map[string]func(b builder, x *graph.Tensor) *graph.Tensor{
		"joined rows": func(b builder, x *graph.Tensor) *graph.Tensor { return b.float(graph.Concat{Axis: 0}, x, x) },
		"a range of all": func(b builder, x *graph.Tensor) *graph.Tensor {
			return b.float(graph.FakeQuant{Quantizer: &graph.Quantizer{Name: "q", Bits: 8, Axis: -1, Source: graph.Dynamic}}, x)
		},
		"the last range": func(b builder, x *graph.Tensor) *graph.Tensor {
			return b.float(graph.FakeQuant{Quantizer: &graph.Quantizer{Name: "q", Bits: 8, Axis: -1, Source: graph.LastValue}}, x)
		},
		"one long row": func(b builder, x *graph.Tensor) *graph.Tensor {
			return b.float(graph.Softmax{}, b.float(graph.Reshape{Shape: []int{1, -1}}, x))
		},
		"no rows": func(b builder, x *graph.Tensor) *graph.Tensor {
			return b.float(graph.Softmax{}, b.float(graph.Reshape{Shape: []int{-1}}, x))
		},
	}
	for name, layer := range build {
		b := newBuilder(t, 1)
		x := b.input("x", graph.Float32, nil, 1, 6)
		g := b.done(layer(b, x))
		input := b.data(x, 5)
		want := run(t, start(t, g, interp.Options{Batch: 5, Threads: 1}), input)
		ip := start(t, g, interp.Options{Batch: 5, Threads: 3})
		equal(t, name, run(t, ip, input), want)
		if m := ip.MemoryPlan(); m.Arenas != 1 || m.Rows != 5 {
			t.Errorf("%s: %d arenas of %d rows", name, m.Arenas, m.Rows)
		}
	}
}
