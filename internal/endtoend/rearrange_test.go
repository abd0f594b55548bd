package endtoend

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// moving is a network that pads, cuts, transposes and reduces.
var moving = &network{
	name: "moving", input: layers.Input{9, 7, 1}, gain: 4,
	layers: layers.Sequential{
		layers.ZeroPadding2D{Padding: [2][2]int{{0, 1}, {2, 1}}},
		layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Activation: layers.ActReLU},
		layers.Cropping2D{Cropping: [2][2]int{{1, 0}, {0, 0}}},
		layers.ZeroPadding2D{},
		layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}},
		layers.Permute{Dims: []int{2, 3, 1}},
		layers.Permute{Dims: []int{3, 1, 2}},
		layers.Conv2D{Filters: 48, Kernel: [2]int{2, 2}, Padding: layers.Same, Activation: layers.ActReLU},
		layers.GlobalAveragePool2D{},
		layers.Reshape{Shape: []int{2, 1, 24}},
		layers.GlobalMaxPool2D{},
		layers.Dense{Units: 10},
	},
}

// sameScale are parameters that input and output share, with zero points in the
// middle and at both ends.
var sameScale = []*quant.Params{per(0.0213, -7), per(0.05, -128), per(0.05, 127)}

// copies has a file for each operator that copies codes.
func copies(t *testing.T, shape []int, ops ...graph.Op) (list []opCase) {
	for _, op := range ops {
		for _, p := range sameScale {
			list = append(list, elementwise(t, op, graph.Int8, graph.Int8, p, p, shape...))
		}
	}
	return list
}

func pads(t *testing.T) []opCase {
	return append(
		copies(t, []int{1, 5, 7, 3}, graph.Pad{Paddings: [][2]int{{}, {1, 1}, {1, 1}, {}}}, graph.Pad{Paddings: [][2]int{{}, {0, 3}, {2, 0}, {1, 2}}}, graph.Pad{Paddings: make([][2]int, 4)}),
		append(copies(t, []int{1, 11}, graph.Pad{Paddings: [][2]int{{}, {3, 5}}}),
			copies(t, []int{1, 3, 4, 5, 2}, graph.Pad{Paddings: [][2]int{{}, {1, 2}, {0, 1}, {3, 0}, {1, 1}}})...)...)
}

func slicesOf(t *testing.T) []opCase {
	slice := func(begin, end, strides []int, masks int) graph.Op {
		return graph.StridedSlice{Begin: begin, End: end, Strides: strides, BeginMask: masks, EndMask: masks}
	}
	return append(
		copies(t, []int{1, 9, 7, 3},
			slice([]int{0, 1, 2, 0}, []int{0, 8, 6, 0}, []int{1, 1, 1, 1}, 9),
			slice([]int{0, 1, -5, 0}, []int{0, -1, 99, 2}, []int{1, 3, 2, 1}, 1),
			slice([]int{0, -1, 0, 2}, []int{0, 0, 0, 0}, []int{1, -2, -1, -1}, 5)),
		copies(t, []int{1, 13}, slice([]int{0, 4}, []int{0, 5}, []int{1, 1}, 1))...)
}

func transposes(t *testing.T) []opCase {
	return append(
		copies(t, []int{1, 5, 7, 3}, graph.Transpose{Perm: []int{0, 2, 1, 3}}, graph.Transpose{Perm: []int{0, 3, 1, 2}}, graph.Transpose{Perm: []int{0, 1, 3, 2}}, graph.Transpose{Perm: []int{0, 1, 2, 3}}),
		append(copies(t, []int{1, 6, 11}, graph.Transpose{Perm: []int{0, 2, 1}}),
			append(copies(t, []int{1, 3, 4, 2, 5}, graph.Transpose{Perm: []int{0, 4, 2, 1, 3}}),
				copies(t, []int{1, 2, 3, 2, 2, 3}, graph.Transpose{Perm: []int{0, 5, 3, 1, 4, 2}})...)...)...)
}

// reductions are axes of all kinds, over 1 to 961 elements.
var reductions = []struct{ shape, axes []int }{
	{[]int{1, 5, 7, 3}, []int{1, 2}}, {[]int{1, 8, 8, 13}, []int{2, 1}}, {[]int{1, 31, 31, 2}, []int{1, 2}}, {[]int{1, 1, 1, 40}, []int{1, 2}},
	{[]int{1, 4, 5, 6}, []int{1}}, {[]int{1, 4, 5, 6}, []int{-2}}, {[]int{1, 4, 5, 6}, []int{-1}}, {[]int{1, 9, 3}, []int{1}}, {[]int{1, 100}, []int{1}},
	{[]int{1, 3, 2, 4}, []int{1, 2, 3}},
}

func reducers(each func(r graph.Reducer, shape []int) []opCase) (list []opCase) {
	for _, c := range reductions {
		for _, keep := range []bool{false, true} {
			list = append(list, each(graph.Reducer{Axes: c.axes, KeepDims: keep}, c.shape)...)
		}
	}
	return list
}

func maxima(t *testing.T) []opCase {
	return reducers(func(r graph.Reducer, shape []int) []opCase {
		return copies(t, shape, graph.ReduceMax{Reducer: r})
	})
}

// means are as fine as their input or finer, ties of powers of two among them.
func means(t *testing.T) []opCase {
	return reducers(func(r graph.Reducer, shape []int) (list []opCase) {
		for _, p := range [][2]*quant.Params{
			{per(0.05, -3), per(0.07, -11)}, {per(0.05, -128), per(0.0171, -128)}, {per(0.031, 127), per(0.01, 127)},
			{per(0.05, 5), per(0.05, 5)}, {per(0.5, 3), per(0.125, -20)}, {per(0.02, -128), per(0.9, 100)},
		} {
			list = append(list, elementwise(t, graph.Mean{Reducer: r}, graph.Int8, graph.Int8, p[0], p[1], shape...))
		}
		return list
	})
}

// Every shape is one that LiteRT can give another batch: constants say nothing
// of the first axis.
func TestFilesLeaveTheBatchFree(t *testing.T) {
	op := slicesOf(t)[0].graph.Nodes[0].Op.(graph.StridedSlice)
	if op.BeginMask&1 == 0 || op.EndMask&1 == 0 {
		t.Errorf("read back as %s", fmt.Sprintf("%+v", op))
	}
}
