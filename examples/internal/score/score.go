package score

import (
	"context"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// Confusion runs a model on all rows of a set and counts, for each class, which
// class has the largest output.
//
// Errors: those of the interpreter and the set; ctx's error.
func Confusion(ctx context.Context, model *graph.Graph, ds data.Dataset) (train.Confusion, error) {
	const batch = 64
	ip, err := interp.New(model, interp.Options{Batch: batch})
	if err != nil {
		return nil, err
	}
	order := make([]int, ds.Len())
	for i := range order {
		order[i] = i
	}
	width, classes := graph.Elements(ds.InputShape()), model.Outputs[0].Elements()
	confusion := make(train.Confusion, classes)
	for c := range confusion {
		confusion[c] = make([]int, classes)
	}
	for index := range data.Batches(order, batch) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, y := make([]float32, len(index)*width), make([]float32, len(index))
		if err := ds.Read(index, x, y); err != nil {
			return nil, err
		}
		outputs, err := ip.RunFloat(x)
		if err != nil {
			return nil, err
		}
		for i, label := range y {
			confusion[int(label)][train.Largest(outputs[i*classes:][:classes])]++
		}
	}
	return confusion, nil
}

// Accuracy is the share of rows whose class a model predicts.
//
// Errors: as [Confusion].
func Accuracy(ctx context.Context, model *graph.Graph, ds data.Dataset) (float64, error) {
	c, err := Confusion(ctx, model, ds)
	return c.Accuracy(), err
}
