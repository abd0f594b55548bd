package graph

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestInferRearranging is TestInfer for what pads, cuts, transposes and reduces.
func TestInferRearranging(t *testing.T) {
	s := func(d ...int) []int { return append([]int{}, d...) }
	slice := func(begin, end, strides []int, masks ...int) StridedSlice {
		return StridedSlice{Begin: begin, End: end, Strides: strides, BeginMask: masks[0], EndMask: masks[1]}
	}
	reduce := func(keep bool, axes ...int) Reducer { return Reducer{Axes: axes, KeepDims: keep} }
	zero, one := s(0, 0, 0), s(1, 1, 1)
	for _, c := range []struct {
		op       Op
		x, shape []int
		want     string
	}{
		{Pad{Paddings: [][2]int{{}, {1, 2}, {0, 3}, {}}}, s(5, 4, 3, 2), s(5, 7, 6, 2), ""},
		{Pad{Paddings: [][2]int{{}, {1, 2}}}, s(5, 4, 3), nil, "input 0 has shape [5 4 3], want 2 axes, one for each pair of paddings [[0 0] [1 2]]"},
		{Pad{}, s(), nil, "want 0 axes"},
		{Pad{Paddings: [][2]int{{0, 1}, {1, 2}}}, s(5, 4), nil, "the batch, the first axis, cannot be padded"},
		{Pad{Paddings: [][2]int{{}, {-1, 2}}}, s(5, 4), nil, "paddings [[0 0] [-1 2]] must be between 0 and 32768"},
		{Pad{Paddings: [][2]int{{}, {0, 1<<15 + 1}}}, s(5, 4), nil, "must be between 0 and 32768"},

		{slice(s(0, 1, 0), s(0, 3, 0), one, 5, 5), s(5, 4, 3), s(5, 2, 3), ""},
		{slice(s(0, 1, 0), s(0, 9, -1), s(1, 2, 1), 1, 1), s(5, 4, 3), s(5, 2, 2), ""},
		{slice(zero, zero, s(1, -1, -2), 7, 7), s(5, 4, 3), s(5, 4, 2), ""},
		{slice(zero, s(0, 4, 0), one, 7, 5), s(5, 4, 3), s(5, 4, 3), ""},
		{slice(s(0, 3, 0), s(0, 3, 0), one, 5, 5), s(5, 4, 3), nil, "input 0 has shape [5 4 3], want an axis 1 of which something is left from 3 to 3"},
		{slice(s(0, 3, 0), s(0, 1, 0), one, 5, 5), s(5, 4, 3), nil, "something is left from 3 to 1"},
		{slice(s(0, 1, 0), s(0, 3, 0), s(1, -1, 1), 5, 5), s(5, 4, 3), nil, "something is left from 1 to 3"},
		{slice(zero, zero, s(1, 0, 1), 7, 7), s(5, 4, 3), nil, "stride 1 is 0"},
		{slice(zero, zero, one, 7, 7), s(5, 4), nil, "input 0 has shape [5 4], want 3 axes"},
		{slice(zero, zero[1:], one, 7, 7), s(5, 4, 3), nil, "want as many numbers of each"},
		{StridedSlice{}, s(5), nil, "and one at least"},
		{slice(zero, one, one, 6, 7), s(5, 4, 3), nil, "the batch, the first axis, must be taken whole"},
		{slice(zero, zero, s(2, 1, 1), 7, 7), s(5, 4, 3), nil, "the batch, the first axis, must be taken whole"},

		{Transpose{Perm: s(0, 3, 1, 2)}, s(5, 4, 3, 2), s(5, 2, 4, 3), ""},
		{Transpose{Perm: s(0, 1)}, s(5, 4, 3), nil, "input 0 has shape [5 4 3], want 2 axes"},
		{Transpose{Perm: s(1, 0)}, s(5, 4), nil, "permutation [1 0]: want the numbers 0 to 1 in any order but with 0, the batch, first"},
		{Transpose{Perm: s(0, 1, 1)}, s(5, 4, 3), nil, "permutation [0 1 1]: want the numbers 0 to 2"},
		{Transpose{Perm: s(0, -1, 1)}, s(5, 4, 3), nil, "permutation [0 -1 1]"},

		{Mean{reduce(false, 1, 2)}, s(5, 4, 3, 2), s(5, 2), ""},
		{Mean{reduce(true, 2, 1)}, s(5, 4, 3, 2), s(5, 1, 1, 2), ""},
		{ReduceMax{reduce(false, -1)}, s(5, 4, 3), s(5, 4), ""},
		{ReduceMax{reduce(true, 1, -2, 1)}, s(5, 4, 3), s(5, 1, 3), ""},
		{Mean{}, s(5, 4), nil, "no axes to reduce"},
		{Mean{reduce(false, 0, 1)}, s(5, 4), nil, "axes [0 1]: the batch, the first axis, cannot be reduced"},
		{Mean{reduce(false, -2)}, s(5, 4), nil, "axes [-2]: the batch"},
		{ReduceMax{reduce(false, 2)}, s(5, 4), nil, "axis 2 of a tensor with 2 axes"},
		{ReduceMax{reduce(false, 1, 3)}, s(5, 4, 3, 2), nil, "axes [1 3] are not neighbours"},
	} {
		t.Run(fmt.Sprintf("%s %v", c.op.Name(), c.x), func(t *testing.T) {
			x := slices.Clone(c.x)
			shape, err := c.op.Infer([][]int{c.x})
			want(t, err, c.want)
			if !slices.Equal(shape, c.shape) {
				t.Errorf("shape %v, want %v", shape, c.shape)
			}
			if len(shape) > 0 {
				shape[0] = 99
			}
			if !slices.Equal(c.x, x) {
				t.Error("Infer changes its input")
			}
			_, err = c.op.Infer([][]int{c.x, c.x})
			want(t, err, "2 inputs, want 1 to 1")
		})
	}
}

// TestSliceRange walks an axis as Python does.
func TestSliceRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 9).Draw(t, "size")
		from, to := rapid.IntRange(-12, 12).Draw(t, "begin"), rapid.IntRange(-12, 12).Draw(t, "end")
		stride := rapid.SampledFrom([]int{1, 2, 3, -1, -2}).Draw(t, "stride")
		masks := rapid.IntRange(0, 3).Draw(t, "masks")
		o := StridedSlice{Begin: []int{from}, End: []int{to}, Strides: []int{stride}, BeginMask: masks & 1, EndMask: masks >> 1}
		from, to = from+size*(1-max(sign(from), 0)), to+size*(1-max(sign(to), 0))
		if masks&1 != 0 {
			from = size * 10 * -sign(stride)
		}
		if masks>>1 != 0 {
			to = size * 10 * sign(stride)
		}
		var taken []int
		for i := range size { // index i is taken if it is some steps from where the walk begins
			if stride < 0 {
				i = size - 1 - i
			}
			inside := from <= i && i < to
			if stride < 0 {
				inside = to < i && i <= from
			}
			if inside && (len(taken) == 0 || i == taken[len(taken)-1]+stride) {
				taken = append(taken, i)
			}
		}
		begin, count := o.Range(0, size)
		if max(count, 0) != len(taken) || count > 0 && begin != taken[0] {
			t.Fatalf("%d from %d, want %v", count, begin, taken)
		}
	})
}

// sign is 1 for numbers that are not negative.
func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func TestFold(t *testing.T) {
	outer, count, inner := Reducer{Axes: []int{-2, 1}}.Fold([]int{5, 4, 3, 2})
	if outer != 5 || count != 12 || inner != 2 {
		t.Errorf("[%d %d %d]", outer, count, inner)
	}
}
