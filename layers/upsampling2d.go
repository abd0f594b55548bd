package layers

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
)

// UpSampling2D repeats the rows and columns of NHWC images: Keras' layer with
// interpolation "nearest". Bilinear interpolation is not supported.
//
//	y[n,i,j,c] = x[n, i/Size[0], j/Size[1], c]
//
// Shapes: x [N, H, W, C]; y [N, H*Size[0], W*Size[1], C].
//
// Quantized: codes are copied; see [graph.ResizeNearestNeighbor].
//
// Errors: sizes that are not positive or too large; an input that is no image
// ([*graph.ShapeError]).
//
// Source: Keras 3, UpSampling2D.
type UpSampling2D struct {
	Size [2]int // factors for rows and columns; zero: 2x2
	Name string
}

// Identity implements [Layer].
func (l UpSampling2D) Identity() (class, name string) { return "UpSampling2D", l.Name }

// Lower implements [Layer].
func (l UpSampling2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	size := pairOr(l.Size, [2]int{2, 2})
	op := graph.ResizeNearestNeighbor{}
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	if min(size[0], size[1]) < 1 {
		return nil, fmt.Errorf("size is %v, want two positive numbers", size)
	}
	// Factor by factor, so that no product overflows.
	if checkSizes(append(slices.Clone(x.Shape), size[0], size[1])) != nil {
		return nil, fmt.Errorf("size is %v, which makes more than %d elements of an image %v", size, maxElements, x.Shape)
	}
	op.Height, op.Width = x.Shape[1]*size[0], x.Shape[2]*size[1]
	if !replicates(op, x.Shape, size) {
		// In float32 i*(1/41) falls short of 1 at i = 41, and with it some other
		// factors; from the centers of pixels nothing is so close to an edge. Plain
		// corners come first because older runtimes know nothing else.
		op.HalfPixelCenters = true
		if !replicates(op, x.Shape, size) {
			return nil, fmt.Errorf("size %v of an image %v: float32 does not number its rows and columns exactly; use a smaller factor", size, x.Shape[1:3])
		}
	}
	return b.Add("", op, x)
}

// replicates reports whether op, computed as runtimes do, copies every pixel
// equally often.
func replicates(op graph.ResizeNearestNeighbor, shape []int, size [2]int) bool {
	rows, cols := op.Sources(shape[1], shape[2])
	for axis, sources := range [][]int{rows, cols} {
		for i, at := range sources {
			if at != i/size[axis] {
				return false
			}
		}
	}
	return true
}
