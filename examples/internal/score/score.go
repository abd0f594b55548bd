package score

import (
	"context"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// Predictions runs a model on all rows of a set and returns the class with the
// largest output for each, and the labels.
//
// Errors: those of the interpreter and the set; ctx's error.
func Predictions(ctx context.Context, model *graph.Graph, ds data.Dataset) (predicted, labels []int, err error) {
	const batch = 64
	ip, err := interp.New(model, interp.Options{Batch: batch})
	if err != nil {
		return nil, nil, err
	}
	order := make([]int, ds.Len())
	for i := range order {
		order[i] = i
	}
	width, classes := graph.Elements(ds.InputShape()), model.Outputs[0].Elements()
	for index := range data.Batches(order, batch) {
		x, y := make([]float32, len(index)*width), make([]float32, len(index))
		if err := errorOr(ctx, ds.Read(index, x, y)); err != nil {
			return nil, nil, err
		}
		outputs, err := ip.RunFloat(x)
		if err != nil {
			return nil, nil, err
		}
		for row := range slices.Chunk(outputs, classes) {
			predicted = append(predicted, train.Largest(row))
		}
		for _, label := range y {
			labels = append(labels, int(label))
		}
	}
	return predicted, labels, nil
}

// errorOr returns err, or ctx's error.
func errorOr(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return ctx.Err()
}

// Accuracy is the share of rows whose class a model predicts.
//
// Errors: as [Predictions].
func Accuracy(ctx context.Context, model *graph.Graph, ds data.Dataset) (float64, error) {
	predicted, labels, err := Predictions(ctx, model, ds)
	if err != nil {
		return 0, err
	}
	right := 0
	for i, p := range predicted {
		if p == labels[i] {
			right++
		}
	}
	return float64(right) / float64(max(len(labels), 1)), nil
}
