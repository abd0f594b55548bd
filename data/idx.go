package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goqat/goqat/internal/parallel"
)

// ReadIDX reads an array in IDX format, the format of the MNIST files: two zero bytes, a type byte, the number
// of axes, the axes as big-endian uint32, then the elements, big-endian and row-major. All six types are read.
//
// Errors: a malformed header, data that ends early, bytes after the array.
//
// Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", section "File formats".
func ReadIDX(r io.Reader) (*Array, error) { return readIDXRows(r, 0) }

// readIDXRows reads an array, or at most so many rows of it and then no further; 0
// stands for all.
func readIDXRows(r io.Reader, most int) (*Array, error) {
	a, err := readIDX(r, most)
	if err == nil && most == 0 {
		err = atEnd(r)
	}
	if err != nil {
		return nil, fmt.Errorf("data: idx: %w", err)
	}
	return a, nil
}

func readIDX(r io.Reader, most int) (*Array, error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, fmt.Errorf("magic number at byte 0: %w", unexpected(err))
	}
	if magic[0] != 0 || magic[1] != 0 {
		return nil, fmt.Errorf("starts with % x, not an IDX file", magic)
	}
	shape := make([]int, magic[3])
	for axis := range shape {
		var d [4]byte
		if _, err := io.ReadFull(r, d[:]); err != nil {
			return nil, fmt.Errorf("axis %d at byte %d: %w", axis, 4+4*axis, unexpected(err))
		}
		if shape[axis] = int(binary.BigEndian.Uint32(d[:])); shape[axis] < 0 { // where int has 32 bits
			return nil, fmt.Errorf("axis %d at byte %d is too large", axis, 4+4*axis)
		}
	}
	if most > 0 && len(shape) > 0 {
		shape[0] = min(shape[0], most)
	}
	count, err := product(shape)
	if err != nil {
		return nil, err
	}
	a := &Array{Shape: shape}
	switch order := binary.BigEndian; magic[2] {
	case 0x08:
		a.Data, err = readElements[uint8](r, order, count)
	case 0x09:
		a.Data, err = readElements[int8](r, order, count)
	case 0x0b:
		a.Data, err = readElements[int16](r, order, count)
	case 0x0c:
		a.Data, err = readElements[int32](r, order, count)
	case 0x0d:
		a.Data, err = readElements[float32](r, order, count)
	case 0x0e:
		a.Data, err = readElements[float64](r, order, count)
	default:
		return nil, fmt.Errorf("unknown type %#02x at byte 2", magic[2])
	}
	if err != nil {
		return nil, fmt.Errorf("elements of shape %v from byte %d: %w", shape, 4+4*len(shape), err)
	}
	return a, nil
}

// unexpected turns a clean end of file into an unexpected one: a header was due.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// OpenIDX reads a directory of four IDX files, each plain or with .gz, named as MNIST and Fashion-MNIST are:
// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte.
//
// Images have shape [height, width, 1], or [height, width, channels] where the file has four axes. Byte images
// are kept as bytes and read as value/255; other types are taken as they are. Targets are class labels; the
// number of classes is one more than the largest training label.
//
// Errors: a missing or malformed file, different numbers of images and labels, shapes that differ between the
// training and the test images, a negative label, a test label that no training row has room for.
func OpenIDX(dir string) (train, test Dataset, err error) {
	var files [2]idxPair
	var failed [2]error
	parallel.For(2, func(p int) { files[p], failed[p] = openIDXPair(dir, []string{"train", "t10k"}[p], 0) })
	if failed[0] != nil {
		return nil, nil, failed[0]
	}
	if train, err = files[0].dataset(0); err != nil {
		return nil, nil, err
	}
	if failed[1] != nil {
		return nil, nil, failed[1]
	}
	if test, err = files[1].dataset(Classes(train)); err != nil {
		return nil, nil, err
	}
	if a, b := train.InputShape(), test.InputShape(); !slices.Equal(a, b) {
		return nil, nil, fmt.Errorf("data: idx: %s: training images have shape %v, test images %v", dir, a, b)
	}
	return train, test, nil
}

// OpenIDXSamples reads the first rows of the training images of such a directory and no more, which takes
// milliseconds where all of them take a second: samples to calibrate with. The labels are those rows'.
//
// Errors: as [OpenIDX]; rows that are not positive.
func OpenIDXSamples(dir string, rows int) (Dataset, error) {
	if rows < 1 {
		return nil, fmt.Errorf("data: idx: %d rows are not positive", rows)
	}
	files, err := openIDXPair(dir, "train", rows)
	if err != nil {
		return nil, err
	}
	return files.dataset(0)
}

// OpenIDXTest reads the test part of such a directory and of the training part no more than the labels, which say how
// many classes there are: a tenth of the time.
//
// Errors: as [OpenIDX], but for those of the training images.
func OpenIDXTest(dir string) (Dataset, error) {
	labels, path, err := openIDXFile(dir, "train-labels-idx1-ubyte", 0)
	if err != nil {
		return nil, err
	}
	classes, err := labels.classes()
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	files, err := openIDXPair(dir, "t10k", 0)
	if err != nil {
		return nil, err
	}
	return files.dataset(classes)
}

// idxPair is the contents of two files, and where they are.
type idxPair struct {
	images, labels         *Array
	imagesPath, labelsPath string
}

// openIDXPair reads images and labels, at most so many rows of them; 0 stands for all.
func openIDXPair(dir, prefix string, most int) (p idxPair, err error) {
	if p.images, p.imagesPath, err = openIDXFile(dir, prefix+"-images-idx3-ubyte", most); err != nil {
		return p, err
	}
	p.labels, p.labelsPath, err = openIDXFile(dir, prefix+"-labels-idx1-ubyte", most)
	return p, err
}

// dataset makes a set of the files. With classes 0 the labels decide how many there are.
func (p idxPair) dataset(classes int) (Dataset, error) {
	shape := p.images.Shape
	switch len(shape) {
	case 3:
		shape = append(shape[1:3:3], 1)
	case 4:
		shape = shape[1:]
	default:
		return nil, fmt.Errorf("data: idx: %s: images have %d axes, want 3 or 4", p.imagesPath, len(shape))
	}
	if len(p.labels.Shape) != 1 {
		return nil, fmt.Errorf("data: idx: %s: labels have %d axes, want 1", p.labelsPath, len(p.labels.Shape))
	}
	ds, err := newLabelled(p.images, shape, p.labels, classes)
	if err != nil {
		return nil, fmt.Errorf("%w (%s, %s)", err, p.imagesPath, p.labelsPath)
	}
	return ds, nil
}

// openIDXFile reads name or name.gz in dir and reports which.
func openIDXFile(dir, name string, most int) (*Array, string, error) {
	path := filepath.Join(dir, name)
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		path += ".gz"
		file, err = os.Open(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("data: idx: neither %s nor %s.gz in %s: %w", name, name, dir, os.ErrNotExist)
	}
	if err != nil {
		return nil, "", fmt.Errorf("data: idx: %w", err)
	}
	defer file.Close()
	r := io.Reader(bufio.NewReaderSize(file, 1<<16))
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, "", fmt.Errorf("data: idx: %s: %w", path, err)
		}
	}
	a, err := readIDXRows(r, most)
	if err != nil {
		return nil, "", fmt.Errorf("%w (%s)", err, path)
	}
	return a, path, nil
}
