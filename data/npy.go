package data

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/x448/float16"
)

const npyMagic = "\x93NUMPY"

// maxNPYHeader bounds the header of versions 2 and 3, whose length field has 32 bits. Only structured types
// need more than a few hundred bytes, and those are refused anyway.
const maxNPYHeader = 1 << 16

// ReadNPY reads an array in NumPy's NPY format, versions 1 to 3, and nothing beyond it. The types are <f2, <f4,
// <f8, |i1, |u1, <i2, <i4 and <i8.
//
// Errors: a malformed header, big-endian data or another type, Fortran order, data that ends early.
//
// Source: NumPy, "A simple file format for NumPy arrays" (numpy.lib.format).
func ReadNPY(r io.Reader) (*Array, error) {
	a, err := readNPY(r)
	if err != nil {
		return nil, fmt.Errorf("data: npy: %w", err)
	}
	return a, nil
}

// ReadNPYFile reads a file that holds one array; see [ReadNPY].
//
// Errors: as ReadNPY, and bytes after the array.
func ReadNPYFile(path string) (*Array, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: npy: %w", err)
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<16)
	a, err := readNPY(r)
	if err == nil {
		err = atEnd(r)
	}
	if err != nil {
		return nil, fmt.Errorf("data: npy: %s: %w", path, err)
	}
	return a, nil
}

func readNPY(r io.Reader) (*Array, error) {
	text, start, err := readNPYHeader(r)
	if err != nil {
		return nil, err
	}
	header, err := parseNPYHeader(text)
	if err != nil {
		return nil, err
	}
	if header.fortran {
		return nil, errors.New("array in Fortran order is not supported; save numpy.ascontiguousarray(a)")
	}
	count, err := product(header.shape)
	if err != nil {
		return nil, err
	}
	a := &Array{Shape: header.shape}
	switch order := binary.LittleEndian; header.descr {
	case "<f2":
		a.Data, err = readElements[float16.Float16](r, order, count)
	case "<f4":
		a.Data, err = readElements[float32](r, order, count)
	case "<f8":
		a.Data, err = readElements[float64](r, order, count)
	case "|i1", "<i1":
		a.Data, err = readElements[int8](r, order, count)
	case "|u1", "<u1":
		a.Data, err = readElements[uint8](r, order, count)
	case "<i2":
		a.Data, err = readElements[int16](r, order, count)
	case "<i4":
		a.Data, err = readElements[int32](r, order, count)
	case "<i8":
		a.Data, err = readElements[int64](r, order, count)
	default:
		return nil, fmt.Errorf("type %q is not supported", header.descr)
	}
	if err != nil {
		return nil, fmt.Errorf("elements %s%v from byte %d: %w", header.descr, header.shape, start, err)
	}
	return a, nil
}

// readNPYHeader returns the header's text and the byte at which the elements start.
func readNPYHeader(r io.Reader) (text string, start int, err error) {
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return "", 0, fmt.Errorf("magic string at byte 0: %w", unexpected(err))
	}
	if string(prefix[:6]) != npyMagic {
		return "", 0, fmt.Errorf("starts with %q, not an NPY file", prefix[:6])
	}
	var size [4]byte
	field := size[:2]
	switch prefix[6] {
	case 1:
	case 2, 3:
		field = size[:4]
	default:
		return "", 0, fmt.Errorf("version %d.%d at byte 6 is unknown", prefix[6], prefix[7])
	}
	if _, err := io.ReadFull(r, field); err != nil {
		return "", 0, fmt.Errorf("header length at byte 8: %w", unexpected(err))
	}
	length := binary.LittleEndian.Uint32(size[:])
	if length > maxNPYHeader {
		return "", 0, fmt.Errorf("header of %d bytes at byte %d is too long", length, 8+len(field))
	}
	header := make([]byte, length)
	if n, err := io.ReadFull(r, header); err != nil {
		return "", 0, fmt.Errorf("header ends after %d of %d bytes: %w", n, length, unexpected(err))
	}
	return string(header), 8 + len(field) + int(length), nil
}

// WriteNPY writes an array in NPY format, version 1.0.
//
// Errors: Data of an unsupported type or of a length that is not the product of Shape; errors of w.
func WriteNPY(w io.Writer, a *Array) error {
	if err := writeNPY(w, a); err != nil {
		return fmt.Errorf("data: npy: %w", err)
	}
	return nil
}

func writeNPY(w io.Writer, a *Array) error {
	if err := a.check(); err != nil {
		return err
	}
	switch d := a.Data.(type) {
	case []float16.Float16:
		return writeElements(w, "<f2", a.Shape, d)
	case []float32:
		return writeElements(w, "<f4", a.Shape, d)
	case []float64:
		return writeElements(w, "<f8", a.Shape, d)
	case []int8:
		return writeElements(w, "|i1", a.Shape, d)
	case []uint8:
		return writeElements(w, "|u1", a.Shape, d)
	case []int16:
		return writeElements(w, "<i2", a.Shape, d)
	case []int32:
		return writeElements(w, "<i4", a.Shape, d)
	default:
		return writeElements(w, "<i8", a.Shape, d.([]int64)) // check allows nothing else
	}
}

func writeElements[T element](w io.Writer, descr string, shape []int, values []T) error {
	buffer, err := npyPreamble(descr, shape)
	if err != nil {
		return err
	}
	if _, err := w.Write(buffer); err != nil {
		return err
	}
	for len(values) > 0 {
		n := min(len(values), 1<<13)
		if buffer, err = binary.Append(buffer[:0], binary.LittleEndian, values[:n]); err != nil {
			return err
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// npyPreamble is everything before the elements, padded with spaces so that they start at a multiple of 64
// bytes.
func npyPreamble(descr string, shape []int) ([]byte, error) {
	var axes strings.Builder
	for _, d := range shape {
		axes.WriteString(strconv.Itoa(d) + ", ")
	}
	tuple := strings.TrimSuffix(axes.String(), " ")
	if len(shape) > 1 {
		tuple = strings.TrimSuffix(tuple, ",") // Python wants the comma only in a tuple of one
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const before, align = 10, 64
	padding := align - (before+len(text)+1)%align
	text += strings.Repeat(" ", padding%align) + "\n"
	if len(text) > math.MaxUint16 {
		return nil, fmt.Errorf("%d axes do not fit into a header", len(shape))
	}
	out := append([]byte(npyMagic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	return append(out, text...), nil
}
