package importer

import (
	"errors"
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
)

// wholeBatch marks the first axis as taken whole where, at batch 1, it is: other
// batches are free then.
func wholeBatch(o graph.StridedSlice) graph.StridedSlice {
	if len(o.Begin) > 0 && len(o.End) == len(o.Begin) && len(o.Strides) == len(o.Begin) && o.Strides[0] == 1 {
		if begin, count := o.Range(0, 1); begin == 0 && count == 1 {
			o.BeginMask, o.EndMask = o.BeginMask|1, o.EndMask|1
		}
	}
	return o
}

// slice takes sizes from begins on; a size of -1 is what is left.
func slice(s *site) error {
	x := s.inputs[0]
	begin, err := s.ints(1, "begin", 1)
	if err != nil {
		return err
	}
	size, err := s.ints(2, "size", 1)
	if err != nil {
		return err
	}
	if len(begin) != len(x.Shape) || len(size) != len(x.Shape) || len(begin) == 0 {
		return fmt.Errorf("begin %v and size %v of a tensor of shape %v", begin, size, x.Shape)
	}
	op := whole(x.Shape)
	for a := range begin {
		if size[a] == -1 {
			size[a] = x.Shape[a] - begin[a]
		}
		if err := inside(x.Shape, a, begin[a], size[a]); err != nil {
			return err
		}
		op.Begin[a], op.End[a] = begin[a], begin[a]+size[a]
	}
	op.BeginMask, op.EndMask = 0, 0
	return s.end(0, wholeBatch(op), x)
}

// readStridedSlice allows the masks that graph.StridedSlice has not: an ellipsis
// takes the axes that are not named, a new axis has size 1, and a shrunk one is
// taken at one place and left out.
func readStridedSlice(s *site) error {
	x := s.inputs[0]
	var lists [3][]int
	for i := range lists {
		var err error
		if lists[i], err = s.ints(1+i, [...]string{"begin", "end", "strides"}[i], 1); err != nil {
			return err
		}
	}
	n := len(lists[0])
	if n > 2*format.MaxRank || len(lists[1]) != n || len(lists[2]) != n || s.option("offset") != 0 {
		return fmt.Errorf("begin %v, end %v, strides %v, offset %d", lists[0], lists[1], lists[2], s.option("offset"))
	}
	bit := func(mask string, i int) bool { return s.option(mask)>>i&1 == 1 }
	unnamed := len(x.Shape)
	for i := range n {
		if !bit("ellipsis_mask", i) && !bit("new_axis_mask", i) {
			unnamed--
		}
	}
	op, from, a := whole(x.Shape), []int{}, 0
	for i := range n {
		switch {
		case bit("ellipsis_mask", i):
			for range unnamed {
				from, a = append(from, a), a+1
			}
			continue
		case bit("new_axis_mask", i):
			from = append(from, newAxis)
			continue
		case a >= len(x.Shape):
			return fmt.Errorf("begin %v of a tensor of shape %v", lists[0], x.Shape)
		}
		op.Begin[a], op.End[a], op.Strides[a] = lists[0][i], lists[1][i], lists[2][i]
		op.BeginMask = setBit(op.BeginMask, a, bit("begin_mask", i))
		op.EndMask = setBit(op.EndMask, a, bit("end_mask", i))
		if bit("shrink_axis_mask", i) {
			if op.Begin[a] < 0 {
				op.Begin[a] += x.Shape[a]
			}
			if err := inside(x.Shape, a, op.Begin[a], 1); err != nil || bit("begin_mask", i) {
				return errors.Join(err, errors.New("one place is taken of an axis that is masked or shorter"))
			}
			op.End[a], op.Strides[a], op.EndMask = op.Begin[a]+1, 1, setBit(op.EndMask, a, false)
		} else {
			from = append(from, a)
		}
		a++
	}
	for ; a < len(x.Shape); a++ {
		from = append(from, a)
	}
	return s.sliced(wholeBatch(op), from)
}

// newAxis stands for an axis of size 1 that the input has not.
const newAxis = -1

// sliced adds a slice of the first input, and a reshape if the output has other
// axes: from says which axis each of them is.
func (s *site) sliced(op graph.StridedSlice, from []int) error {
	x := s.inputs[0]
	if len(from) == 0 || from[0] != 0 {
		return errors.New("the batch is taken apart")
	}
	same := len(from) == len(x.Shape)
	for i, a := range from {
		same = same && i == a
	}
	if same {
		return s.end(0, op, x)
	}
	y, err := s.add(op, x)
	if err != nil {
		return err
	}
	shape := make([]int, len(from))
	for i, a := range from {
		if shape[i] = 1; a != newAxis {
			shape[i] = y.Shape[a]
		}
	}
	return s.end(0, reshaped(shape), y)
}

// setBit returns a mask with bit i as told.
func setBit(mask, i int, on bool) int {
	if on {
		return mask | 1<<i
	}
	return mask &^ (1 << i)
}
