package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/window"
)

// resizeNearest prepares an operator that copies pixels of float32 images or of
// codes.
func resizeNearest(s site) (kernel, error) {
	x := s.Input(graph.InputX).Shape
	r := window.Resize{Input: [2]int{x[1], x[2]}, Channels: x[3]}
	r.Rows, r.Cols = s.Op.(graph.ResizeNearestNeighbor).Sources(x[1], x[2])
	switch s.unary() {
	case allFloat:
		return resized[float32](r), nil
	case allInt8:
		_, err := s.sharedParams()
		return resized[int8](r), err
	case allInt16:
		_, err := s.sharedParams()
		return resized[int16](r), err
	}
	return nil, s.unsupported()
}

// resized is the kernel that copies pixels of each image.
func resized[T float32 | int8 | int16](r window.Resize) kernel {
	return func(in []*value, out *value) error {
		x, y := elements[T](in[graph.InputX]), elements[T](out)
		split(len(x)/r.InputLen(), r.OutputLen(), func(lo, hi int) {
			for n := lo; n < hi; n++ {
				window.Copy(r, y[n*r.OutputLen():], x[n*r.InputLen():])
			}
		})
		return nil
	}
}
