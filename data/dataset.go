package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Dataset is a fixed sequence of rows that can be read in any order.
//
// Implementations of this package may be read from several goroutines at once. A set of class labels should
// also implement [Classifier].
type Dataset interface {
	// Len is the number of rows.
	Len() int
	// InputShape is the shape of one input, without the batch axis.
	InputShape() []int
	// TargetShape is the shape of one target, without the batch axis; [1] for class labels.
	TargetShape() []int
	// Read fills x with the inputs and y with the targets of the rows named by index, in that order. Their
	// lengths must be len(index) times the number of elements of the shapes.
	Read(index []int, x, y []float32) error
}

// Classifier is what a [Dataset] implements if it may hold class labels.
type Classifier interface {
	// Classes is the number of classes: targets are exact integers in 0..Classes-1. 0 means that the targets
	// are not class labels.
	Classes() int
}

// Classes reports the number of classes of a set, or 0 if its targets are not class labels.
func Classes(ds Dataset) int {
	if c, ok := ds.(Classifier); ok {
		return c.Classes()
	}
	return 0
}

// Labels reads the class label of every row.
//
// Errors: a set whose targets are not class labels.
func Labels(ds Dataset) ([]int, error) {
	classes := Classes(ds)
	if classes == 0 {
		return nil, errors.New("data: the targets are not class labels")
	}
	labels := make([]int, 0, ds.Len())
	err := eachRow(ds, func(_, y []float32) error {
		if err := checkLabels([]int{len(y)}, y, classes); err != nil {
			return fmt.Errorf("data: targets: row %d: %w", len(labels), err)
		}
		labels = append(labels, int(y[0]))
		return nil
	})
	return labels, err
}

// eachRow reads a set from its first row to its last, some rows at a time.
func eachRow(ds Dataset, visit func(x, y []float32) error) error {
	inputs, err := elements(ds.InputShape())
	if err != nil {
		return fmt.Errorf("data: input: %w", err)
	}
	targets, err := elements(ds.TargetShape())
	if err != nil {
		return fmt.Errorf("data: target: %w", err)
	}
	const rows = 64
	x, y := make([]float32, rows*inputs), make([]float32, rows*targets)
	for batch := range Batches(sequence(ds.Len()), rows) {
		n := len(batch)
		if err := ds.Read(batch, x[:n*inputs], y[:n*targets]); err != nil {
			return err
		}
		for i := range n {
			if err := visit(x[i*inputs:(i+1)*inputs], y[i*targets:(i+1)*targets]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sequence is 0, 1, ..., n-1.
func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// elements is the number of elements of a shape whose axes must all be positive.
func elements(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, errors.New("shape is empty")
	}
	n := 1
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("shape %v has an axis below 1", shape)
		}
		if n > math.MaxInt/8/d { // 8: bytes of the widest element
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= d
	}
	return n, nil
}

// column is one side of the rows, inputs or targets, as far as its shape goes.
type column struct {
	shape []int
	size  int // elements per row
}

// newColumn checks that total values are whole rows, at least one, and reports how many.
func newColumn(shape []int, total int) (c column, rows int, err error) {
	size, err := elements(shape)
	if err != nil {
		return column{}, 0, err
	}
	if total == 0 {
		return column{}, 0, errors.New("no rows")
	}
	if total%size != 0 {
		return column{}, 0, fmt.Errorf("%d values are not whole rows of shape %v", total, shape)
	}
	return column{slices.Clone(shape), size}, total / size, nil
}

// checkRead is the argument check of every Read.
func checkRead(rows int, index []int, inputs, targets int, x, y []float32) error {
	if len(x) != len(index)*inputs {
		return fmt.Errorf("data: buffer for %d inputs of %d elements has length %d", len(index), inputs, len(x))
	}
	if len(y) != len(index)*targets {
		return fmt.Errorf("data: buffer for %d targets of %d elements has length %d", len(index), targets, len(y))
	}
	if err := checkIndex(rows, index); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

func checkIndex(rows int, index []int) error {
	for _, i := range index {
		if i < 0 || i >= rows {
			return fmt.Errorf("row %d of a set of %d rows", i, rows)
		}
	}
	return nil
}

// notFinite names NaN and infinities for error messages; it is empty for all other values.
func notFinite(v float32) string {
	switch {
	case v != v:
		return "NaN"
	case v > math.MaxFloat32:
		return "Inf"
	case v < -math.MaxFloat32:
		return "-Inf"
	}
	return ""
}
