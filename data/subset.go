package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Subset is the set of the rows of ds named by index, in that order. A row may be named more than once.
//
// Errors: no rows, a row out of range.
func Subset(ds Dataset, index []int) (Dataset, error) {
	if len(index) == 0 {
		return nil, errors.New("data: subset has no rows")
	}
	if err := checkIndex(ds.Len(), index); err != nil {
		return nil, fmt.Errorf("data: subset: %w", err)
	}
	return &subset{ds, slices.Clone(index)}, nil
}

type subset struct {
	Dataset
	rows []int
}

func (s *subset) Len() int     { return len(s.rows) }
func (s *subset) Classes() int { return Classes(s.Dataset) }

// Epoch implements [Epoched]: rows vary as they do in the set below.
func (s *subset) Epoch(epoch int) Dataset { return &subset{Epoch(s.Dataset, epoch), s.rows} }
func (s *subset) Variation() string       { return variation(s.Dataset) }

func (s *subset) Read(index []int, x, y []float32) error {
	if err := checkIndex(len(s.rows), index); err != nil {
		return fmt.Errorf("data: subset: %w", err)
	}
	inner := make([]int, len(index))
	for j, i := range index {
		inner[j] = s.rows[i]
	}
	return s.Dataset.Read(inner, x, y)
}

// Split divides a set at random: first gets fraction of the rows, rounded, and second the others. Both are
// in shuffled order. The same seed gives the same rows.
//
// Errors: a fraction outside (0, 1), or one that leaves a part without rows.
func Split(ds Dataset, fraction float64, seed uint64) (first, second Dataset, err error) {
	return split(ds, fraction, seed, make([]int, ds.Len()), 1)
}

// SplitStratified is [Split] with the same fraction of every class, as far as whole rows allow: the parts have
// the sizes that Split gives them, and each class is within one row of its share.
//
// Errors: as Split, and a set whose targets are not class labels.
func SplitStratified(ds Dataset, fraction float64, seed uint64) (first, second Dataset, err error) {
	labels, err := Labels(ds)
	if err != nil {
		return nil, nil, err
	}
	return split(ds, fraction, seed, labels, Classes(ds))
}

// split walks the rows in shuffled order and gives each to first while its class has places left there.
func split(ds Dataset, fraction float64, seed uint64, labels []int, classes int) (first, second Dataset, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data: split fraction %v is not between 0 and 1", fraction)
	}
	places := quotas(labels, classes, fraction)
	var a, b []int
	for _, row := range permutation(len(labels), seed, streamSplit, 0) {
		if class := labels[row]; places[class] > 0 {
			places[class]--
			a = append(a, row)
		} else {
			b = append(b, row)
		}
	}
	if len(a) == 0 || len(b) == 0 {
		return nil, nil, fmt.Errorf("data: a split of %d rows at %v leaves a part without rows", len(labels), fraction)
	}
	return &subset{ds, a}, &subset{ds, b}, nil
}

// quotas gives each class its share of round(fraction * rows) places by the method of largest remainders;
// among equal remainders the lower class comes first.
func quotas(labels []int, classes int, fraction float64) []int {
	counts := make([]int, classes)
	for _, l := range labels {
		counts[l]++
	}
	places, remainder, order := make([]int, classes), make([]float64, classes), sequence(classes)
	left := int(math.Round(fraction * float64(len(labels))))
	for c, n := range counts {
		whole, part := math.Modf(fraction * float64(n))
		places[c], remainder[c] = int(whole), part
		left -= places[c]
	}
	sort.SliceStable(order, func(i, j int) bool { return remainder[order[i]] > remainder[order[j]] })
	for _, c := range order[:max(0, min(left, classes))] {
		places[c]++
	}
	return places
}
