package importer

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite/internal/format"
)

// Networks for batches of any size compute shapes as they run: SHAPE, a few
// operators on integers, RESHAPE. At batch 1 all of this is known, and becomes
// constants as the file is read.

// maxFolded is the most elements of a tensor that is computed while reading.
const maxFolded = 64

// folder computes an operator on integers, given its inputs: the elements of its
// output, and whether it could. Inputs have at most one axis.
type folder func(s *site, in [][]int) ([]int, bool)

// folders are the operators that shapes are computed with.
var folders = map[string]folder{
	"ADD":           arithmetic(func(a, b int) (int, bool) { return a + b, true }),
	"CAST":          unchanged,
	"CONCATENATION": joined,
	"EXPAND_DIMS":   unchanged,
	"FLOOR_DIV":     arithmetic(floorDiv),
	"GATHER":        gathered,
	"MAXIMUM":       arithmetic(func(a, b int) (int, bool) { return max(a, b), true }),
	"MINIMUM":       arithmetic(func(a, b int) (int, bool) { return min(a, b), true }),
	"MUL":           arithmetic(func(a, b int) (int, bool) { return a * b, true }),
	"PACK":          joined,
	"REDUCE_PROD":   product,
	"RESHAPE":       unchanged,
	"SLICE":         foldedSlice,
	"SQUEEZE":       unchanged,
	"STRIDED_SLICE": foldedStridedSlice,
	"SUB":           arithmetic(func(a, b int) (int, bool) { return a - b, true }),
}

// fold makes the output of an operator a constant if it is integers that follow
// from shapes and other constants.
func (s *site) fold() bool {
	if len(s.o.Outputs) != 1 || s.input(0) == nil {
		return false
	}
	f := &s.b.s.Tensors[s.o.Outputs[0]]
	if t, err := format.TypeOf(f.Type); err != nil || t != graph.Int32 && t != graph.Int64 || len(f.Shape) > 1 || len(f.Scale) > 0 {
		return false
	}
	values, ok := s.folded()
	if !ok || len(values) > maxFolded {
		return false
	}
	y, err := s.output(0)
	if err != nil || len(y.Shape) == 1 && y.Shape[0] != len(values) || len(y.Shape) == 0 && len(values) != 1 {
		return false
	}
	y.Role = graph.Constant
	if y.Type == graph.Int32 {
		y.Data = format.List(len(values), func(i int) int32 { return int32(values[i]) })
	} else {
		y.Data = format.List(len(values), func(i int) int64 { return int64(values[i]) })
	}
	return true
}

// folded returns the output's elements.
func (s *site) folded() ([]int, bool) {
	switch x := s.inputs[0]; s.name {
	case "SHAPE":
		return x.Shape, true
	case "RANK":
		return []int{len(x.Shape)}, true
	}
	f := folders[s.name]
	if f == nil {
		return nil, false
	}
	in := make([][]int, len(s.inputs))
	for i, t := range s.inputs {
		if t == nil || len(t.Shape) > 1 || t.Elements() > maxFolded {
			return nil, false
		}
		switch d := t.Data.(type) {
		case []int32:
			in[i] = format.List(len(d), func(i int) int { return int(d[i]) })
		case []int64:
			in[i] = format.List(len(d), func(i int) int { return int(d[i]) })
		default:
			return nil, false
		}
	}
	return f(s, in)
}

// unchanged returns the elements of the first input: another shape or type.
func unchanged(_ *site, in [][]int) ([]int, bool) { return in[0], true }

// joined returns the elements of all inputs: with at most one axis, PACK and
// CONCATENATION do the same.
func joined(_ *site, in [][]int) ([]int, bool) { return slices.Concat(in...), true }

func product(_ *site, in [][]int) ([]int, bool) {
	p := 1
	for _, v := range in[0] {
		p *= v
	}
	return []int{p}, true
}

func floorDiv(a, b int) (int, bool) {
	if b == 0 {
		return 0, false
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q, true
}

// arithmetic applies f to pairs of elements; a single one goes with any number.
func arithmetic(f func(a, b int) (int, bool)) folder {
	return func(s *site, in [][]int) ([]int, bool) {
		if len(in) != 2 || len(in[0]) == 0 || len(in[1]) == 0 || s.option("fused_activation_function") != 0 {
			return nil, false
		}
		a, b := in[0], in[1]
		n := max(len(a), len(b))
		if len(a) != n && len(a) != 1 || len(b) != n && len(b) != 1 {
			return nil, false
		}
		y := make([]int, n)
		for i := range y {
			var ok bool
			if y[i], ok = f(a[i%len(a)], b[i%len(b)]); !ok {
				return nil, false
			}
		}
		return y, true
	}
}

// gathered picks elements by their indices.
func gathered(s *site, in [][]int) ([]int, bool) {
	if len(in) != 2 || s.option("axis") != 0 {
		return nil, false
	}
	y := make([]int, len(in[1]))
	for i, at := range in[1] {
		if at < 0 || at >= len(in[0]) {
			return nil, false
		}
		y[i] = in[0][at]
	}
	return y, true
}

func foldedSlice(_ *site, in [][]int) ([]int, bool) {
	if len(in) != 3 || len(in[1]) != 1 || len(in[2]) != 1 {
		return nil, false
	}
	begin, size := in[1][0], in[2][0]
	if size == -1 {
		size = len(in[0]) - begin
	}
	if begin < 0 || size < 0 || begin > len(in[0])-size {
		return nil, false
	}
	return in[0][begin : begin+size], true
}

func foldedStridedSlice(s *site, in [][]int) ([]int, bool) {
	if len(in) != 4 || len(in[1]) != 1 || len(in[2]) != 1 || len(in[3]) != 1 || in[3][0] == 0 ||
		s.option("ellipsis_mask") != 0 || s.option("new_axis_mask") != 0 || s.option("offset") != 0 {
		return nil, false
	}
	op := graph.StridedSlice{Begin: in[1], End: in[2], Strides: in[3], BeginMask: s.option("begin_mask"), EndMask: s.option("end_mask")}
	if s.option("shrink_axis_mask") != 0 {
		// One place: what the end says does not count.
		if op.Begin[0] < 0 {
			op.Begin[0] += len(in[0])
		}
		if op.Begin[0] < 0 || op.Begin[0] >= len(in[0]) || op.BeginMask != 0 {
			return nil, false
		}
		return in[0][op.Begin[0]:][:1], true
	}
	begin, count := op.Range(0, len(in[0]))
	var y []int
	for range max(count, 0) {
		y, begin = append(y, in[0][begin]), begin+op.Strides[0]
	}
	return y, true
}
