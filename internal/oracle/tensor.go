package oracle

import (
	"encoding/binary"
	"fmt"
)

// Type is an element type, numbered as TensorType of the TensorFlow Lite schema numbers it.
type Type int

// The types that the oracle carries. Float16 travels as its bits in a uint16; LiteRT's Python interface shows a 4-bit
// tensor as Int8, one code per byte.
const (
	Float32 Type = 0
	Float16 Type = 1
	Int32   Type = 2
	Uint8   Type = 3
	Int64   Type = 4
	Bool    Type = 6
	Int16   Type = 7
	Int8    Type = 9
	Float64 Type = 10
	Uint64  Type = 12
	Uint32  Type = 15
	Uint16  Type = 16
)

// Role says what a tensor is in its model.
type Role string

// A tensor has one role, the first of these that fits.
const (
	Scratch      Role = "scratch"      // made by LiteRT for a kernel; not in the file
	Constant     Role = "constant"     // has a buffer in the file
	Variable     Role = "variable"     // state that a kernel keeps from call to call
	ModelInput   Role = "input"        // an input of the model
	ModelOutput  Role = "output"       // an output of the model
	Intermediate Role = "intermediate" // any other
)

// Tensor is one tensor of a model, with the values it had.
type Tensor struct {
	Index    int    // in the first subgraph; beyond those of the file for Scratch
	Name     string // empty for Scratch
	Type     Type
	Role     Role
	Shape    []int // of one example, as LiteRT has it after the run
	Examples int   // how many stand one after another in Data; 0 where LiteRT let nothing be seen, Data is empty then

	Scales             []float32 // empty, one, or one per slice along QuantizedDimension
	ZeroPoints         []int     // as many as LiteRT keeps, which may be fewer than Scales
	QuantizedDimension int

	Data []byte // little-endian, row-major
}

// Element lists the Go types of tensor elements.
type Element interface {
	float32 | float64 | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64
}

// Input returns values as an input for [Oracle.Run]: the examples one after another, each in row-major order.
// A float16 input is a Tensor literal, since Go has no such type.
func Input[T Element](values []T) Tensor {
	data, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err) // unreachable: every Element has a fixed size
	}
	return Tensor{Type: elementTypes[T]()[0], Data: data}
}

// Values returns the elements of all examples, one example after another. The error names the tensor if T is not its
// type. Float16 is read as its bits, a uint16, and bool as uint8.
func Values[T Element](t Tensor) ([]T, error) {
	for _, typ := range elementTypes[T]() {
		if typ != t.Type {
			continue
		}
		var zero T
		out := make([]T, len(t.Data)/binary.Size(zero))
		if _, err := binary.Decode(t.Data, binary.LittleEndian, out); err != nil {
			return nil, fmt.Errorf("oracle: tensor %d (%s): %w", t.Index, t.Name, err)
		}
		return out, nil
	}
	var zero T
	return nil, fmt.Errorf("oracle: tensor %d (%s) is of type %d, not %T", t.Index, t.Name, t.Type, zero)
}

// elementTypes returns the tensor types whose elements a T can hold, the one that a T stands for first.
func elementTypes[T Element]() []Type {
	var zero T
	switch any(zero).(type) {
	case float32:
		return []Type{Float32}
	case float64:
		return []Type{Float64}
	case int8:
		return []Type{Int8}
	case uint8:
		return []Type{Uint8, Bool}
	case int16:
		return []Type{Int16}
	case uint16:
		return []Type{Uint16, Float16}
	case int32:
		return []Type{Int32}
	case uint32:
		return []Type{Uint32}
	case int64:
		return []Type{Int64}
	default:
		return []Type{Uint64}
	}
}

// Example returns the bytes of example i. It is nil where there is no such example, so that a loop over a batch and a
// tensor without data do not meet by accident.
func (t Tensor) Example(i int) []byte {
	if i < 0 || i >= t.Examples {
		return nil
	}
	size := len(t.Data) / t.Examples
	return t.Data[i*size : (i+1)*size]
}
