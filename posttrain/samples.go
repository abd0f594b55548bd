package posttrain

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/interp"
)

// How many rows a goroutine runs at once: as many as have their activations in so many
// bytes, about what is near a core, but no more than use its arithmetic.
const (
	nearBytes = 1 << 19
	nearRows  = 16
)

// A tap sees every float32 value of a tensor for some rows of a batch, from row first
// on. Goroutines call it at the same time, for different rows.
type tap func(t *graph.Tensor, first, rows int, values []float32) error

// eachBatch runs samples through g before a tap; step ends a batch of rows. Which rows run
// together depends on g alone.
func eachBatch(ctx context.Context, g *graph.Graph, samples data.Dataset, o feed.Options, see tap, step func(rows int)) error {
	plan, err := interp.PlanMemory(g, interp.Options{})
	if err != nil {
		return err
	}
	most := min(plan.RowsWithin(nearBytes), nearRows)
	count := func(rows int) int { return (rows + most - 1) / most }
	workers := make([]*worker, min(runtime.GOMAXPROCS(0), count(o.Size())))
	faults := make([]error, count(o.Size()))
	parallel.Outer(len(workers), func(k int) { workers[k], faults[k] = newWorker(g, most, see) })
	for _, err := range faults[:len(workers)] {
		if err != nil {
			return err
		}
	}
	return feed.Batches(ctx, g, samples, o, func(index []int, x []float32) error {
		rows, width := len(index), len(x)/len(index)
		parts := count(rows)
		parallel.Outer(min(len(workers), parts), func(k int) {
			for p := k; p < parts; p += len(workers) {
				from, to := parallel.Range(rows, parts, p)
				if faults[p] = workers[k].run(from, to-from, x[from*width:to*width]); faults[p] != nil {
					faults[p] = fmt.Errorf("rows %d to %d: %w", index[from], index[to-1], faults[p])
				}
			}
		})
		for _, err := range faults[:parts] {
			if err != nil {
				return err
			}
		}
		step(rows)
		return nil
	})
}

// A worker runs rows on one goroutine.
type worker struct {
	ip          *interp.Interpreter
	first, rows int       // in flight
	y           []float32 // of no interest
	fault       error
}

func newWorker(g *graph.Graph, most int, see tap) (w *worker, err error) {
	w = &worker{}
	w.ip, err = interp.New(g, interp.Options{Batch: most, Threads: 1, Tap: func(t *graph.Tensor, _ []int, values any) {
		if v, ok := values.([]float32); ok && w.fault == nil {
			if err := see(t, w.first, w.rows, v); err != nil {
				w.fault = fmt.Errorf("tensor %q: %w", t.Name, err)
			}
		}
	}})
	return w, err
}

// run runs rows of a batch from row first on.
func (w *worker) run(first, rows int, x []float32) (err error) {
	w.first, w.rows, w.fault = first, rows, nil
	w.y, err = w.ip.AppendFloat(w.y[:0], x)
	return cmp.Or(err, w.fault)
}
