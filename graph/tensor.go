package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/quant"
)

// Type is the number type of a tensor's elements.
type Type uint8

// The number types, with TensorFlow Lite's meaning.
const (
	Float32 Type = iota
	Float16
	Int8
	UInt8
	Int16
	Int32
	Int64
	// Other types are those that graphs do not compute with; see [Kept].
	Other
)

var typeNames = [...]string{"float32", "float16", "int8", "uint8", "int16", "int32", "int64", "other"}
var typeSizes = [...]int{4, 2, 1, 1, 2, 4, 8, 0}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Size returns the bytes of one element; 0 for [Other].
func (t Type) Size() int { return typeSizes[t] }

// Role says what a tensor is for and who may change it.
type Role uint8

const (
	// Activation tensors are computed; they hold no data.
	Activation Role = iota
	// Constant tensors hold data that nothing changes; graphs may share them.
	Constant
	// Parameter tensors are trained: weights, biases, gamma, beta.
	Parameter
	// Statistic tensors are updated by training but not by gradients: moving
	// means and variances, quantization ranges.
	Statistic
)

var roleNames = [...]string{"activation", "constant", "parameter", "statistic"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// Tensor is one value of the network. Its identity is its address.
type Tensor struct {
	// Name is unique in its graph.
	Name string
	Type Type
	Role Role
	// Shape holds the sizes, batch (1) first for activations. A scalar has the
	// empty shape.
	Shape []int
	// Data is nil for activations; otherwise the elements in row-major order as
	// the slice that belongs to Type: []float32, []uint16 (float16 bits),
	// []int8, []uint8, []int16, []int32, []int64.
	Data any
	// Int4 says that files hold the elements, weights of Int8, in 4 bits each.
	Int4 bool
	// Quant ties integer codes to real values; nil for float tensors and for
	// plain integers such as shapes.
	Quant *quant.Params
	// Penalty and Constraint are of no effect but on a Parameter being trained.
	Penalty    Penalty
	Constraint Constraint
	// Kept is what a file says of the tensor that graphs have no words for; nil for
	// nothing.
	Kept *Kept
}

// Float32s returns the data of a Float32 tensor, nil for other types and for
// activations.
func (t *Tensor) Float32s() []float32 { d, _ := t.Data.([]float32); return d }

// Int8s returns the data of an Int8 tensor, nil otherwise.
func (t *Tensor) Int8s() []int8 { d, _ := t.Data.([]int8); return d }

// Int32s returns the data of an Int32 tensor, nil otherwise.
func (t *Tensor) Int32s() []int32 { d, _ := t.Data.([]int32); return d }

// Variable reports whether training may change the tensor's data.
func (t *Tensor) Variable() bool { return t.Role == Parameter || t.Role == Statistic }

// Elements returns the number of elements of the tensor's shape.
func (t *Tensor) Elements() int { return Elements(t.Shape) }

func (t *Tensor) String() string { return fmt.Sprintf("%s %v%v", t.Name, t.Type, t.Shape) }

// check reports a tensor whose data or quantization does not fit its type and
// shape.
func (t *Tensor) check() error {
	if int(t.Type) >= len(typeNames) || int(t.Role) >= len(roleNames) {
		return fmt.Errorf("graph: tensor %q: unknown type %d or role %d", t.Name, t.Type, t.Role)
	}
	for _, d := range t.Shape {
		if d <= 0 {
			return fmt.Errorf("graph: tensor %q: shape %v has a size that is not positive", t.Name, t.Shape)
		}
	}
	if err := errors.Join(t.Penalty.Check(), t.Constraint.Check()); err != nil {
		return fmt.Errorf("graph: tensor %q: %w", t.Name, err)
	}
	if t.Quant != nil {
		if err := t.Quant.Check(t.Shape); err != nil {
			return fmt.Errorf("graph: tensor %q: %w", t.Name, err)
		}
	}
	if t.Kept != nil {
		return nil // nothing computes with it
	}
	if t.Role == Activation {
		if t.Data != nil {
			return fmt.Errorf("graph: activation %q holds data", t.Name)
		}
		return nil
	}
	typ, n, ok := dataType(t.Data)
	if !ok || typ != t.Type {
		return fmt.Errorf("graph: tensor %q: data is %T, want %v", t.Name, t.Data, t.Type)
	}
	if out := func(q int8) bool { return q < -8 || q > 7 }; t.Int4 && (typ != Int8 || slices.ContainsFunc(t.Int8s(), out)) {
		return fmt.Errorf("graph: tensor %q: %v do not all fit 4 bits", t.Name, t.Type)
	}
	if n != t.Elements() {
		return fmt.Errorf("graph: tensor %q: %d elements do not fill shape %v", t.Name, n, t.Shape)
	}
	return nil
}

// dataType returns the element type and length of a data slice.
func dataType(data any) (t Type, n int, ok bool) {
	switch d := data.(type) {
	case []float32:
		return Float32, len(d), true
	case []uint16:
		return Float16, len(d), true
	case []int8:
		return Int8, len(d), true
	case []uint8:
		return UInt8, len(d), true
	case []int16:
		return Int16, len(d), true
	case []int32:
		return Int32, len(d), true
	case []int64:
		return Int64, len(d), true
	}
	return 0, 0, false
}

// cloneData returns a copy of a data slice.
func cloneData(data any) any {
	switch d := data.(type) {
	case []float32:
		return append([]float32(nil), d...)
	case []uint16:
		return append([]uint16(nil), d...)
	case []int8:
		return append([]int8(nil), d...)
	case []uint8:
		return append([]uint8(nil), d...)
	case []int16:
		return append([]int16(nil), d...)
	case []int32:
		return append([]int32(nil), d...)
	case []int64:
		return append([]int64(nil), d...)
	}
	return nil
}

// Elements returns the number of elements of a shape; 1 for the empty shape.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Inner returns the number of elements behind an axis: element i of a tensor has
// the index i/Inner%shape[axis] along it.
func Inner(shape []int, axis int) int { return Elements(shape[axis+1:]) }
