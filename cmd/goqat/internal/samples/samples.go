package samples

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/data/images"
	"github.com/goqat/goqat/graph"
)

// Digits is the name of the handwritten digits that are part of this program.
const Digits = "digits"

// Options say what is read. The zero value is all rows as they are.
type Options struct {
	// Rows is the most rows to take, from the first on; 0 means all.
	Rows int
	// Scale and Offset are applied to every input: x*Scale + Offset. A Scale of 0
	// means 1. Bytes and pixels are 0 to 1 before that.
	Scale, Offset float64
	// Features are computed of sounds; see [Features].
	Features Features
}

// Open reads rows for an input of a model:
//
//   - the training images of a directory of IDX files, as MNIST has them;
//   - an NPY file, or of an NPZ file the array x_train or the only one, with the
//     rows along the first axis;
//   - a CSV file, with or without a header, of as many columns as the input has
//     elements, or one more, the last, which is no input;
//   - a directory of PNG or JPEG files, or of a folder of these for each label;
//   - a directory of a folder of WAV files for each label;
//   - the name [Digits].
//
// Errors: what cannot be read, or has rows of another size than the input.
func Open(name string, in *graph.Tensor, o Options) (data.Dataset, error) {
	if len(in.Shape) == 0 || in.Shape[0] != 1 {
		return nil, fmt.Errorf("samples: input %q has shape %v, want a batch axis of 1 first", in.Name, in.Shape)
	}
	ds, err := open(name, in.Shape[1:], o)
	if err != nil {
		return nil, err
	}
	if ds, err = head(ds, o.Rows); err != nil {
		return nil, err
	}
	return o.viewed(name, ds, in)
}

// viewed returns rows in the shape of an input, scaled and moved.
func (o Options) viewed(name string, ds data.Dataset, in *graph.Tensor) (data.Dataset, error) {
	if got, want := graph.Elements(ds.InputShape()), in.Elements(); got != want {
		return nil, fmt.Errorf("samples: the rows of %s have shape %v, but input %q of the model takes %v", name, ds.InputShape(), in.Name, in.Shape[1:])
	}
	v := &view{Dataset: ds, shape: in.Shape[1:], scale: 1, offset: float32(o.Offset)}
	if o.Scale != 0 {
		v.scale = float32(o.Scale)
	}
	return v, nil
}

// open reads rows that may still have another shape.
func open(name string, shape []int, o Options) (data.Dataset, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case name == "":
		return nil, errors.New("samples: no data")
	case name == Digits:
		train, _ := digits.Load()
		return train, nil
	case ext == ".npy":
		a, err := data.ReadNPYFile(name)
		if err != nil {
			return nil, err
		}
		return ofArray(name, a, o.Rows)
	case ext == ".npz":
		return openNPZ(name, o.Rows)
	case ext == ".csv":
		return openCSV(name, graph.Elements(shape), o.Rows)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, fmt.Errorf("samples: %s is no directory, and no .npy, .npz or .csv file: %w", name, err)
	}
	switch {
	case holds(name, entries, "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
		if o.Rows == 0 {
			train, _, err := data.OpenIDX(name)
			return train, err
		}
		return data.OpenIDXSamples(name, o.Rows)
	case holds(name, entries, ".wav"):
		return openSounds(name, shape, o)
	case holds(name, entries, ".png", ".jpg", ".jpeg"):
		channels := 0
		if n := len(shape); n == 3 && (shape[2] == 1 || shape[2] == 3) {
			channels = shape[2]
		}
		return images.Open(name, images.Options{Channels: channels})
	}
	return nil, fmt.Errorf("samples: %s holds neither train-images-idx3-ubyte nor WAV, PNG or JPEG files", name)
}

// holds reports whether a directory, or a folder in it, has a file whose name ends
// in one of the given ways.
func holds(dir string, entries []os.DirEntry, ends ...string) bool {
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			files, _ := os.ReadDir(filepath.Join(dir, e.Name())) // what cannot be read holds nothing
			if slices.ContainsFunc(files, func(f os.DirEntry) bool { return !f.IsDir() && ending(f.Name(), ends) }) {
				return true
			}
		} else if ending(e.Name(), ends) {
			return true
		}
	}
	return false
}

