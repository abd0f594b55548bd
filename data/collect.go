package data

import (
	"fmt"
	"iter"
)

// Collect makes a set of the inputs that an iterator yields, such as a representative dataset, which needs no targets: they
// are zeros. It copies each row, so the iterator may use its slice again, and stops at the first error. Of an endless
// iterator take so many rows: at most limit of them are read; 0 means all.
//
// Errors: one that the iterator yields, by row; a row that is not as long as the shape; those of [NewMemory].
func Collect(shape []int, limit int, rows iter.Seq2[[]float32, error]) (*Memory, error) {
	size, err := elements(shape)
	if err != nil {
		return nil, fmt.Errorf("data: inputs: %w", err)
	}
	if limit < 0 {
		return nil, fmt.Errorf("data: a limit of %d rows", limit)
	}
	var x []float32
	n := 0
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("data: inputs: row %d: %w", n, err)
		}
		if len(row) != size {
			return nil, fmt.Errorf("data: inputs: row %d has %d values, want %d for %v", n, len(row), size, shape)
		}
		x = append(x, row...)
		if n++; n == limit {
			break
		}
	}
	return NewMemory(Arrays{InputShape: shape, X: x, Y: make([]float32, n)})
}
