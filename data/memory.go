package data

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/internal/kernels/u8"
)

// Arrays are the contents of a [Memory]. The row count follows from the lengths.
type Arrays struct {
	InputShape []int     // shape of one input
	X          []float32 // inputs, row after row

	TargetShape []int     // shape of one target; nil means [1]
	Y           []float32 // targets, row after row

	// Classes says that the targets are class labels and how many classes there are. It needs a target shape
	// of [1]. 0 means that the targets are not class labels.
	Classes int
}

// Memory is a [Dataset] of float32 values in memory.
type Memory struct {
	input column
	x     []float32
	targets
}

// NewMemory checks the arrays and makes a set of them. The set keeps X and Y: do not change them afterwards.
//
// Errors: no rows, values that are not whole rows, different numbers of inputs and targets, NaN or Inf (the
// row and element are named), a label that is no integer in 0..Classes-1.
func NewMemory(a Arrays) (*Memory, error) {
	input, rows, err := newColumn(a.InputShape, len(a.X))
	if err != nil {
		return nil, fmt.Errorf("data: inputs: %w", err)
	}
	if err := checkFinite(a.X, input.size); err != nil {
		return nil, fmt.Errorf("data: inputs: %w", err)
	}
	t, err := newTargets(a.TargetShape, a.Y, rows, a.Classes)
	if err != nil {
		return nil, err
	}
	return &Memory{input, a.X, t}, nil
}

// Len is the number of rows.
func (m *Memory) Len() int { return len(m.x) / m.input.size }

// InputShape is the shape of one input.
func (m *Memory) InputShape() []int { return slices.Clone(m.input.shape) }

// Read copies rows; see [Dataset].
func (m *Memory) Read(index []int, x, y []float32) error {
	if err := checkRead(m.Len(), index, m.input.size, m.size, x, y); err != nil {
		return err
	}
	gather(x, m.x, m.input.size, index)
	gather(y, m.y, m.size, index)
	return nil
}

// ByteArrays are the contents of a [Bytes]. The row count follows from the lengths.
type ByteArrays struct {
	InputShape []int   // shape of one input
	X          []uint8 // inputs, row after row
	Divisor    float32 // inputs are read as X / Divisor, rounded to float32; 0 means 255

	TargetShape []int     // as in [Arrays]
	Y           []float32 // as in [Arrays]
	Classes     int       // as in [Arrays]
}

// Bytes is a [Dataset] whose inputs are stored as bytes, as images are: a quarter of the memory of [Memory].
type Bytes struct {
	input column
	x     []uint8
	scale *u8.Scale
	targets
}

// NewBytes checks the arrays and makes a set of them. The set keeps X and Y: do not change them afterwards.
//
// Errors: as [NewMemory], and a divisor that is not positive and finite.
func NewBytes(a ByteArrays) (*Bytes, error) {
	input, rows, err := newColumn(a.InputShape, len(a.X))
	if err != nil {
		return nil, fmt.Errorf("data: inputs: %w", err)
	}
	if a.Divisor == 0 {
		a.Divisor = 255
	}
	if !(a.Divisor > 0) || notFinite(a.Divisor) != "" {
		return nil, fmt.Errorf("data: divisor %v is not positive and finite", a.Divisor)
	}
	t, err := newTargets(a.TargetShape, a.Y, rows, a.Classes)
	if err != nil {
		return nil, err
	}
	b := &Bytes{input: input, x: a.X, scale: u8.NewScale(a.Divisor), targets: t}
	if notFinite(b.scale.Value(255)) != "" {
		return nil, fmt.Errorf("data: divisor %v is too small", a.Divisor)
	}
	return b, nil
}

// Len is the number of rows.
func (b *Bytes) Len() int { return len(b.x) / b.input.size }

// InputShape is the shape of one input.
func (b *Bytes) InputShape() []int { return slices.Clone(b.input.shape) }

// Read converts rows; see [Dataset].
func (b *Bytes) Read(index []int, x, y []float32) error {
	if err := checkRead(b.Len(), index, b.input.size, b.size, x, y); err != nil {
		return err
	}
	// Rows of a shuffled set are in no cache: memory has the time of some rows to deliver one.
	size := b.input.size
	ahead := min(max(1, prefetched/size), len(index))
	for _, i := range index[:ahead] {
		u8.Prefetch(b.x[i*size:][:size])
	}
	for j, i := range index {
		if next := j + ahead; next < len(index) {
			u8.Prefetch(b.x[index[next]*size:][:size])
		}
		b.scale.Convert(x[j*size:][:size], b.x[i*size:][:size])
	}
	gather(y, b.y, b.size, index)
	return nil
}

// prefetched is how many bytes are asked for in advance.
const prefetched = 4096

// targets is the target side of the sets in memory.
type targets struct {
	column
	y       []float32
	classes int
}

// TargetShape is the shape of one target.
func (t *targets) TargetShape() []int { return slices.Clone(t.shape) }

// Classes is the number of classes, or 0 if the targets are not class labels.
func (t *targets) Classes() int { return t.classes }

func newTargets(shape []int, y []float32, rows, classes int) (targets, error) {
	if shape == nil {
		shape = []int{1}
	}
	c, n, err := newColumn(shape, len(y))
	if err != nil {
		return targets{}, fmt.Errorf("data: targets: %w", err)
	}
	if n != rows {
		return targets{}, fmt.Errorf("data: %d inputs but %d targets", rows, n)
	}
	if err := checkFinite(y, c.size); err != nil {
		return targets{}, fmt.Errorf("data: targets: %w", err)
	}
	if classes != 0 {
		if err := checkLabels(c.shape, y, classes); err != nil {
			return targets{}, fmt.Errorf("data: targets: %w", err)
		}
	}
	return targets{c, y, classes}, nil
}

// maxClasses bounds class labels to the integers that float32 holds exactly.
const maxClasses = 1 << 24

func checkLabels(shape []int, y []float32, classes int) error {
	if classes < 1 || classes > maxClasses {
		return fmt.Errorf("%d classes, want 1 to %d", classes, maxClasses)
	}
	if !slices.Equal(shape, []int{1}) {
		return fmt.Errorf("class labels have shape [1], not %v", shape)
	}
	for row, v := range y {
		if err := checkLabel(v, classes); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
	}
	return nil
}

func checkLabel(v float32, classes int) error {
	if !(v >= 0 && v < float32(classes)) {
		return fmt.Errorf("label %v is outside 0..%d", v, classes-1)
	}
	if v != float32(int(v)) {
		return fmt.Errorf("label %v is not an integer", v)
	}
	return nil
}

func checkFinite(values []float32, size int) error {
	for i, v := range values {
		if v-v != 0 {
			return fmt.Errorf("row %d, element %d is %s", i/size, i%size, notFinite(v))
		}
	}
	return nil
}

func gather(to, from []float32, size int, index []int) {
	for j, i := range index {
		copy(to[j*size:(j+1)*size], from[i*size:(i+1)*size])
	}
}
