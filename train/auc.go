package train

import (
	"fmt"
	"math"
)

// AUC is the area under the ROC curve: true-positive rate against false-positive
// rate at evenly spaced thresholds, the area by trapezoids. Rates of nothing are
// 0. Outputs, targets and classes are those of [Precision], all of them pooled.
//
// Source: Keras 3, metrics.AUC, with curve "ROC" and summation "interpolation".
type AUC struct {
	// Thresholds is the number of thresholds, from just below 0 to just above 1;
	// 0 means 200. More of them come nearer to the exact area.
	Thresholds int
	As         string // the metric's name; empty means "auc"
}

// Name implements [Metric].
func (m AUC) Name() string { return nameOr(m.As, "auc") }

// Score implements [Metric]; the area of a single row is rarely of use.
func (m AUC) Score(output, target []float32, loss Loss) float64 {
	return alone(m, output, target, loss)
}

func (m AUC) thresholds() int {
	if m.Thresholds == 0 {
		return 200
	}
	return m.Thresholds
}

// Accumulate implements [Accumulator]. For T thresholds, count i < T is the
// number of positives between threshold i and the next, count T+i of negatives:
// a probability equal to a threshold is not above it.
func (m AUC) Accumulate(counts []float64, output, target []float32, loss Loss) []float64 {
	n := m.thresholds()
	if counts == nil {
		counts = make([]float64, 2*n)
	}
	for j, p := range probabilities(output, loss) {
		at := 0 // the first threshold is below 0
		if p > 0 {
			at = int(math.Ceil(float64(min(p, 1)*float32(n-1)))) - 1
		}
		if !positive(output, target, j) {
			at += n
		}
		counts[at]++
	}
	return counts
}

// Value implements [Accumulator].
func (AUC) Value(counts []float64) float64 {
	positives, negatives := counts[:len(counts)/2], counts[len(counts)/2:]
	var tp, fp, area float64 // above the threshold, which goes down
	for i := len(positives) - 1; i >= 0; i-- {
		area += float64(negatives[i] * (tp + positives[i]/2))
		tp, fp = tp+positives[i], fp+negatives[i]
	}
	if tp == 0 || fp == 0 {
		return 0
	}
	return area / tp / fp
}

func (m AUC) check() error {
	if m.Thresholds < 0 || m.Thresholds == 1 {
		return fmt.Errorf("%d thresholds, want at least 2", m.Thresholds)
	}
	return nil
}
