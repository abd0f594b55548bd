package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/progress"
)

// Options say which rows are read, and what is shown. The zero value is all rows
// in silence.
type Options struct {
	Rows      int // from the first on; 0 means all
	BatchSize int // 0 means 32
	Progress  io.Writer
	// Label is shown before the count of rows, Done behind it at the end.
	Label, Done string
}

// Size returns the number of rows of a batch.
func (o Options) Size() int {
	if o.BatchSize == 0 {
		return 32
	}
	return o.BatchSize
}

// Order returns the indices of the rows to read.
func (o Options) Order(set data.Dataset) []int {
	rows := set.Len()
	if o.Rows > 0 {
		rows = min(rows, o.Rows)
	}
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	return order
}

// Fits reports rows that the network g cannot take.
func Fits(g *graph.Graph, set data.Dataset) error {
	switch {
	case len(g.Inputs) != 1:
		return fmt.Errorf("network %q has %d inputs, want one", g.Name, len(g.Inputs))
	case set == nil || set.Len() == 0:
		return errors.New("no samples")
	case !slices.Equal(g.Inputs[0].Shape[1:], set.InputShape()):
		return fmt.Errorf("input %q takes rows of shape %v, but the samples have %v", g.Inputs[0].Name, g.Inputs[0].Shape[1:], set.InputShape())
	}
	return nil
}

// Batches calls run for the rows of set, as inputs of g, in order. x is
// overwritten by the next batch.
//
// Errors: rows that g cannot take; those of set and run; ctx's error.
func Batches(ctx context.Context, g *graph.Graph, set data.Dataset, o Options, run func(index []int, x []float32) error) error {
	if err := Fits(g, set); err != nil {
		return err
	}
	order := o.Order(set)
	bar := progress.New(o.Progress, progress.Options{Label: o.Label})
	bar.Start(1, 0, len(order))
	defer bar.Stop()
	width, targets := graph.Elements(set.InputShape()), graph.Elements(set.TargetShape())
	x, y := make([]float32, o.Size()*width), make([]float32, o.Size()*targets)
	done := 0
	for index := range data.Batches(order, o.Size()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		x := x[:len(index)*width]
		if err := set.Read(index, x, y[:len(index)*targets]); err != nil {
			return err
		}
		if err := run(index, x); err != nil {
			return err
		}
		done += len(index)
		bar.Step(done, "")
	}
	bar.EndEpoch(fmt.Sprintf("%d samples, %s", len(order), o.Done))
	return nil
}
