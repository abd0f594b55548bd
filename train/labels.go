package train

import (
	"errors"
	"fmt"
)

// classed is a loss whose targets are class labels.
type classed interface{ sparse() }

func (SparseCategoricalCrossentropy) sparse() {}

// checkLabels reports labels that no output stands for, by row of the data set.
func checkLabels(l Loss, target []float32, outputs int, index []int) error {
	if _, ok := l.(classed); !ok {
		return nil
	}
	var faults []error
	for i, v := range target {
		if c := int(v); float32(c) != v || c < 0 || c >= outputs {
			faults = append(faults, fmt.Errorf("row %d: label %v is not a class from 0 to %d", index[i], v, outputs-1))
		}
	}
	return errors.Join(faults...)
}
