package layers_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// moved has the layers that pad, cut, transpose and reduce.
func moved() layers.Sequential {
	return layers.Sequential{
		layers.ZeroPadding2D{},
		layers.ZeroPadding2D{Padding: [2][2]int{{0, 2}, {3, 0}}},
		layers.Cropping2D{Cropping: [2][2]int{{1, 2}, {0, 4}}},
		layers.Cropping2D{},
		layers.Permute{Dims: []int{3, 1, 2}},
		layers.GlobalMaxPool2D{KeepDims: true},
		layers.GlobalAveragePool2D{KeepDims: true},
		layers.GlobalMaxPool2D{},
		layers.Permute{Dims: []int{1}},
	}
}

func TestMoved(t *testing.T) {
	in := layers.Input{5, 8, 3}
	g := build(t, moved(), in, 1)
	golden(t, "moved.graph", g.String())
	golden(t, "moved.txt", summary(t, moved(), in))
	shapes, err := g.Shapes(7)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]int
	for _, n := range g.Nodes {
		got = append(got, shapes[n.Output])
	}
	want := [][]int{
		{7, 7, 10, 3}, {7, 9, 13, 3}, {7, 6, 9, 3}, {7, 6, 9, 3}, {7, 3, 6, 9}, {7, 1, 1, 9}, {7, 1, 1, 9}, {7, 9}, {7, 9},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shapes (-want +got):\n%s", diff)
	}
}

// A padding in front of a convolution stays an operator of its own.
func TestPaddingBeforeConvolution(t *testing.T) {
	g := build(t, layers.Sequential{layers.ZeroPadding2D{}, layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}}}, layers.Input{4, 4, 1}, 1)
	if len(g.Nodes) != 2 || g.Nodes[0].Op.Name() != "PAD" || g.Nodes[1].Op.(graph.Conv2D).Padding != layers.Valid {
		t.Errorf("lowered to\n%s", g)
	}
}

func TestMovedErrors(t *testing.T) {
	image, row := layers.Input{4, 6, 1}, layers.Input{6}
	for _, c := range []struct {
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{row, layers.ZeroPadding2D{}, `layers: layer 0 (ZeroPadding2D "zero_padding2d"): graph: node "zero_padding2d" (PAD): input 0 has shape [1 6], want an image [N, H, W, C]`},
		{image, layers.ZeroPadding2D{Padding: [2][2]int{{-1, 1}, {1, 1}}}, `paddings [[0 0] [-1 1] [1 1] [0 0]] must be between 0 and 32768`},
		{layers.Input{23169, 23169, 1}, layers.ZeroPadding2D{}, `layer 0 (ZeroPadding2D "zero_padding2d"): shape [1 23171 23171 1] has more than`},
		{row, layers.Cropping2D{}, `layer 0 (Cropping2D "cropping2d"): graph: node "cropping2d" (STRIDED_SLICE): input 0 has shape [1 6], want an image`},
		{image, layers.Cropping2D{Cropping: [2][2]int{{0, 0}, {0, -1}}}, `cropping is [[0 0] [0 -1]], want no negative numbers`},
		{image, layers.Cropping2D{Cropping: [2][2]int{{2, 2}, {0, 0}}}, `input 0 has shape [1 4 6 1], want an image of which something is left without [[2 2] [0 0]] at the top and bottom`},
		{image, layers.Cropping2D{Cropping: [2][2]int{{0, 0}, {math.MaxInt, math.MaxInt}}}, `want an image of which something is left`},
		{image, layers.Permute{Dims: []int{0, 1, 2, 3}}, `layer 0 (Permute "permute"): dims is [0 1 2 3], want the numbers 1 to 3 in any order: the batch, which has none, stays first`},
		{image, layers.Permute{Dims: []int{1, 1, 2}}, `dims is [1 1 2]`},
		{image, layers.Permute{Dims: []int{2, 1}}, `node "permute" (TRANSPOSE): input 0 has shape [1 4 6 1], want 3 axes`},
		{image, layers.Permute{}, `want 1 axes`},
		{row, layers.GlobalAveragePool2D{}, `layer 0 (GlobalAveragePooling2D "global_average_pooling2d"): graph: node "global_average_pooling2d" (MEAN): input 0 has shape [1 6], want an image`},
		{row, layers.GlobalMaxPool2D{}, `node "global_max_pooling2d" (REDUCE_MAX): input 0 has shape [1 6], want an image`},
	} {
		_, err := layers.Sequential{c.layer}.Build(c.in, 1)
		wantError(t, err, c.want)
	}
}
