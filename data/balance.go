package data

import (
	"fmt"
	"slices"
)

// ClassWeights are the weights that make classes of different sizes count alike in a loss: with n rows and
// k classes, of which count belong to class c,
//
//	weight[c] = n / (k * count)
//
// so that their mean over all rows is 1. They are what train.FitConfig's ClassWeight takes.
//
// Errors: a set whose targets are not class labels; a class without rows, for which no weight makes up.
//
// Source: scikit-learn, compute_class_weight, "balanced".
func ClassWeights(ds Dataset) (map[int]float32, error) {
	rows, err := classRows(ds)
	if err != nil {
		return nil, err
	}
	weights := make(map[int]float32, len(rows))
	for c := range rows {
		weights[c] = float32(float64(ds.Len()) / float64(len(rows)*len(rows[c])))
	}
	return weights, nil
}

// Oversample repeats rows so that all classes have as many as the largest: the set itself, followed by what the
// other classes lack. Each row of a class is repeated equally often, as far as whole rows allow; seed says which
// are repeated once more.
//
// Split first and repeat rows in the training part only, or copies of a row stand on both sides. Augment last, so
// that each copy gets changes of its own.
//
// Errors: a set whose targets are not class labels; a class without rows.
func Oversample(ds Dataset, seed uint64) (Dataset, error) {
	classes, err := classRows(ds)
	if err != nil {
		return nil, err
	}
	most := 0
	for _, rows := range classes {
		most = max(most, len(rows))
	}
	index := sequence(ds.Len())
	for c, rows := range classes {
		missing := most - len(rows)
		for ; missing >= len(rows); missing -= len(rows) {
			index = append(index, rows...)
		}
		once := permutation(len(rows), seed, streamOversample, uint64(c))[:missing]
		slices.Sort(once)
		for _, i := range once {
			index = append(index, rows[i])
		}
	}
	return Subset(ds, index)
}

// classRows lists the rows of each class.
func classRows(ds Dataset) ([][]int, error) {
	labels, err := Labels(ds)
	if err != nil {
		return nil, err
	}
	rows := make([][]int, Classes(ds))
	for i, l := range labels {
		rows[l] = append(rows[l], i)
	}
	for c := range rows {
		if len(rows[c]) == 0 {
			return nil, fmt.Errorf("data: class %d of %d has no rows", c, len(rows))
		}
	}
	return rows, nil
}
