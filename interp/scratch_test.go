package interp_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/zoo"
)

// What the first run of a network allocates is the scratch memory of its kernels: no
// more than the plan says.
func TestScratchIsPlanned(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, whose tests are short ones, empties pools")
	}
	for _, n := range zoo.Networks() {
		nets := map[string]*graph.Graph{
			"int8": zooModel(t, n), "int16x8": zooModelOf(t, n, quant.Int16x8(), export.Options{Input: graph.Int16, Output: graph.Int16}),
			"dynamic range": zooModelOf(t, n, quant.DynamicRange(), export.Options{}),
		}
		for mode, g := range nets {
			ip := start(t, g, interp.Options{Threads: 1})
			planned := 0
			if mode == "dynamic range" && !f32.Fused() {
				planned = 50_000 // a small convolution stays float32: see MemoryStep
			}
			for _, s := range ip.MemoryPlan().Steps {
				planned += s.ScratchBytes
			}
			x := newBuilder(t, 3).data(g.Inputs[0], 1)
			taken := bytesOfRun(func() {
				if err := ip.Run(x); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%s, %s: planned %d bytes, took %d", n.Name, mode, planned, taken)
			if taken > planned {
				t.Errorf("%s, %s: planned %d bytes, took %d", n.Name, mode, planned, taken)
			}
		}
	}
}

// bytesOfRun returns what f allocates with all pools empty.
func bytesOfRun(f func()) int {
	for range 3 { // pools let go of what two collections found unused
		runtime.GC()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
