package bench

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/rng"
)

// The shape of Fashion-MNIST, which the networks are made for.
const (
	count, side, classes = 60_000, 28, 10
)

// Rows are what is trained on.
type Rows struct {
	// Name is that of the folder, or "synthetic".
	Name string
	Set  data.Dataset
}

// OpenRows reads the training part of a directory of IDX files, see
// [data.OpenIDX]. The empty name stands for 60,000 synthetic rows, which are
// noise: as fast to train on as any, but nothing can be learned from them.
//
// Errors: those of OpenIDX; images of another shape than 28x28; more than ten
// classes.
func OpenRows(dir string) (Rows, error) {
	if dir == "" {
		ds, err := noise()
		return Rows{"synthetic", ds}, err
	}
	ds, _, err := data.OpenIDX(dir)
	if err != nil {
		return Rows{}, err
	}
	if want := []int{side, side, 1}; !slices.Equal(ds.InputShape(), want) || data.Classes(ds) > classes {
		return Rows{}, fmt.Errorf("%s: images of shape %v in %d classes, want %v and at most %d", dir, ds.InputShape(), data.Classes(ds), want, classes)
	}
	return Rows{filepath.Base(filepath.Clean(dir)), ds}, nil
}

// noise makes the synthetic rows.
func noise() (data.Dataset, error) {
	random := rng.New(1)
	x, y := make([]byte, count*side*side), make([]float32, count)
	for i := 0; i < len(x); i += 8 {
		binary.LittleEndian.PutUint64(x[i:], random.Uint64())
	}
	for i := range y {
		y[i] = float32(random.IntN(classes))
	}
	return data.NewBytes(data.ByteArrays{InputShape: []int{side, side, 1}, X: x, Y: y, Classes: classes})
}
