package compare

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/train"
)

// detection tells rows that are normal, of class 0, from anomalies, of class 1. The
// network learns to give normal rows back. What it gives back worse than nearly all
// of the rows that it has learned from is an anomaly.
type detection struct{}

// normalShare is the share of the training rows that a detector takes for normal.
const normalShare = 0.95

// Detector is how one file tells anomalies.
type Detector struct {
	Name string `json:"name"` // of the row
	// Threshold is the mean squared error from which on a row is an anomaly: what
	// 95 % of the training rows do not exceed with this very file.
	Threshold float64 `json:"threshold"`
	// AUC is the area under the ROC curve: the share of the pairs of a normal test
	// row and an anomaly in which the anomaly has the larger error.
	AUC float64 `json:"auc"`
}

func (detection) outputs(shape []int, _ int) int { return graph.Elements(shape) }

// lessons are the normal rows, to be given back.
func (detection) lessons(train data.Dataset) (data.Dataset, error) {
	labels, err := data.Labels(train)
	if err != nil {
		return nil, err
	}
	var normal []int
	for i, l := range labels {
		if l == 0 {
			normal = append(normal, i)
		}
	}
	if len(normal) == 0 || data.Classes(train) != 2 {
		return nil, fmt.Errorf("compare: a detector learns from normal rows, of class 0, and is tested on anomalies too, of class 1: there are %d classes and %d normal training rows", data.Classes(train), len(normal))
	}
	rows, err := data.Subset(train, normal)
	if err != nil {
		return nil, err
	}
	return data.Reconstruct(rows), nil
}

func (detection) config() train.Config { return train.Config{Loss: train.MeanSquaredError{}} }

func (detection) judge(ctx context.Context, g *graph.Graph, lessons, test data.Dataset, p Progress) (judgement, error) {
	labels, err := data.Labels(test)
	if err != nil {
		return judgement{}, err
	}
	learned, err := squaredErrors(ctx, g, lessons, Progress{p.Writer, p.Label + ", threshold"})
	if err != nil {
		return judgement{}, err
	}
	errors, err := squaredErrors(ctx, g, test, p)
	if err != nil {
		return judgement{}, err
	}
	slices.Sort(learned)
	threshold := learned[int(math.Ceil(normalShare*float64(len(learned))))-1]
	j := judgement{predictions: make([]int, len(errors)), detector: &Detector{Threshold: threshold, AUC: auc(errors, labels)}}
	for i, e := range errors {
		if e > threshold {
			j.predictions[i] = 1
		}
	}
	return j, nil
}

// squaredErrors returns for each row the mean squared error of what the model
// gives back.
func squaredErrors(ctx context.Context, g *graph.Graph, ds data.Dataset, p Progress) ([]float64, error) {
	if err := fits(g, ds, graph.Elements(ds.InputShape()), "input"); err != nil {
		return nil, err
	}
	var list []float64
	err := eachRow(ctx, g, ds, interp.LiteRT, p, func(x, y []float32) {
		sum := 0.0
		for i := range x {
			d := float64(x[i]) - float64(y[i])
			sum += float64(d * d)
		}
		list = append(list, sum/float64(len(x)))
	})
	return list, err
}

// auc returns the share of the pairs of a row of class 0 and one of class 1 in
// which the latter has the larger score, ties counting half; 0.5 without pairs.
func auc(scores []float64, labels []int) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	var zeros, ones, pairs float64
	for i := 0; i < len(order); {
		var z, o float64 // of equal scores
		for j := i; i < len(order) && scores[order[i]] == scores[order[j]]; i++ {
			if labels[order[i]] == 1 {
				o++
			} else {
				z++
			}
		}
		pairs += float64(o * (zeros + z/2))
		zeros, ones = zeros+z, ones+o
	}
	if zeros == 0 || ones == 0 {
		return 0.5
	}
	return pairs / (zeros * ones)
}
