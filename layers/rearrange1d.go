package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// ZeroPadding1D puts zeros before and after series. For a causal convolution,
// put {extent-1, 0} in front of a [Conv1D] with Valid padding, where extent is
// (Kernel-1)*Dilation + 1.
//
// Shapes: x [N, L, C]; y [N, before+L+after, C].
//
// Quantized: see [graph.Pad].
//
// Errors: as [ZeroPadding2D].
//
// Source: Keras 3, ZeroPadding1D.
type ZeroPadding1D struct {
	Padding [2]int // before and after; zero: 1 on each side
	Name    string
}

// Identity implements [Layer].
func (l ZeroPadding1D) Identity() (class, name string) { return "ZeroPadding1D", l.Name }

// Lower implements [Layer].
func (l ZeroPadding1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.series(x, ZeroPadding2D{Padding: [2][2]int{{}, pairOr(l.Padding, [2]int{1, 1})}})
}

// Cropping1D cuts the ends off series.
//
// Shapes: x [N, L, C]; y [N, L-before-after, C].
//
// Quantized: see [graph.StridedSlice].
//
// Errors: an input that is no series, or of which nothing is left; negative
// croppings.
//
// Source: Keras 3, Cropping1D.
type Cropping1D struct {
	Cropping [2]int // before and after; zero: 1 on each side
	Name     string
}

// Identity implements [Layer].
func (l Cropping1D) Identity() (class, name string) { return "Cropping1D", l.Name }

// Lower implements [Layer].
func (l Cropping1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.series(x, Cropping2D{Cropping: [2][2]int{{}, pairOr(l.Cropping, [2]int{1, 1})}})
}

// UpSampling1D repeats the steps of series.
//
// Shapes: x [N, L, C]; y [N, L*Size, C].
//
// Quantized: codes are copied; see [graph.ResizeNearestNeighbor].
//
// Errors: as [UpSampling2D].
//
// Source: Keras 3, UpSampling1D.
type UpSampling1D struct {
	Size int // zero: 2
	Name string
}

// Identity implements [Layer].
func (l UpSampling1D) Identity() (class, name string) { return "UpSampling1D", l.Name }

// Lower implements [Layer].
func (l UpSampling1D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	if l.Size < 0 {
		return nil, fmt.Errorf("size is %d, want a positive number", l.Size)
	}
	if l.Size == 0 {
		l.Size = 2
	}
	return b.series(x, UpSampling2D{Size: across(l.Size)})
}
