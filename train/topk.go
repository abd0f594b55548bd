package train

import "fmt"

// TopKCategoricalAccuracy is the share of rows whose class, the largest of a
// one-hot target, is among the K greatest outputs. Outputs that are equal to the
// class's own do not push it out.
//
// Source: Keras 3, metrics.TopKCategoricalAccuracy.
type TopKCategoricalAccuracy struct {
	K  int    // 0 means 5
	As string // the metric's name; empty means "top_k_categorical_accuracy"
}

// Name implements [Metric].
func (m TopKCategoricalAccuracy) Name() string { return nameOr(m.As, "top_k_categorical_accuracy") }

// Score implements [Metric].
func (m TopKCategoricalAccuracy) Score(output, target []float32, _ Loss) float64 {
	return inTopK(output, Largest(target), m.K)
}

func (m TopKCategoricalAccuracy) check() error { return checkK(m.K) }

// SparseTopKCategoricalAccuracy is [TopKCategoricalAccuracy] for targets that
// are class labels.
//
// Source: Keras 3, metrics.SparseTopKCategoricalAccuracy.
type SparseTopKCategoricalAccuracy struct {
	K  int    // 0 means 5
	As string // the metric's name; empty means "sparse_top_k_categorical_accuracy"
}

// Name implements [Metric].
func (m SparseTopKCategoricalAccuracy) Name() string {
	return nameOr(m.As, "sparse_top_k_categorical_accuracy")
}

// Score implements [Metric].
func (m SparseTopKCategoricalAccuracy) Score(output, target []float32, _ Loss) float64 {
	return inTopK(output, int(target[0]), m.K)
}

func (m SparseTopKCategoricalAccuracy) check() error { return checkK(m.K) }

// inTopK is 1 if fewer than k outputs are greater than that of the class.
func inTopK(output []float32, class, k int) float64 {
	if k == 0 {
		k = 5
	}
	for _, v := range output {
		if v > output[class] {
			k--
		}
	}
	if k > 0 {
		return 1
	}
	return 0
}

func checkK(k int) error {
	if k < 0 {
		return fmt.Errorf("k is %d, want a positive number", k)
	}
	return nil
}
