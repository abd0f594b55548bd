package endtoend

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/parity"
	"github.com/goqat/goqat/quant"
)

// branching is a residual network in which everything is joined with everything:
// residuals with and without a shortcut, an activation and a BatchNorm at their
// end; a concatenation of a sum, a pool, a softmax, which is requantized, and the
// input's neighborhood; a gate for each channel, and a difference.
var branching = &network{
	name: "branches", input: layers.Input{8, 8, 1}, batchNorm: true,
	layers: layers.Sequential{
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU},
		layers.Residual{
			Body:       layers.Sequential{layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true}, layers.BatchNorm{}},
			Activation: layers.ActReLU,
		},
		layers.Concat{Branches: []layers.Layer{
			layers.Residual{
				Body: layers.Sequential{
					layers.Conv2D{Filters: 6, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, Activation: layers.ActReLU6},
					layers.Concat{Branches: []layers.Layer{layers.Identity{}, layers.Conv2D{Filters: 4, Kernel: [2]int{2, 2}, Padding: layers.Same}}},
				},
				Shortcut: layers.Conv2D{Filters: 10, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}},
			},
			layers.MaxPool2D{},
			layers.Sequential{layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}, Strides: [2]int{2, 2}}, layers.Softmax{}, layers.Dropout{Rate: 0.1}},
		}},
		layers.Multiply{Branches: []layers.Layer{
			layers.Identity{},
			layers.Sequential{layers.GlobalAveragePool2D{KeepDims: true}, layers.Conv2D{Filters: 21, Kernel: [2]int{1, 1}}, layers.Softmax{}},
		}},
		layers.Subtract{Branches: []layers.Layer{
			layers.AveragePool2D{},
			layers.Conv2D{Filters: 21, Kernel: [2]int{3, 2}, Strides: [2]int{2, 2}, Padding: layers.Same},
		}},
		layers.Flatten{},
		layers.Dense{Units: 10},
	},
}

// requantized reports whether an operator is a QUANTIZE from codes to codes, such
// as stands in front of a concatenation; that of the input is from real values.
func requantized(t *testing.T, model *graph.Graph, op parity.Operator) bool {
	t.Helper()
	n := model.Producer(tensorNamed(t, model, op.Name))
	return op.Op == "QUANTIZE" && n.Inputs[0].Type != graph.Float32
}

// arithmetic are files of one operator on two tensors: equal shapes of every
// rank, broadcasting on either side, the same tensor twice and constants; scales
// far apart, and zero points at both ends.
func arithmetic(t *testing.T, op graph.Fusing) (list []opCase) {
	shapes := [][2][]int{
		{{1, 7}, {1, 7}}, {{1, 3, 5}, {1, 3, 5}}, {{1, 3, 5, 4}, {1, 3, 5, 4}},
		{{1, 3, 5, 4}, {1, 1, 1, 4}}, {{1, 1, 1, 4}, {1, 3, 5, 4}}, {{1, 3, 5, 1}, {1, 3, 5, 4}}, {{1, 3, 1, 4}, {1, 1, 5, 1}},
	}
	constants := [][]int{{4}, {}, {1}, {1, 1, 1, 4}, {3, 1, 1}, {1, 3, 5, 4}}
	for _, p := range [][3]*quant.Params{
		{per(0.05, -3), per(0.031, 7), per(0.07, -11)},
		{per(0.05, -128), per(0.05, 127), per(0.0437, 127)},
		{per(0.0213, 127), per(0.11, -128), per(0.25, -128)},
		{per(3, 5), per(0.0007, -9), per(1.7, 0)}, // the second hardly counts
		{per(0.0004, -9), per(2.1, 5), per(0.011, -30)},
		{per(0.25, 0), per(0.5, 1), per(0.25, -5)}, // powers of two: ties
		{per(0.5, 0), per(0.25, 1), per(2, 5)},
		{per(3, 5), per(2.1, -9), per(0.3, 0)}, // products by 21
	} {
		for _, act := range fused {
			add := func(what string, y func(b builder) *graph.Tensor) {
				b := newBuilder(t)
				list = append(list, opCase{fmt.Sprintf("%s %v of %s, %v", op.Name(), act, what, p), b.done(y(b))})
			}
			for _, s := range shapes {
				add(fmt.Sprint(s), func(b builder) *graph.Tensor {
					return b.op(op.Fuse(act), graph.Int8, p[2], b.input(graph.Int8, p[0], s[0]...), b.input(graph.Int8, p[1], s[1]...))
				})
			}
			if act == quant.ReluN1To1 {
				continue
			}
			add("itself", func(b builder) *graph.Tensor {
				x := b.input(graph.Int8, p[0], 1, 3, 5)
				return b.op(op.Fuse(act), graph.Int8, p[2], x, x)
			})
			for i, s := range constants {
				add(fmt.Sprintf("constant %v", s), func(b builder) *graph.Tensor {
					x, c := b.input(graph.Int8, p[0], 1, 3, 5, 4), b.weights("c", s...)
					c.Quant = p[1]
					if i%2 == 1 {
						return b.op(op.Fuse(act), graph.Int8, p[2], c, x)
					}
					return b.op(op.Fuse(act), graph.Int8, p[2], x, c)
				})
			}
		}
	}
	return list
}

// concatenations are files of one operator on two to four tensors, one of them
// twice, along every axis of ranks 2 to 4.
func concatenations(t *testing.T) (list []opCase) {
	for _, p := range []*quant.Params{per(0.0213, -7), per(0.05, -128), per(0.05, 127)} {
		for _, shape := range [][]int{{1, 6}, {1, 3, 5}, {1, 3, 5, 4}} {
			for axis := 1; axis < len(shape); axis++ {
				for n := 2; n <= 4; n++ {
					b := newBuilder(t)
					var inputs []*graph.Tensor
					for i := range n {
						s := append([]int{}, shape...)
						s[axis] += i
						inputs = append(inputs, b.input(graph.Int8, p, s...))
					}
					if n > 2 {
						inputs = append(inputs, inputs[0])
					}
					y := b.op(graph.Concat{Axis: axis}, graph.Int8, p, inputs...)
					list = append(list, opCase{fmt.Sprintf("%d of %v along %d, %v", len(inputs), shape, axis, p), b.done(y)})
				}
			}
		}
	}
	return list
}
