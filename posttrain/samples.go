package posttrain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/progress"
	"github.com/goqat/goqat/interp"
)

// sampling says which rows of a set run through a network, and what is shown.
type sampling struct {
	Rows        int // 0 means all
	BatchSize   int // 0 means 32
	Progress    io.Writer
	Label, Done string // before and behind the count of rows
}

// fits reports samples that the network cannot take.
func fits(g *graph.Graph, samples data.Dataset) error {
	switch {
	case len(g.Inputs) != 1:
		return fmt.Errorf("network %q has %d inputs, want one", g.Name, len(g.Inputs))
	case samples == nil || samples.Len() == 0:
		return errors.New("no samples to calibrate with")
	case !slices.Equal(g.Inputs[0].Shape[1:], samples.InputShape()):
		return fmt.Errorf("input %q takes rows of shape %v, but the samples have %v", g.Inputs[0].Name, g.Inputs[0].Shape[1:], samples.InputShape())
	}
	return nil
}

// eachBatch runs samples through g. tap sees every float32 value of a batch of
// rows, and step ends the batch.
func eachBatch(ctx context.Context, g *graph.Graph, samples data.Dataset, s sampling, tap func(t *graph.Tensor, rows int, values []float32) error, step func(rows int)) error {
	if err := fits(g, samples); err != nil {
		return err
	}
	size := s.BatchSize
	if size == 0 {
		size = 32
	}
	rows := 0 // of the batch
	var fault error
	ip, err := interp.New(g, interp.Options{Batch: size, Tap: func(t *graph.Tensor, _ []int, values any) {
		if v, ok := values.([]float32); ok && fault == nil {
			if err := tap(t, rows, v); err != nil {
				fault = fmt.Errorf("tensor %q: %w", t.Name, err)
			}
		}
	}})
	if err != nil {
		return err
	}
	order := s.order(samples)
	bar := progress.New(s.Progress, progress.Options{Label: s.Label})
	bar.Start(1, 0, len(order))
	defer bar.Stop()
	width := graph.Elements(samples.InputShape())
	x := make([]float32, size*width)
	y := make([]float32, size*graph.Elements(samples.TargetShape()))
	done := 0
	for index := range data.Batches(order, size) {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows = len(index)
		x := x[:rows*width]
		if err := samples.Read(index, x, y[:len(y)/size*rows]); err != nil {
			return err
		}
		if _, err := ip.RunFloat(x); err != nil {
			return err
		}
		if fault != nil {
			return fmt.Errorf("rows %d to %d: %w", index[0], index[rows-1], fault)
		}
		step(rows)
		done += rows
		bar.Step(done, "")
	}
	bar.EndEpoch(fmt.Sprintf("%d samples, %s", len(order), s.Done))
	return nil
}

// order returns the indices of the rows to use.
func (s sampling) order(samples data.Dataset) []int {
	rows := samples.Len()
	if s.Rows > 0 {
		rows = min(rows, s.Rows)
	}
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	return order
}
