package graph

import "fmt"

// StridedSlice takes a part of a tensor.
//
//	y[i0, i1, ...] = x[begin0 + i0*stride0, begin1 + i1*stride1, ...]
//
// Along each axis it begins at Begin and goes on, by Strides, until before End;
// negative numbers of these two count from the end of the axis, and both stop at
// its ends. Bit k of BeginMask or EndMask ignores the number of axis k and takes
// the axis from its very beginning, or to its very end.
//
// Shapes: one number of each kind for each axis of x. The batch is taken whole:
// its bit is set in both masks and its stride is 1, so that any batch fits.
//
// Quantized: input and output share scale and zero point; codes are copied.
type StridedSlice struct {
	Begin     []int `json:"begin"`
	End       []int `json:"end"`
	Strides   []int `json:"strides"`
	BeginMask int   `json:"begin_mask"`
	EndMask   int   `json:"end_mask"`
}

func (StridedSlice) Name() string { return "STRIDED_SLICE" }
func (StridedSlice) Class() Class { return SameScale }

// Infer implements [Op].
func (o StridedSlice) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if n := len(o.Begin); n == 0 || len(o.End) != n || len(o.Strides) != n {
		return nil, fmt.Errorf("begin %v, end %v and strides %v: want as many numbers of each, and one at least", o.Begin, o.End, o.Strides)
	}
	if len(x) != len(o.Begin) {
		return nil, &ShapeError{Got: x, Want: fmt.Sprintf("%d axes", len(o.Begin))}
	}
	if o.BeginMask&o.EndMask&1 == 0 || o.Strides[0] != 1 {
		return nil, fmt.Errorf("begin %v, end %v and strides %v with masks %b and %b: the batch, the first axis, must be taken whole", o.Begin, o.End, o.Strides, o.BeginMask, o.EndMask)
	}
	y := make([]int, len(x))
	for axis, size := range x {
		if o.Strides[axis] == 0 {
			return nil, fmt.Errorf("stride %d is 0", axis)
		}
		if _, y[axis] = o.Range(axis, size); y[axis] < 1 {
			return nil, &ShapeError{Got: x, Want: fmt.Sprintf("an axis %d of which something is left from %d to %d", axis, o.Begin[axis], o.End[axis])}
		}
	}
	return y, nil
}

// Range returns the first index that is taken along an axis of the given size,
// and how many are.
//
// Source: LiteRT, tflite/kernels/internal/strided_slice_logic.h.
func (o StridedSlice) Range(axis, size int) (begin, count int) {
	stride := o.Strides[axis]
	first, last := 0, size // between these the two stop
	if stride < 0 {
		first, last = -1, size-1
	}
	place := func(at, mask, whole int) int {
		if mask>>axis&1 == 1 {
			return whole
		}
		if at < 0 {
			at += size
		}
		return min(max(at, first), last)
	}
	if stride < 0 {
		begin = place(o.Begin[axis], o.BeginMask, last)
		return begin, (begin - place(o.End[axis], o.EndMask, first) - stride - 1) / -stride
	}
	begin = place(o.Begin[axis], o.BeginMask, first)
	return begin, (place(o.End[axis], o.EndMask, last) - begin + stride - 1) / stride
}
