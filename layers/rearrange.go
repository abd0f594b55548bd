package layers

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// ZeroPadding2D puts zeros around images.
//
// Shapes: x [N, H, W, C]; y [N, top+H+bottom, left+W+right, C].
//
// Quantized: see [graph.Pad].
//
// Errors: an input that is no image; negative or enormous paddings.
//
// Source: Keras 3, ZeroPadding2D.
type ZeroPadding2D struct {
	Padding [2][2]int // top and bottom, left and right; zero: 1 on each side
	Name    string
}

// Identity implements [Layer].
func (l ZeroPadding2D) Identity() (class, name string) { return "ZeroPadding2D", l.Name }

// Lower implements [Layer].
func (l ZeroPadding2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	p := l.Padding
	if p == [2][2]int{} {
		p = [2][2]int{{1, 1}, {1, 1}}
	}
	op := graph.Pad{Paddings: [][2]int{{}, p[0], p[1], {}}}
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	y, err := b.Add("", op, x)
	if err == nil {
		err = checkSizes(y.Shape)
	}
	return y, err
}

// Cropping2D cuts the border off images.
//
// Shapes: x [N, H, W, C]; y [N, H-top-bottom, W-left-right, C].
//
// Quantized: see [graph.StridedSlice].
//
// Errors: an input that is no image, or of which nothing is left; negative
// croppings.
//
// Source: Keras 3, Cropping2D.
type Cropping2D struct {
	Cropping [2][2]int // top and bottom, left and right
	Name     string
}

// Identity implements [Layer].
func (l Cropping2D) Identity() (class, name string) { return "Cropping2D", l.Name }

// Lower implements [Layer].
func (l Cropping2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	op := graph.StridedSlice{
		Begin: make([]int, 4), End: make([]int, 4), Strides: []int{1, 1, 1, 1},
		BeginMask: 0b1001, EndMask: 0b1001, // all examples and channels
	}
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	for i, c := range l.Cropping {
		size := x.Shape[1+i]
		if min(c[0], c[1]) < 0 {
			return nil, fmt.Errorf("cropping is %v, want no negative numbers", l.Cropping)
		}
		if c[0] >= size || c[1] >= size-c[0] {
			return nil, &graph.ShapeError{Node: b.Name(), Op: op.Name(), Got: x.Shape, Want: fmt.Sprintf("an image of which something is left without %v at the top and bottom, left and right", l.Cropping)}
		}
		op.Begin[1+i], op.End[1+i] = c[0], size-c[1]
	}
	return b.Add("", op, x)
}

// Permute puts the axes of each example in another order.
//
// Shapes: axis k of y is axis Dims[k-1] of x, both counted from 1 after the
// batch: with Dims {2, 1}, x is [N, A, B] and y [N, B, A].
//
// Quantized: see [graph.Transpose].
//
// Errors: Dims that are no permutation of 1 to the number of axes.
//
// Source: Keras 3, Permute.
type Permute struct {
	Dims []int
	Name string
}

// Identity implements [Layer].
func (l Permute) Identity() (class, name string) { return "Permute", l.Name }

// Lower implements [Layer].
func (l Permute) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	sorted := slices.Sorted(slices.Values(l.Dims))
	for i, d := range sorted {
		if d != i+1 {
			return nil, fmt.Errorf("dims is %v, want the numbers 1 to %d in any order: the batch, which has none, stays first", l.Dims, len(x.Shape)-1)
		}
	}
	return b.Add("", graph.Transpose{Perm: append([]int{0}, l.Dims...)}, x)
}
