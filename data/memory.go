package data

import (
	"fmt"
	"slices"
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
	value [256]float32 // what each byte is read as
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
	b := &Bytes{input: input, x: a.X, targets: t}
	for i := range b.value {
		b.value[i] = float32(i) / a.Divisor
	}
	if notFinite(b.value[255]) != "" {
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
	size := b.input.size
	for j, i := range index {
		if j%2 == 0 {
			for _, i := range index[j:min(j+2, len(index))] {
				touch(b.x[i*size:][:size])
			}
		}
		b.convert(x[j*size:][:size], b.x[i*size:][:size])
	}
	gather(y, b.y, b.size, index)
	return nil
}

// touch looks at every cache line of x. Rows of a shuffled set are in no cache, and memory delivers all lines of a row in
// the time of a few: a third of the time of a batch.
//
//go:noinline
func touch(x []uint8) (bits uint8) {
	for i := 0; i < len(x); i += 64 {
		bits |= x[i]
	}
	return bits
}

// convert writes what bytes are read as.
func (b *Bytes) convert(to []float32, from []uint8) {
	for len(from) >= 8 && len(to) >= 8 {
		f, t := (*[8]uint8)(from), (*[8]float32)(to)
		t[0], t[1], t[2], t[3] = b.value[f[0]], b.value[f[1]], b.value[f[2]], b.value[f[3]]
		t[4], t[5], t[6], t[7] = b.value[f[4]], b.value[f[5]], b.value[f[6]], b.value[f[7]]
		from, to = from[8:], to[8:]
	}
	for k, v := range from {
		to[k] = b.value[v]
	}
}

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
		if name := notFinite(v); name != "" {
			return fmt.Errorf("row %d, element %d is %s", i/size, i%size, name)
		}
	}
	return nil
}

func gather(to, from []float32, size int, index []int) {
	for j, i := range index {
		copy(to[j*size:(j+1)*size], from[i*size:(i+1)*size])
	}
}
