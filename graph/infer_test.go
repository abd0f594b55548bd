package graph

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func conv(p Padding, stride, dilation int) Conv2D {
	return Conv2D{Padding: p, StrideH: stride, StrideW: stride, DilationH: dilation, DilationW: dilation}
}

func depthwise(p Padding, stride, dilation, multiplier int) DepthwiseConv2D {
	return DepthwiseConv2D{Padding: p, StrideH: stride, StrideW: stride, DilationH: dilation, DilationW: dilation, DepthMultiplier: multiplier}
}

func pool(p Padding, h, w, stride int) Pool {
	return Pool{Padding: p, FilterH: h, FilterW: w, StrideH: stride, StrideW: stride}
}

func transpose(p Padding, stride int) TransposeConv {
	return TransposeConv{Padding: p, StrideH: stride, StrideW: stride}
}

// TestInfer: either the output shape or a part of the error.
func TestInfer(t *testing.T) {
	s := func(d ...int) []int { return append([]int{}, d...) }
	for _, c := range []struct {
		op    Op
		in    [][]int
		shape []int
		want  string
	}{
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3)}, s(5, 2), ""},
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3), s(2)}, s(5, 2), ""},
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3), nil}, s(5, 2), ""},
		{FullyConnected{KeepDims: true}, [][]int{s(5, 4, 3), s(2, 3)}, s(5, 4, 2), ""},
		{FullyConnected{}, [][]int{s(5, 4, 3), s(2, 3)}, nil, "input 0 has shape [5 4 3], want [N, 3]"},
		{FullyConnected{}, [][]int{s(5, 4), s(2, 3)}, nil, "input 0 has shape [5 4], want [N, 3]"},
		{FullyConnected{KeepDims: true}, [][]int{s(5, 3, 4), s(2, 3)}, nil, "want [N, ..., 3]"},
		{FullyConnected{KeepDims: true}, [][]int{s(3), s(2, 3)}, nil, "want [N, ..., 3]"},
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3, 1)}, nil, "input 1 has shape [2 3 1], want [O, I]"},
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3), s(3)}, nil, "input 2 has shape [3], want [2]"},
		{FullyConnected{}, [][]int{s(5, 3), s(2, 3), s()}, nil, "input 2 has shape [], want [2]"},
		{FullyConnected{}, [][]int{s(5, 3)}, nil, "1 inputs, want 2 to 3"},
		{FullyConnected{}, [][]int{s(5, 3), nil}, nil, "input 1 is missing"},
		{conv(Same, 2, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3), s(4)}, s(2, 3, 3, 4), ""},
		{conv(Valid, 2, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, s(2, 2, 2, 4), ""},
		{conv(Valid, 1, 2), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, s(2, 1, 2, 4), ""},
		{conv(Same, 1, 1), [][]int{s(2, 5, 3), s(4, 3, 3, 3)}, nil, "input 0 has shape [2 5 3], want [N, H, W, C]"},
		{conv(Same, 1, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 2)}, nil, "input 1 has shape [4 3 3 2], want [O, KH, KW, 3]"},
		{conv(Same, 1, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3), s(3)}, nil, "input 2 has shape [3], want [4]"},
		{conv(Valid, 1, 3), [][]int{s(2, 5, 9, 3), s(4, 3, 3, 3)}, nil, "want an image that holds a 7x7 window"},
		{conv(Same, 0, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, nil, "must be between 1 and 32768"},
		{conv(Same, 1, 1<<15+1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, nil, "must be between 1 and 32768"},
		{depthwise(Same, 2, 1, 2), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 6), s(6)}, s(2, 3, 3, 6), ""},
		{depthwise(Valid, 1, 2, 1), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 3), nil}, s(2, 1, 2, 3), ""},
		{depthwise(Valid, 2, 2, 1), [][]int{s(2, 7, 9, 3), s(1, 3, 3, 3)}, s(2, 2, 3, 3), ""},
		{depthwise(Same, 1, 1, 1), [][]int{s(2, 5, 3), s(1, 3, 3, 3)}, nil, "input 0 has shape [2 5 3], want [N, H, W, C]"},
		{depthwise(Same, 1, 1, 2), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 3)}, nil, "input 1 has shape [1 3 3 3], want [1, KH, KW, 6]"},
		{depthwise(Same, 1, 1, 1), [][]int{s(2, 5, 6, 3), s(3, 3, 3, 3)}, nil, "input 1 has shape [3 3 3 3], want [1, KH, KW, 3]"},
		{depthwise(Same, 1, 1, 1), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 3), s(1)}, nil, "input 2 has shape [1], want [3]"},
		{depthwise(Same, 1, 1, 0), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 3)}, nil, "depth multiplier 0 must be between 1 and 32768"},
		{depthwise(Same, 0, 1, 1), [][]int{s(2, 5, 6, 3), s(1, 3, 3, 3)}, nil, "must be between 1 and 32768"},
		{depthwise(Valid, 1, 3, 1), [][]int{s(2, 5, 9, 3), s(1, 3, 3, 3)}, nil, "want an image that holds a 7x7 window"},
		{transpose(Same, 2), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3), s(4)}, s(2, 10, 12, 4), ""},
		{transpose(Valid, 2), [][]int{s(2, 5, 6, 3), s(4, 3, 1, 3)}, s(2, 11, 12, 4), ""},
		{transpose(Same, 1), [][]int{s(2, 5, 3), s(4, 3, 3, 3)}, nil, "input 0 has shape [2 5 3], want [N, H, W, C]"},
		{transpose(Same, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 2)}, nil, "input 1 has shape [4 3 3 2], want [O, KH, KW, 3]"},
		{transpose(Same, 1), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3), s(3)}, nil, "input 2 has shape [3], want [4]"},
		{transpose(Same, 0), [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, nil, "must be between 1 and 32768"},
		{TransposeConv{StrideH: 1, StrideW: 1, Activate: 9}, [][]int{s(2, 5, 6, 3), s(4, 3, 3, 3)}, nil, "unknown activation 9"},
		{MaxPool2D{pool(Valid, 2, 3, 2)}, [][]int{s(2, 5, 6, 3)}, s(2, 2, 2, 3), ""},
		{AveragePool2D{pool(Same, 2, 3, 2)}, [][]int{s(2, 5, 6, 3)}, s(2, 3, 3, 3), ""},
		{MaxPool2D{pool(Valid, 6, 1, 1)}, [][]int{s(2, 5, 6, 3)}, nil, "want an image that holds a 6x1 window"},
		{MaxPool2D{pool(Valid, 0, 1, 1)}, [][]int{s(2, 5, 6, 3)}, nil, "must be between 1 and 32768"},
		{MaxPool2D{pool(Valid, 1, 1, 1)}, [][]int{s(2, 5)}, nil, "want [N, H, W, C]"},
		{MaxPool2D{}, [][]int{s(2, 5, 6, 3), s(1)}, nil, "2 inputs, want 1 to 1"},
		{Reshape{Shape: []int{-1, 6}}, [][]int{s(5, 2, 3)}, s(5, 6), ""},
		{Reshape{Shape: []int{5, 6}}, [][]int{s(5, 2, 3)}, s(5, 6), ""},
		{Reshape{}, [][]int{s(1, 1)}, nil, ""},
		{Reshape{Shape: []int{-1, 7}}, [][]int{s(5, 2, 3)}, nil, "want as many elements as [-1 7]"},
		{Reshape{Shape: []int{5, 7}}, [][]int{s(5, 2, 3)}, nil, "want as many elements as [5 7]"},
		{Reshape{Shape: []int{-1, -1}}, [][]int{s(5, 2, 3)}, nil, "sizes must be positive, one may be -1"},
		{Reshape{Shape: []int{-2, 0}}, [][]int{s(5, 2, 3)}, nil, "sizes must be positive"},
		{Reshape{}, nil, nil, "0 inputs, want 1 to 1"},
		{ResizeNearestNeighbor{Height: 10, Width: 3}, [][]int{s(2, 5, 6, 3)}, s(2, 10, 3, 3), ""},
		{ResizeNearestNeighbor{Height: 10}, [][]int{s(2, 5, 6, 3)}, nil, "new size 10x0 must be positive"},
		{ResizeNearestNeighbor{Height: 10, Width: 3}, [][]int{s(2, 5)}, nil, "want [N, H, W, C]"},
		{ResizeNearestNeighbor{}, nil, nil, "0 inputs, want 1 to 1"},
		{Relu{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Relu6{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Softmax{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Logistic{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Tanh{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Elu{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{HardSwish{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{LeakyRelu{Alpha: 0.1}, [][]int{s(2, 3)}, s(2, 3), ""},
		{LeakyRelu{Alpha: inf}, [][]int{s(2, 3)}, nil, "alpha is +Inf"},
		{Prelu{}, [][]int{s(2, 4, 5, 3), s(1, 1, 3)}, s(2, 4, 5, 3), ""},
		{Prelu{}, [][]int{s(2, 4, 5, 3), s(3)}, s(2, 4, 5, 3), ""},
		{Prelu{}, [][]int{s(2, 3), s()}, s(2, 3), ""},
		{Prelu{}, [][]int{s(1, 3), s(1, 3)}, s(1, 3), ""},
		{Prelu{}, [][]int{s(1, 3), s(2, 3)}, nil, "input 1 has shape [2 3], want [3] with 1 in any place"},
		{Prelu{}, [][]int{s(2, 4, 3), s(4)}, nil, "input 1 has shape [4], want [4 3] with 1 in any place"},
		{Prelu{}, [][]int{s(1, 2, 1, 1, 3), s(3)}, nil, "input 1 has shape [3], want [2 1 1 3] with 1 in any place, and at most 4 axes"},
		{Prelu{}, [][]int{s(2, 3)}, nil, "1 inputs, want 2 to 2"},
		{Quantize{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Dequantize{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Dropout{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{FakeQuant{}, [][]int{s(2, 3)}, s(2, 3), ""},
		{Relu{}, [][]int{nil}, nil, "input 0 is missing"},
		{BatchNorm{}, [][]int{s(2, 5, 3), s(3), s(3), s(3), s(3)}, s(2, 5, 3), ""},
		{BatchNorm{}, [][]int{s(3), s(3), s(3), s(3), s(3)}, nil, "want [N, ..., C]"},
		{BatchNorm{}, [][]int{s(2, 3), s(3), s(3), s(2), s(3)}, nil, "input 3 has shape [2], want [3]"},
		{BatchNorm{}, [][]int{s(2, 3), s(3)}, nil, "2 inputs, want 5 to 5"},
		{FoldWeights{}, [][]int{s(4, 3, 3, 1), s(4), s(4)}, s(4, 3, 3, 1), ""},
		{FoldWeights{Axis: 3}, [][]int{s(1, 3, 3, 4), s(4), s(4)}, s(1, 3, 3, 4), ""},
		{FoldWeights{Axis: 3}, [][]int{s(4, 3, 3, 1), s(4), s(4)}, nil, "input 1 has shape [4], want [1]"},
		{FoldWeights{Axis: 2}, [][]int{s(4, 3), s(4), s(4)}, nil, "want two axes or more, channels along axis 2"},
		{FoldWeights{Axis: -1}, [][]int{s(4, 3), s(4), s(4)}, nil, "channels along axis -1"},
		{FoldWeights{}, [][]int{s(4), s(4), s(4)}, nil, "want two axes or more"},
		{FoldWeights{}, [][]int{s(4, 3), s(4), s(3)}, nil, "input 2 has shape [3], want [4]"},
		{FoldWeights{}, [][]int{s(4, 3), s(4)}, nil, "2 inputs, want 3 to 3"},
		{FoldBias{}, [][]int{s(4), s(4), s(4), s(4)}, s(4), ""},
		{FoldBias{}, [][]int{s(4), s(4), s(4), s(4), nil}, s(4), ""},
		{FoldBias{}, [][]int{s(4), s(4), s(4), s(4), s(4)}, s(4), ""},
		{FoldBias{}, [][]int{s(4), s(4), s(4), s(4), s(3)}, nil, "input 4 has shape [3], want [4]"},
		{FoldBias{}, [][]int{s(4, 1), s(4), s(4), s(4)}, nil, "want [C]"},
		{FoldBias{}, [][]int{s(4)}, nil, "1 inputs, want 4 to 5"},
	} {
		t.Run(fmt.Sprintf("%s%v", c.op.Name(), c.in), func(t *testing.T) {
			shape, err := c.op.Infer(c.in)
			want(t, err, c.want)
			if !slices.Equal(shape, c.shape) {
				t.Errorf("shape %v, want %v", shape, c.shape)
			}
		})
	}
}

func TestInferLeavesInputsAlone(t *testing.T) {
	in := []int{2, 4, 4, 3}
	for _, op := range []Op{Relu{}, Reshape{Shape: []int{-1, 48}}, MaxPool2D{pool(Same, 2, 2, 2)}} {
		shape, err := op.Infer([][]int{in})
		if err != nil {
			t.Fatal(err)
		}
		shape[0] = 99
		if in[0] != 2 {
			t.Errorf("%s returns its input's memory", op.Name())
		}
	}
	op := Reshape{Shape: []int{-1, 3}}
	if _, err := op.Infer([][]int{{2, 3}}); err != nil || op.Shape[0] != -1 {
		t.Errorf("the operator changed to %v, %v", op, err)
	}
}

// TestWindow counts positions one by one.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.IntRange(1, 40).Draw(t, "in")
		kernel := rapid.IntRange(1, 7).Draw(t, "kernel")
		stride := rapid.IntRange(1, 5).Draw(t, "stride")
		dilation := rapid.IntRange(1, 3).Draw(t, "dilation")
		extent := (kernel-1)*dilation + 1

		valid := 0
		for first := 0; first+extent <= in; first += stride {
			valid++
		}
		out, before := Valid.Window(in, kernel, stride, dilation)
		if max(out, 0) != valid || before != 0 {
			t.Fatalf("valid: %d positions after %d, want %d after 0", out, before, valid)
		}

		same := 0
		for first := 0; first < in; first += stride {
			same++
		}
		out, before = Same.Window(in, kernel, stride, dilation)
		if out != same {
			t.Fatalf("same: %d positions, want %d", out, same)
		}
		// The padding is what the last window lacks, the smaller half in front.
		lacks := max((out-1)*stride+extent-in, 0)
		if after := lacks - before; before < 0 || after-before < 0 || after-before > 1 {
			t.Fatalf("same: %d of %d before", before, lacks)
		}
	})
}

// TestTransposed: a convolution of the output has the size of the input.
func TestTransposed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.IntRange(1, 40).Draw(t, "in")
		kernel := rapid.IntRange(1, 7).Draw(t, "kernel")
		stride := rapid.IntRange(1, 5).Draw(t, "stride")
		for _, p := range []Padding{Valid, Same} {
			out := p.Transposed(in, kernel, stride)
			if back, _ := p.Window(out, kernel, stride, 1); back != in {
				t.Fatalf("%v: %d makes %d, which makes %d", p, in, out, back)
			}
		}
	})
}

// TestSources: replication by a whole factor, and the rules of the options on
// examples whose values can be checked by hand.
func TestSources(t *testing.T) {
	for _, c := range []struct {
		op   ResizeNearestNeighbor
		in   [2]int
		rows []int
		cols []int
	}{
		{ResizeNearestNeighbor{Height: 6, Width: 4}, [2]int{2, 4}, []int{0, 0, 0, 1, 1, 1}, []int{0, 1, 2, 3}},
		{ResizeNearestNeighbor{Height: 2, Width: 3}, [2]int{5, 4}, []int{0, 2}, []int{0, 1, 2}},
		{ResizeNearestNeighbor{Height: 2, Width: 3, HalfPixelCenters: true}, [2]int{5, 4}, []int{1, 3}, []int{0, 2, 3}},
		{ResizeNearestNeighbor{Height: 3, Width: 1, AlignCorners: true}, [2]int{4, 4}, []int{0, 2, 3}, []int{0}},
		{ResizeNearestNeighbor{Height: 2, Width: 4, AlignCorners: true, HalfPixelCenters: true}, [2]int{3, 2}, []int{1, 2}, []int{0, 1, 1, 1}},
	} {
		rows, cols := c.op.Sources(c.in[0], c.in[1])
		if !slices.Equal(rows, c.rows) || !slices.Equal(cols, c.cols) {
			t.Errorf("%+v of %v: rows %v, columns %v; want %v, %v", c.op, c.in, rows, cols, c.rows, c.cols)
		}
	}
}

func TestShapeErrorOfNode(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 3})
	_, err := n.Add("head", FullyConnected{}, x, parameter("w", 2, 4))
	want(t, err, `graph: node "head" (FULLY_CONNECTED): input 0 has shape [1 3], want [N, 4]`)
	var got *ShapeError
	if !errors.As(err, &got) {
		t.Fatalf("error %v is no ShapeError", err)
	}
	if diff := cmp.Diff(ShapeError{Node: "head", Op: "FULLY_CONNECTED", Got: []int{1, 3}, Want: "[N, 4]"}, *got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = n.Add("pool", MaxPool2D{}, x, x)
	want(t, err, `graph: node "pool" (MAX_POOL_2D): 2 inputs, want 1 to 1`)
	_, err = n.Add("head", FullyConnected{}, nil, parameter("w", 2, 4))
	want(t, err, `graph: node "head" (FULLY_CONNECTED): input 0 is missing`)
	if len(n.Nodes) != 0 {
		t.Error("a failed node was added")
	}
}
