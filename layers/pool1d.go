package layers

import "github.com/goqat/goqat/graph"

// MaxPool1D is the maximum over windows of series.
//
// Shapes: x [N, L, C]; y [N, L', C].
//
// Quantized: see [graph.MaxPool2D].
//
// Errors: as [Conv2D].
//
// Source: Keras 3, MaxPooling1D.
type MaxPool1D struct {
	Pool    int // zero: 2
	Strides int // zero: Pool
	Padding Padding
	Name    string
}

// Identity implements [Layer].
func (l MaxPool1D) Identity() (class, name string) { return "MaxPooling1D", l.Name }

// Lower implements [Layer].
func (l MaxPool1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	pool, strides, err := pool1D(l.Pool, l.Strides)
	if err != nil {
		return nil, err
	}
	return b.series(x, MaxPool2D{Pool: pool, Strides: strides, Padding: l.Padding})
}

// AveragePool1D is the mean over windows of series; padding does not count.
//
// Shapes: x [N, L, C]; y [N, L', C].
//
// Quantized: see [graph.AveragePool2D].
//
// Errors: as [Conv2D].
//
// Source: Keras 3, AveragePooling1D.
type AveragePool1D struct {
	Pool    int // zero: 2
	Strides int // zero: Pool
	Padding Padding
	Name    string
}

// Identity implements [Layer].
func (l AveragePool1D) Identity() (class, name string) { return "AveragePooling1D", l.Name }

// Lower implements [Layer].
func (l AveragePool1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	pool, strides, err := pool1D(l.Pool, l.Strides)
	if err != nil {
		return nil, err
	}
	return b.series(x, AveragePool2D{Pool: pool, Strides: strides, Padding: l.Padding})
}

// pool1D checks the sizes of a one-dimensional pool, fills in their defaults and
// makes windows of height 1 of them.
func pool1D(pool, strides int) (window, step [2]int, err error) {
	if pool == 0 {
		pool = 2
	}
	if strides == 0 {
		strides = pool
	}
	err = checkPositive(size{"pool", pool}, size{"strides", strides})
	return across(pool), across(strides), err
}

// GlobalAveragePool1D is the mean of each channel of a series.
//
// Shapes: x [N, L, C]; y [N, C], or [N, 1, C] with KeepDims.
//
// Quantized: see [graph.Mean].
//
// Errors: an input that is no series.
//
// Source: Keras 3, GlobalAveragePooling1D.
type GlobalAveragePool1D struct {
	KeepDims bool
	Name     string
}

// Identity implements [Layer].
func (l GlobalAveragePool1D) Identity() (class, name string) {
	return "GlobalAveragePooling1D", l.Name
}

// Lower implements [Layer].
func (l GlobalAveragePool1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.series(x, GlobalAveragePool2D{KeepDims: l.KeepDims})
}

// GlobalMaxPool1D is the maximum of each channel of a series.
//
// Shapes: x [N, L, C]; y [N, C], or [N, 1, C] with KeepDims.
//
// Quantized: see [graph.ReduceMax].
//
// Gradient: as that of [GlobalMaxPool2D].
//
// Errors: an input that is no series.
//
// Source: Keras 3, GlobalMaxPooling1D.
type GlobalMaxPool1D struct {
	KeepDims bool
	Name     string
}

// Identity implements [Layer].
func (l GlobalMaxPool1D) Identity() (class, name string) { return "GlobalMaxPooling1D", l.Name }

// Lower implements [Layer].
func (l GlobalMaxPool1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.series(x, GlobalMaxPool2D{KeepDims: l.KeepDims})
}
