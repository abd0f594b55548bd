package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unsafe"

	"github.com/x448/float16"
)

// Array is a dense array in row-major (C) order: what an IDX or NPY file holds.
type Array struct {
	// Shape is the number of elements along each axis; empty for a single value.
	Shape []int
	// Data is a []float16.Float16, []float32, []float64, []int8, []uint8, []int16, []int32 or []int64 whose
	// length is the product of Shape.
	Data any
}

// element lists the types that an [Array] can hold. float16.Float16 is package github.com/x448/float16's.
type element interface {
	float16.Float16 | float32 | float64 | int8 | uint8 | int16 | int32 | int64
}

// Float32s returns the elements as float32, rounded to nearest where the type is wider. For a []float32 the
// result is Data itself.
//
// Errors: as for writing, Data of an unsupported type or of a length that is not the product of Shape.
func (a *Array) Float32s() ([]float32, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	switch d := a.Data.(type) {
	case []float32:
		return d, nil
	case []float16.Float16:
		out := make([]float32, len(d))
		for i, v := range d {
			out[i] = v.Float32()
		}
		return out, nil
	case []float64:
		return toFloat32(d), nil
	case []int8:
		return toFloat32(d), nil
	case []uint8:
		return toFloat32(d), nil
	case []int16:
		return toFloat32(d), nil
	case []int32:
		return toFloat32(d), nil
	default:
		return toFloat32(d.([]int64)), nil // check allows nothing else
	}
}

func toFloat32[T float64 | int8 | uint8 | int16 | int32 | int64](from []T) []float32 {
	out := make([]float32, len(from))
	for i, v := range from {
		out[i] = float32(v)
	}
	return out
}

// check holds Data to Shape.
func (a *Array) check() error {
	n, err := product(a.Shape)
	if err != nil {
		return err
	}
	have := 0
	switch d := a.Data.(type) {
	case []float16.Float16:
		have = len(d)
	case []float32:
		have = len(d)
	case []float64:
		have = len(d)
	case []int8:
		have = len(d)
	case []uint8:
		have = len(d)
	case []int16:
		have = len(d)
	case []int32:
		have = len(d)
	case []int64:
		have = len(d)
	default:
		return fmt.Errorf("array of unsupported type %T", a.Data)
	}
	if have != n {
		return fmt.Errorf("array of shape %v has %d elements", a.Shape, have)
	}
	return nil
}

// product is the number of elements of an array; unlike the shape of a row it may be 0.
func product(shape []int) (int, error) {
	n, empty := 1, false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has an axis below 0", shape)
		}
		if d == 0 {
			empty = true
			continue
		}
		if n > math.MaxInt/8/d { // 8: bytes of the widest element
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= d
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// trusted is how many bytes are allocated on the word of a header alone. Beyond that memory grows with the
// data that really arrives, so a short file cannot claim a large allocation.
const trusted = 1 << 20

// readElements reads count values, without a copy where memory has their order of bytes.
//
// Errors: io.ErrUnexpectedEOF, wrapped, where the data ends early.
func readElements[T element](r io.Reader, order binary.ByteOrder, count int) ([]T, error) {
	var zero T
	size := binary.Size(zero)
	out := make([]T, 0, min(count, trusted/size))
	native := size == 1 || order == binary.ByteOrder(binary.LittleEndian) && binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	var buffer []byte
	if !native {
		buffer = make([]byte, min(count*size, 1<<16))
	}
	for len(out) < count {
		if len(out) == cap(out) { // four times: two copies of a quarter at most are garbage
			grown := make([]T, len(out), min(count, 4*cap(out)))
			copy(grown, out)
			out = grown
		}
		part := out[len(out):cap(out)]
		raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(part))), len(part)*size)
		if !native {
			part = part[:min(len(part), len(buffer)/size)]
			raw = buffer[:len(part)*size]
		}
		if n, err := io.ReadFull(r, raw); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("data ends after %d of %d bytes: %w",
					len(out)*size+n, count*size, io.ErrUnexpectedEOF)
			}
			return nil, err
		}
		if !native {
			if _, err := binary.Decode(raw, order, part); err != nil {
				return nil, err
			}
		}
		out = out[:len(out)+len(part)]
	}
	return out, nil
}

// atEnd is an error if there is more to read.
func atEnd(r io.Reader) error {
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("more bytes follow the array")
	default:
		return err
	}
}
