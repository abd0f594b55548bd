package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// TypeCodes are the numbers that files have for the graph's number types.
var TypeCodes = [...]schema.TensorType{
	graph.Float32: schema.TensorTypeFLOAT32,
	graph.Float16: schema.TensorTypeFLOAT16,
	graph.Int8:    schema.TensorTypeINT8,
	graph.UInt8:   schema.TensorTypeUINT8,
	graph.Int16:   schema.TensorTypeINT16,
	graph.Int32:   schema.TensorTypeINT32,
	graph.Int64:   schema.TensorTypeINT64,
}

// TypeOf returns the number type that a file names.
func TypeOf(code schema.TensorType) (graph.Type, error) {
	if i := slices.Index(TypeCodes[:], code); i >= 0 {
		return graph.Type(i), nil
	}
	return 0, fmt.Errorf("type %v is not supported", code)
}

// EncodeData returns the elements of a tensor as a file holds them: row-major,
// little-endian.
func EncodeData(data any) ([]byte, error) {
	return binary.Append(nil, binary.LittleEndian, data)
}

// DecodeData returns the elements that b holds; the inverse of EncodeData.
func DecodeData(b []byte, t graph.Type) any {
	n := len(b) / t.Size()
	switch t {
	case graph.Float32:
		return List(n, func(i int) float32 { return math.Float32frombits(little.Uint32(b[4*i:])) })
	case graph.Float16:
		return List(n, func(i int) uint16 { return little.Uint16(b[2*i:]) })
	case graph.Int8:
		codes := make([]int8, n)
		for i, q := range b { // most of a file
			codes[i] = int8(q)
		}
		return codes
	case graph.UInt8:
		return slices.Clone(b)
	case graph.Int16:
		return List(n, func(i int) int16 { return int16(little.Uint16(b[2*i:])) })
	case graph.Int32:
		return List(n, func(i int) int32 { return int32(little.Uint32(b[4*i:])) })
	}
	return List(n, func(i int) int64 { return int64(little.Uint64(b[8*i:])) })
}

// PackInt4 returns the elements of int4 as a file holds them: two in a byte, the
// first in the lower half.
func PackInt4(codes []int8) []byte {
	b := make([]byte, (len(codes)+1)/2)
	for i, q := range codes {
		b[i/2] |= byte(q) & 15 << (i % 2 * 4)
	}
	return b
}

// UnpackInt4 returns n elements; the inverse of PackInt4.
func UnpackInt4(b []byte, n int) []int8 {
	codes := make([]int8, n)
	for i := range codes {
		codes[i] = int8(b[i/2]<<(4-i%2*4)) >> 4
	}
	return codes
}

// List returns the results of at for 0 to n-1.
func List[T any](n int, at func(int) T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = at(i)
	}
	return list
}