func ending(name string, ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(strings.ToLower(name), end) })
}

func openNPZ(name string, rows int) (data.Dataset, error) {
	arrays, err := data.ReadNPZFile(name)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(arrays))
	a := arrays["x_train"]
	if a == nil && len(names) == 1 {
		a = arrays[names[0]]
	}
	if a == nil {
		return nil, fmt.Errorf("samples: %s holds %q, want one array or x_train among them", name, names)
	}
	return ofArray(name, a, rows)
}

// ofArray makes a set of an array whose first axis counts rows. Bytes become 0 to 1.
func ofArray(name string, a *data.Array, rows int) (data.Dataset, error) {
	if len(a.Shape) < 2 {
		return nil, fmt.Errorf("samples: %s has shape %v, want rows along the first axis", name, a.Shape)
	}
	n := a.Shape[0]
	if rows > 0 {
		n = min(n, rows)
	}
	size := graph.Elements(a.Shape[1:])
	if bytes, ok := a.Data.([]uint8); ok {
		return named(name)(data.NewBytes(data.ByteArrays{InputShape: a.Shape[1:], X: bytes[:n*size], Y: make([]float32, n)}))
	}
	values, err := a.Float32s()
	if err != nil {
		return nil, fmt.Errorf("samples: %s: %w", name, err)
	}
	return named(name)(data.NewMemory(data.Arrays{InputShape: a.Shape[1:], X: values[:n*size], Y: make([]float32, n)}))
}

// named gives errors of a set the name of its file.
func named(name string) func(data.Dataset, error) (data.Dataset, error) {
	return func(ds data.Dataset, err error) (data.Dataset, error) {
		if err != nil {
			return nil, fmt.Errorf("samples: %s: %w", name, err)
		}
		return ds, nil
	}
}

// head returns the first rows of a set.
func head(ds data.Dataset, rows int) (data.Dataset, error) {
	if rows == 0 || rows >= ds.Len() {
		return ds, nil
	}
	index := make([]int, rows)
	for i := range index {
		index[i] = i
	}
	return data.Subset(ds, index)
}

// view is a set whose inputs have another shape, and are scaled and moved.
type view struct {
	data.Dataset
	shape         []int
	scale, offset float32
}

func (v *view) InputShape() []int { return slices.Clone(v.shape) }
func (v *view) Classes() int      { return data.Classes(v.Dataset) }

func (v *view) Read(index []int, x, y []float32) error {
	if err := v.Dataset.Read(index, x, y); err != nil {
		return err
	}
	if v.scale != 1 || v.offset != 0 {
		for i := range x {
			x[i] = float32(x[i]*v.scale) + v.offset
		}
	}
	return nil
}

// OpenLabelled reads rows with class labels in two parts: to learn and calibrate
// with, and to test on. Those of IDX directories, NPZ files and [Digits] are as
// they are stored; a fifth of the sounds or images of each label is the test part.
//
// Errors: as [Open], and rows without labels.
func OpenLabelled(name string, in *graph.Tensor, o Options) (train, test data.Dataset, err error) {
	switch {
	case name == Digits:
		train, test := digits.Load()
		return both(name, in, o, train, test)
	case strings.HasSuffix(strings.ToLower(name), ".npz"):
		if train, test, err = data.OpenNPZ(name); err != nil {
			return nil, nil, err
		}
		return both(name, in, o, train, test)
	}
	if entries, err := os.ReadDir(name); err == nil && holds(name, entries, "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz") {
		if train, test, err = data.OpenIDX(name); err != nil {
			return nil, nil, err
		}
		return both(name, in, o, train, test)
	}
	o.Rows = 0
	all, err := Open(name, in, o)
	if err != nil {
		return nil, nil, err
	}
	if data.Classes(all) == 0 {
		return nil, nil, fmt.Errorf("samples: the rows of %s have no labels to test with", name)
	}
	return data.SplitStratified(all, 0.8, 1)
}

// both gives the two parts the shape of the input.
func both(name string, in *graph.Tensor, o Options, train, test data.Dataset) (data.Dataset, data.Dataset, error) {
	a, err := o.viewed(name, train, in)
	if err != nil {
		return nil, nil, err
	}
	b, err := o.viewed(name, test, in)
	return a, b, err
}
