package nodes

import (
	"runtime"
	"testing"
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
