package posttrain

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/interp"
)

// eachBatch runs samples through g. tap sees every float32 value of a batch of
// rows, and step ends the batch.
func eachBatch(ctx context.Context, g *graph.Graph, samples data.Dataset, o feed.Options, tap func(t *graph.Tensor, rows int, values []float32) error, step func(rows int)) error {
	rows := 0 // of the batch
	var fault error
	ip, err := interp.New(g, interp.Options{Batch: o.Size(), Tap: func(t *graph.Tensor, _ []int, values any) {
		if v, ok := values.([]float32); ok && fault == nil {
			if err := tap(t, rows, v); err != nil {
				fault = fmt.Errorf("tensor %q: %w", t.Name, err)
			}
		}
	}})
	if err != nil {
		return err
	}
	return feed.Batches(ctx, g, samples, o, func(index []int, x []float32) error {
		rows = len(index)
		if _, err := ip.RunFloat(x); err != nil {
			return err
		}
		if fault != nil {
			return fmt.Errorf("rows %d to %d: %w", index[0], index[rows-1], fault)
		}
		step(rows)
		return nil
	})
}
