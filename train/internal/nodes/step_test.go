package nodes

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
)

// TestExecutorsAgree trains a network with every operator on both executors and
// on one and two threads: all variables must have the same bits.
func TestExecutorsAgree(t *testing.T) {
	config := Config{Batch: 160, Training: true, Seed: 5, Loss: &Loss{Kind: SparseCategoricalCrossentropy}}
	run := func(e Executor, threads int) (losses, variable []float32) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		g := every(t).Graph
		config.Executor = e
		losses = sgd(t, g, config, 20, 5, 0.1)
		return losses, variables(g)
	}
	losses, want := run(Fast, 1)
	if last := losses[len(losses)-1]; !(last < losses[0]) {
		t.Errorf("the loss went from %v to %v: nothing was learned", losses[0], last)
	}
	for _, c := range []struct {
		name    string
		e       Executor
		threads int
	}{{"tape", Tape, 1}, {"fast, 2 threads", Fast, 2}, {"tape, 2 threads", Tape, 2}} {
		l, v := run(c.e, c.threads)
		same(t, c.name+": losses", losses, l)
		same(t, c.name+": variables", want, v)
	}
}

// TestBatchesShareParameters: steps of different batches see the same
// parameters, updates included, and compute the same rows.
func TestBatchesShareParameters(t *testing.T) {
	g := every(t).Graph
	sgd(t, g, Config{Batch: 4, Training: true, Loss: &Loss{Kind: SparseCategoricalCrossentropy}}, 3, 5, 0.1)
	all := compile(t, g, Config{Batch: 5})
	one := compile(t, g, Config{Batch: 1})
	for range 2 {
		fill(all, rng.New(1), 1)
		if err := all.Run(0); err != nil {
			t.Fatal(err)
		}
		in, out := len(one.Input()), len(one.Output())
		for r := range 5 {
			copy(one.Input(), all.Input()[r*in:])
			if err := one.Run(0); err != nil {
				t.Fatal(err)
			}
			same(t, "row", all.Output()[r*out:(r+1)*out], one.Output())
		}
		for _, p := range g.Parameters() {
			for i := range p.Float32s() {
				p.Float32s()[i] *= 0.5
			}
		}
	}
}

// TestUnusedParameter: a parameter that the loss does not depend on has a
// gradient of zeros.
func TestUnusedParameter(t *testing.T) {
	n, x := newNet(t, 3)
	n.dense("unused", x, 2)
	n.dense("used", x, 2)
	s := compile(t, n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
	fill(s, rng.New(1), 9)
	if err := s.Run(0); err != nil {
		t.Fatal(err)
	}
	for i, p := range n.Parameters() {
		g := s.Gradients()[i]
		if len(g) != p.Elements() {
			t.Errorf("%s: %d gradients for %v", p.Name, len(g), p.Shape)
		}
		if zero := slices.Max(g) == 0 && slices.Min(g) == 0; zero != strings.HasPrefix(p.Name, "unused") {
			t.Errorf("%s: gradient %v", p.Name, g)
		}
	}
}

// TestRunAllocatesLittle: no buffer is allocated by a run. The smallest
// activation of a batch takes 160*5*4 = 3,200 bytes, the largest 164 KB; all of
// them together and their gradients are over a megabyte.
func TestRunAllocatesLittle(t *testing.T) {
	s := compile(t, every(t).Graph, Config{Batch: 160, Training: true, Loss: &Loss{Kind: SparseCategoricalCrossentropy}})
	step := func() {
		if err := s.Run(0); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	step()
	const runs = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		step()
	}
	runtime.ReadMemStats(&after)
	if perRun := (after.TotalAlloc - before.TotalAlloc) / runs; perRun > 32<<10 {
		t.Errorf("a run allocates %d bytes", perRun)
	}
}

// TestConcurrentSteps compiles and trains equal networks at the same time:
// Gorgonia's global state must neither race (under -race) nor leak between them.
func TestConcurrentSteps(t *testing.T) {
	config := Config{Batch: 3, Training: true, Loss: &Loss{Kind: SparseCategoricalCrossentropy}}
	train := func(t *testing.T, e Executor) []float32 {
		c, g := config, every(t).Graph
		c.Executor = e
		sgd(t, g, c, 5, 5, 0.1)
		return variables(g)
	}
	want := train(t, Fast)
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			same(t, "variables", want, train(t, Executor(i%2)))
		})
	}
}

// TestIdentity: a network that does nothing outside training returns its input.
func TestIdentity(t *testing.T) {
	for _, e := range []Executor{Fast, Tape} {
		n, x := newNet(t, 2)
		n.add("dropout", graph.Dropout{Rate: 0.5}, x)
		s := compile(t, n.Graph, Config{Batch: 2, Executor: e})
		copy(s.Input(), []float32{1, 2, 3, 4})
		if err := s.Run(0); err != nil {
			t.Fatal(err)
		}
		same(t, "output", []float32{1, 2, 3, 4}, s.Output())
	}
}
