package endtoend

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// plans are ways to run a file of which nothing but the outputs is of interest:
// memory is used again, reshapes have none, pads are part of convolutions, and rows
// are divided.
var plans = []interp.Options{
	{Batch: 1}, {Batch: 1, Threads: 1}, {Batch: 5, Threads: 1}, {Batch: 5, Threads: 2}, {Batch: 64, Threads: 3},
}

// equalOutputs holds the outputs of a file under every plan to LiteRT's.
func equalOutputs(t *testing.T, g *graph.Graph, run liteRTRun) {
	t.Helper()
	x := g.Inputs[0]
	for _, o := range plans {
		ip, err := interp.New(g, o)
		if err != nil {
			t.Fatal(err)
		}
		for first := 0; first < run.rows; first += o.Batch {
			last := min(first+o.Batch, run.rows)
			if err := ip.Run(section(run.input, first*x.Elements(), last*x.Elements())); err != nil {
				t.Fatal(err)
			}
			for i, y := range g.Outputs {
				if err := sameElements(ip.Output(i), section(run.values[y], first*y.Elements(), last*y.Elements())); err != nil {
					t.Errorf("%+v, rows %d to %d: output %q: %v", o, first, last-1, y.Name, err)
					break
				}
			}
		}
	}
}

// The networks make use of all that a plan may do, and take no more memory than they
// must.
func TestPlansAreUsed(t *testing.T) {
	notes := map[string]int{}
	for _, f := range integerFiles {
		if f.border != graph.Int8.String() {
			continue
		}
		m, err := interp.PlanMemory(f.must(t).graph, interp.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range m.Steps {
			notes[s.Note]++
		}
		if m.ArenaBytes != m.PeakBytes {
			t.Errorf("%s: %d bytes, of which %d are in use at most", f, m.ArenaBytes, m.PeakBytes)
		}
	}
	t.Logf("%v", notes)
	if notes["in place"] == 0 || notes["part of the next"] == 0 {
		t.Errorf("%v", notes)
	}
}
