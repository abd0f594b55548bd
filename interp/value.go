package interp

import (
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/parallel"
)

// A value is a tensor with its elements while a graph runs.
type value struct {
	tensor *graph.Tensor
	shape  []int
	data   any // the slice of the tensor's type; nil until it is known
	n      int // how many elements of it there are, those of shape
	first  int // the row of the batch that is the first one here
}

// newValue returns a value that has as many elements as data.
func newValue(t *graph.Tensor, shape []int, data any) *value {
	_, n, _ := typeOf(data)
	return &value{tensor: t, shape: shape, data: data, n: n}
}

// floats returns the elements of a Float32 value; nil for an omitted input.
func (v *value) floats() []float32 { return elements[float32](v) }

// elements returns the elements of a value whose tensor has the type of T; nil
// for an omitted input.
func elements[T Element](v *value) []T {
	if v == nil {
		return nil
	}
	return v.data.([]T)[:v.n:v.n]
}

// elements returns the elements of a value of any type.
func (v *value) elements() any {
	if _, n, _ := typeOf(v.data); n == v.n {
		return v.data
	}
	return section(v.data, 0, v.n)
}

// load sets a value to the elements of a slice of its type from one on.
func (v *value) load(src any, from int) {
	switch d := src.(type) {
	case []float32:
		copy(elements[float32](v), d[from:])
	case []uint16:
		copy(elements[uint16](v), d[from:])
	case []int8:
		copy(elements[int8](v), d[from:])
	case []uint8:
		copy(elements[uint8](v), d[from:])
	case []int16:
		copy(elements[int16](v), d[from:])
	case []int32:
		copy(elements[int32](v), d[from:])
	case []int64:
		copy(elements[int64](v), d[from:])
	}
}

// store sets all of a value's memory from an element on to another value of its
// type, as far as that goes.
func (v *value) store(from *value, at int) {
	switch d := v.data.(type) {
	case []float32:
		copy(d[at:], from.floats())
	case []uint16:
		copy(d[at:], elements[uint16](from))
	case []int8:
		copy(d[at:], elements[int8](from))
	case []uint8:
		copy(d[at:], elements[uint8](from))
	case []int16:
		copy(d[at:], elements[int16](from))
	case []int32:
		copy(d[at:], elements[int32](from))
	case []int64:
		copy(d[at:], elements[int64](from))
	}
}

// checkFinite reports a NaN or infinite element by tensor and row: a number
// that no code stands for.
func (v *value) checkFinite() error { return checkFinite(v.tensor, v.first, v.floats()) }

// checkFinite does so for rows from the row first on.
func checkFinite(t *graph.Tensor, first int, data []float32) error {
	if lo, hi, nan := f32.MinMax(data); !nan && lo >= -math.MaxFloat32 && hi <= math.MaxFloat32 {
		return nil
	}
	for i, x := range data {
		if x-x != 0 {
			row := t.Elements()
			return fmt.Errorf("tensor %q, row %d: element %d is %v, which has no code", t.Name, first+i/row, i%row, x)
		}
	}
	return nil
}

// newData returns n elements of a type.
func newData(t graph.Type, n int) any {
	switch t {
	case graph.Float32:
		return make([]float32, n)
	case graph.Float16:
		return make([]uint16, n)
	case graph.Int8:
		return make([]int8, n)
	case graph.UInt8:
		return make([]uint8, n)
	case graph.Int16:
		return make([]int16, n)
	case graph.Int32:
		return make([]int32, n)
	}
	return make([]int64, n)
}

// section returns data[lo:hi], and no more.
func section(data any, lo, hi int) any {
	switch d := data.(type) {
	case []float32:
		return d[lo:hi:hi]
	case []uint16:
		return d[lo:hi:hi]
	case []int8:
		return d[lo:hi:hi]
	case []uint8:
		return d[lo:hi:hi]
	case []int16:
		return d[lo:hi:hi]
	case []int32:
		return d[lo:hi:hi]
	case []int64:
		return d[lo:hi:hi]
	}
	return nil
}

// typeOf returns the tensor type and the number of elements of a slice.
func typeOf(data any) (t graph.Type, n int, ok bool) {
	switch d := data.(type) {
	case []float32:
		return graph.Float32, len(d), true
	case []uint16:
		return graph.Float16, len(d), true
	case []int8:
		return graph.Int8, len(d), true
	case []uint8:
		return graph.UInt8, len(d), true
	case []int16:
		return graph.Int16, len(d), true
	case []int32:
		return graph.Int32, len(d), true
	case []int64:
		return graph.Int64, len(d), true
	}
	return 0, 0, false
}

// checkData reports data that is not what a tensor of the given shape holds.
func checkData(t *graph.Tensor, data any, shape []int) error {
	typ, n, ok := typeOf(data)
	if !ok || typ != t.Type {
		return fmt.Errorf("interp: tensor %q: data is %T, want []%v", t.Name, data, t.Type)
	}
	if want := graph.Elements(shape); n != want {
		return fmt.Errorf("interp: tensor %q: %d elements, want %d for shape %v", t.Name, n, want, shape)
	}
	return nil
}

// split runs f on ranges [lo, hi) of items at the same time. Each item is size
// elements; the ranges depend on these numbers only. What is not worth it is one
// range.
func split(items, size int, f func(lo, hi int)) {
	const worthwhile = 1 << 16 // elements: some tens of microseconds
	parts := parallel.Parts(items, worthwhile/max(size, 1)+1, parallel.MaxParts)
	parallel.For(parts, func(p int) { f(parallel.Range(items, parts, p)) })
}
