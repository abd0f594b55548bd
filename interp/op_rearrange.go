package interp

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/strided"
)

// pad puts zeros, or the code of 0, around each example.
func pad(s site) (kernel, error) {
	paddings := s.Op.(graph.Pad).Paddings[1:]
	begin := make([]int, len(paddings))
	for axis, p := range paddings {
		begin[axis] = p[0]
	}
	x := s.Input(graph.InputX).Shape[1:]
	v := strided.Slice(s.Output.Shape[1:], begin, slices.Repeat([]int{1}, len(begin)), x)
	switch s.unary() {
	case allFloat:
		return padded[float32](v, 0), nil
	case allInt8:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		return padded(v, int8(p.ZeroPoint[0])), nil
	case allInt16:
		p, err := s.sharedParams()
		if err != nil {
			return nil, err
		}
		return padded(v, int16(p.ZeroPoint[0])), nil
	}
	return nil, s.unsupported()
}

// padded is the kernel of a tensor around the part v of which it puts zeros.
func padded[T float32 | int8 | int16](v strided.View, zero T) kernel {
	return func(in []*value, out *value) error {
		y := elements[T](out)
		split(len(y), 1, func(lo, hi int) {
			for i := range y[lo:hi] {
				y[lo+i] = zero
			}
		})
		strided.Scatter(v, y, elements[T](in[graph.InputX]))
		return nil
	}
}

func stridedSlice(s site) (kernel, error) {
	op, x := s.Op.(graph.StridedSlice), s.Input(graph.InputX).Shape
	begin := make([]int, len(x))
	for axis, size := range x {
		begin[axis], _ = op.Range(axis, size)
	}
	return s.gather(strided.Slice(x[1:], begin[1:], op.Strides[1:], s.Output.Shape[1:]))
}

func transpose(s site) (kernel, error) {
	return s.gather(strided.Permute(s.Input(graph.InputX).Shape, s.Op.(graph.Transpose).Perm))
}

// gather is the kernel that copies what v picks from each example.
func (s site) gather(v strided.View) (kernel, error) {
	switch s.unary() {
	case allFloat:
		return gathered[float32](v), nil
	case allInt8:
		_, err := s.sharedParams()
		return gathered[int8](v), err
	case allInt16:
		_, err := s.sharedParams()
		return gathered[int16](v), err
	}
	return nil, s.unsupported()
}

func gathered[T float32 | q8.Code | int16](v strided.View) kernel {
	return func(in []*value, out *value) error {
		strided.Gather(v, elements[T](out), elements[T](in[graph.InputX]))
		return nil
	}
}
