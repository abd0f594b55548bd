package layers

import "github.com/goqat/goqat/graph"

// MaxPool2D is the maximum over windows of NHWC images.
//
// Shapes: x [N, H, W, C]; y [N, H', W', C].
//
// Quantized: see [graph.MaxPool2D].
//
// Errors: as [Conv2D].
//
// Source: Keras 3, MaxPooling2D.
type MaxPool2D struct {
	Pool    [2]int // height and width; zero: 2x2
	Strides [2]int // down and right; zero: Pool
	Padding Padding
	Name    string
}

// Identity implements [Layer].
func (l MaxPool2D) Identity() (class, name string) { return "MaxPooling2D", l.Name }

// Lower implements [Layer].
func (l MaxPool2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	p, err := b.pool("MAX_POOL_2D", x, l.Pool, l.Strides, l.Padding)
	if err != nil {
		return nil, err
	}
	return b.Add("", graph.MaxPool2D{Pool: p}, x)
}

// AveragePool2D is the mean over windows of NHWC images; padding does not count.
//
// Shapes: x [N, H, W, C]; y [N, H', W', C].
//
// Quantized: see [graph.AveragePool2D].
//
// Errors: as [Conv2D].
//
// Source: Keras 3, AveragePooling2D.
type AveragePool2D struct {
	Pool    [2]int // height and width; zero: 2x2
	Strides [2]int // down and right; zero: Pool
	Padding Padding
	Name    string
}

// Identity implements [Layer].
func (l AveragePool2D) Identity() (class, name string) { return "AveragePooling2D", l.Name }

// Lower implements [Layer].
func (l AveragePool2D) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	p, err := b.pool("AVERAGE_POOL_2D", x, l.Pool, l.Strides, l.Padding)
	if err != nil {
		return nil, err
	}
	return b.Add("", graph.AveragePool2D{Pool: p}, x)
}

// pool checks the fields of a pooling layer and fills in their defaults.
func (b *Builder) pool(op string, x *graph.Tensor, size, strides [2]int, p Padding) (graph.Pool, error) {
	size = pairOr(size, [2]int{2, 2})
	strides = pairOr(strides, size)
	if err := b.checkImage(op, x); err != nil {
		return graph.Pool{}, err
	}
	if err := checkWindow(p, pair{"pool", size}, pair{"strides", strides}); err != nil {
		return graph.Pool{}, err
	}
	return graph.Pool{Padding: p, FilterH: size[0], FilterW: size[1], StrideH: strides[0], StrideW: strides[1]}, nil
}
