package compare

import (
	"context"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// task is what a network learns, and how a file that has learned it is judged.
type task interface {
	// outputs is the number of outputs for inputs of a shape and classes.
	outputs(shape []int, classes int) int
	// lessons returns what training reads of a training set.
	lessons(train data.Dataset) (data.Dataset, error)
	// config is the loss, and what is reported beside it.
	config() train.Config
	// judge returns the class of each test row by a model that has learned from
	// lessons.
	judge(ctx context.Context, g *graph.Graph, lessons, test data.Dataset, p Progress) (judgement, error)
}

// judgement is what a model makes of the test rows.
type judgement struct {
	predictions []int
	detector    *Detector // nil for classifiers
}

// classification tells classes by one output for each of them, a logit.
type classification struct{}

func (classification) outputs(_ []int, classes int) int { return classes }

func (classification) lessons(train data.Dataset) (data.Dataset, error) { return train, nil }

func (classification) config() train.Config {
	return train.Config{Loss: train.SparseCategoricalCrossentropy{FromLogits: true}, Metrics: []train.Metric{train.Accuracy{}}}
}

func (classification) judge(ctx context.Context, g *graph.Graph, _, test data.Dataset, p Progress) (judgement, error) {
	predictions, err := Predict(ctx, g, test, interp.LiteRT, p)
	return judgement{predictions: predictions}, err
}
