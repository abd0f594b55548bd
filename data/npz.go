package data

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// npyExtension ends the names of the members of an NPZ file.
const npyExtension = ".npy"

// ReadNPZ reads the arrays of NumPy's NPZ format, a ZIP archive of NPY files, stored or deflated, by name; see
// [ReadNPY] for the types.
//
// The memory it takes is bounded by what deflate can make of the bytes that are there, some thousand times size,
// whatever headers claim.
//
// Errors: a malformed archive, overlapping members, a member that is no NPY file or has a wrong checksum; the
// member is named.
//
// Source: NumPy, numpy.savez and numpy.savez_compressed.
func ReadNPZ(r io.ReaderAt, size int64) (map[string]*Array, error) {
	arrays, err := readNPZ(r, size)
	if err != nil {
		return nil, fmt.Errorf("data: npz: %w", err)
	}
	return arrays, nil
}

// ReadNPZFile reads a file; see [ReadNPZ].
func ReadNPZFile(path string) (map[string]*Array, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: npz: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("data: npz: %w", err)
	}
	arrays, err := readNPZ(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("data: npz: %s: %w", path, err)
	}
	return arrays, nil
}

func readNPZ(r io.ReaderAt, size int64) (map[string]*Array, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	arrays := map[string]*Array{}
	left := uint64(size)
	for _, member := range archive.File {
		// Members that share bytes would multiply what the file holds.
		if member.CompressedSize64 > left {
			return nil, fmt.Errorf("member %q: the members have more bytes than the file, so they overlap", member.Name)
		}
		left -= member.CompressedSize64
		name, ok := strings.CutSuffix(member.Name, npyExtension)
		if !ok {
			return nil, fmt.Errorf("member %q: the name does not end in %s", member.Name, npyExtension)
		}
		if arrays[name] != nil {
			return nil, fmt.Errorf("member %q appears twice", member.Name)
		}
		if arrays[name], err = readMember(member); err != nil {
			return nil, fmt.Errorf("member %q: %w", member.Name, err)
		}
	}
	return arrays, nil
}

func readMember(member *zip.File) (*Array, error) {
	content, err := member.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	r := bufio.NewReaderSize(content, 1<<16)
	a, err := readNPY(r)
	if err == nil {
		err = atEnd(r) // which also holds the member to its checksum
	}
	return a, err
}

// WriteNPZ writes arrays in NPZ format, without compression, in the order of their names. The same arrays give the
// same bytes.
//
// Errors: as [WriteNPY].
func WriteNPZ(w io.Writer, arrays map[string]*Array) error {
	archive := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		member, err := archive.CreateHeader(&zip.FileHeader{Name: name + npyExtension, Method: zip.Store})
		if err == nil {
			err = writeNPY(member, arrays[name])
		}
		if err != nil {
			return fmt.Errorf("data: npz: member %q: %w", name+npyExtension, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("data: npz: %w", err)
	}
	return nil
}

// OpenNPZ reads a file with the arrays x_train, y_train, x_test and y_test, as Keras publishes MNIST and as
// numpy.savez writes them. Other arrays are ignored. Inputs and targets are as those of [OpenIDX], except that
// inputs may also be vectors, and labels a column.
//
// Errors: as OpenIDX, and an array that is missing.
func OpenNPZ(path string) (train, test Dataset, err error) {
	arrays, err := ReadNPZFile(path)
	if err != nil {
		return nil, nil, err
	}
	if train, err = npzPart(arrays, "train", 0); err == nil {
		test, err = npzPart(arrays, "test", Classes(train))
	}
	if err == nil && !slices.Equal(train.InputShape(), test.InputShape()) {
		err = fmt.Errorf("training inputs have shape %v, test inputs %v", train.InputShape(), test.InputShape())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("data: npz: %s: %w", path, err)
	}
	return train, test, nil
}

func npzPart(arrays map[string]*Array, part string, classes int) (Dataset, error) {
	x, y := arrays["x_"+part], arrays["y_"+part]
	if x == nil || y == nil {
		return nil, fmt.Errorf("no arrays x_%s and y_%s; there are %q", part, part, slices.Sorted(maps.Keys(arrays)))
	}
	if len(y.Shape) == 2 && y.Shape[1] == 1 {
		y = &Array{y.Shape[:1], y.Data}
	}
	shape := x.Shape
	switch {
	case len(shape) < 2:
		return nil, errors.New("x_" + part + " has less than 2 axes")
	case len(shape) == 3:
		shape = append(shape[1:3:3], 1)
	default:
		shape = shape[1:]
	}
	if len(y.Shape) != 1 {
		return nil, fmt.Errorf("y_%s has shape %v, want one label for each row", part, y.Shape)
	}
	return newLabelled(x, shape, y, classes)
}

// newLabelled makes a set of inputs of a shape and class labels. With classes 0 the labels decide how many there are.
func newLabelled(x *Array, shape []int, labels *Array, classes int) (Dataset, error) {
	y, err := labels.Float32s()
	if err == nil && classes == 0 {
		classes, err = labels.classes()
	}
	if err != nil {
		return nil, err
	}
	if bytes, ok := x.Data.([]uint8); ok {
		return NewBytes(ByteArrays{InputShape: shape, X: bytes, Y: y, Classes: classes})
	}
	values, err := x.Float32s()
	if err != nil {
		return nil, err
	}
	return NewMemory(Arrays{InputShape: shape, X: values, Y: y, Classes: classes})
}

// classes returns how many classes there are at least where these are labels; 0 for none.
func (a *Array) classes() (int, error) {
	y, err := a.Float32s()
	if err != nil || len(y) == 0 {
		return 0, err
	}
	return int(min(max(slices.Max(y), 0), maxClasses-1)) + 1, nil
}
