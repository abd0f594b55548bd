package layers

import "github.com/goqat/goqat/graph"

// GlobalAveragePool2D is the mean of each channel of an image.
//
// Shapes: x [N, H, W, C]; y [N, C], or [N, 1, 1, C] with KeepDims.
//
// Quantized: see [graph.Mean].
//
// Errors: an input that is no image.
//
// Source: Keras 3, GlobalAveragePooling2D.
type GlobalAveragePool2D struct {
	KeepDims bool
	Name     string
}

// Identity implements [Layer].
func (l GlobalAveragePool2D) Identity() (class, name string) {
	return "GlobalAveragePooling2D", l.Name
}

// Lower implements [Layer].
func (l GlobalAveragePool2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.global(graph.Mean{Reducer: overImage(l.KeepDims)}, x)
}

// GlobalMaxPool2D is the maximum of each channel of an image.
//
// Shapes: x [N, H, W, C]; y [N, C], or [N, 1, 1, C] with KeepDims.
//
// Quantized: see [graph.ReduceMax].
//
// Gradient: goes to the first of equal maxima, as that of [MaxPool2D] does;
// Keras shares it between them.
//
// Errors: an input that is no image.
//
// Source: Keras 3, GlobalMaxPooling2D.
type GlobalMaxPool2D struct {
	KeepDims bool
	Name     string
}

// Identity implements [Layer].
func (l GlobalMaxPool2D) Identity() (class, name string) { return "GlobalMaxPooling2D", l.Name }

// Lower implements [Layer].
func (l GlobalMaxPool2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	return b.global(graph.ReduceMax{Reducer: overImage(l.KeepDims)}, x)
}

// overImage reduces the height and width of images.
func overImage(keepDims bool) graph.Reducer {
	return graph.Reducer{Axes: []int{1, 2}, KeepDims: keepDims}
}

// global appends an operator on whole images.
func (b *Builder) global(op graph.Op, x *graph.Tensor) (*graph.Tensor, error) {
	if err := b.checkImage(op.Name(), x); err != nil {
		return nil, err
	}
	return b.Add("", op, x)
}
