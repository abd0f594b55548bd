package importer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
	"github.com/goqat/goqat/tflite/internal/operators"
)

// Networks that go through time step by step put time in front of the batch:
// TRANSPOSE, UNPACK and PACK along the first axis, TRANSPOSE back. In a graph the
// batch stays in front. A tensor with these axes exchanged is not computed; what
// reads it reads along axis 1 of the one that it comes from instead.

// exchanged reports whether a permutation exchanges the first two axes and nothing
// else.
func exchanged(perm []int) bool {
	for i, p := range perm {
		want := i
		if i < 2 {
			want = 1 - i
		}
		if p != want {
			return false
		}
	}
	return len(perm) > 1
}

// exchanging reads an operator whose output, or first input, has time in front of
// the batch. It reports whether it is one.
func (s *site) exchanging() (is bool, err error) {
	for i, x := range s.inputs {
		if s.b.exchanged[x] != nil && i > 0 {
			return true, errors.New("an input does not have the batch in front")
		}
	}
	x := s.input(0)
	if x == nil || len(s.o.Outputs) == 0 {
		return false, nil
	}
	if base := s.b.exchanged[x]; base != nil {
		return true, s.unexchanged(base)
	}
	switch s.name {
	case "TRANSPOSE":
		perm, err := s.ints(1, "permutation", 1)
		if err != nil || !exchanged(perm) || len(perm) != len(x.Shape) {
			return false, nil
		}
		return true, s.exchange(x, s.inputs[1])
	case "PACK":
		if s.option("axis") != 0 || x.Role != graph.Activation || slices.Contains(s.inputs, nil) || len(x.Shape) == 0 {
			return false, nil
		}
		base, err := s.packed(1)
		if err != nil {
			return true, err
		}
		return true, s.exchange(base, nil)
	}
	return false, nil
}

// exchange notes that the output is base with time in front, by a permutation unless
// that is nil.
func (s *site) exchange(base, perm *graph.Tensor) error {
	y, err := s.output(0)
	if err != nil {
		return err
	}
	shape := slices.Clone(base.Shape)
	shape[0], shape[1] = shape[1], shape[0]
	if !s.b.s.Tensors[s.o.Outputs[0]].Agrees(shape) {
		return fmt.Errorf("output has shape %v, want %v", y.Shape, shape)
	}
	s.b.exchanged[y], s.b.perms[y] = base, perm
	return nil
}

// compute adds the node that makes a tensor with time in front, for an operator or
// an output of the network that reads it as it is; before that of operator i.
func (b *builder) compute(x *graph.Tensor, i int) {
	base := b.exchanged[x]
	if base == nil || b.computed[x] {
		return
	}
	b.computed[x] = true
	perm := b.perms[x]
	if perm == nil {
		axes := format.List(len(x.Shape), func(i int) int32 { return int32(i) })
		axes[0], axes[1] = 1, 0
		perm = &graph.Tensor{Name: b.names.Unique(short(x.Name) + "/perm"), Type: graph.Int32, Role: graph.Constant, Shape: []int{len(axes)}, Data: axes}
	}
	n := &graph.Node{Name: x.Name, Op: graph.Foreign{Operator: "TRANSPOSE", Shape: x.Shape}, Inputs: []*graph.Tensor{base, perm}, Output: x}
	version, _ := operators.ByName("TRANSPOSE").VersionOf(n)
	n.Op = graph.Foreign{Operator: "TRANSPOSE", Version: max(version, 1), Shape: x.Shape}
	b.node(i, n)
}

// unexchanged reads an operator on a tensor with time in front, given the one with
// the batch in front.
func (s *site) unexchanged(base *graph.Tensor) error {
	switch s.name {
	case "TRANSPOSE":
		perm, err := s.ints(1, "permutation", 1)
		if err != nil {
			return err
		}
		if len(perm) != len(base.Shape) || !exchanged(perm) {
			return fmt.Errorf("permutation %v of a tensor that does not have the batch in front", perm)
		}
		return s.end(0, reshaped(base.Shape), base)
	case "UNPACK":
		if s.option("axis") != 0 {
			break
		}
		return s.unpacked(base, 1)
	case "STRIDED_SLICE":
		begin, err := s.ints(1, "begin", 1)
		if err != nil {
			return err
		}
		rest := 1<<len(begin) - 2 // all axes but the first
		if len(begin) == 0 || s.option("shrink_axis_mask") != 1 || s.option("begin_mask") != rest || s.option("end_mask") != rest ||
			s.option("ellipsis_mask") != 0 || s.option("new_axis_mask") != 0 {
			break
		}
		at := begin[0]
		if at < 0 {
			at += base.Shape[1]
		}
		return s.place(base, 1, at)
	case "GATHER":
		at, err := s.ints(1, "index", 0)
		if err != nil || s.option("axis") != 0 || s.option("batch_dims") != 0 {
			break
		}
		return s.place(base, 1, at[0])
	}
	return errors.New("its input does not have the batch in front")
}
