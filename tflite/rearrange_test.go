package tflite_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// moved is a network that pads, cuts, transposes and reduces.
func moved(t testing.TB, s storage) *graph.Graph {
	n := newNet(t, "moved", s, false)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 5, 6, 3)
	x = n.same("pad", graph.Pad{Paddings: [][2]int{{}, {1, 2}, {0, 1}, {}}}, x)
	x = n.same("slice", graph.StridedSlice{Begin: []int{0, 1, 0, -2}, End: []int{0, -1, 0, 3}, Strides: []int{1, 2, 1, 1}, BeginMask: 5, EndMask: 5}, x)
	x = n.same("transpose", graph.Transpose{Perm: []int{0, 3, 1, 2}}, x)
	x = n.same("max", graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{1}}}, x)
	x = n.same("row", graph.Reshape{Shape: []int{-1, 1, 3, 7, 1}}, x)
	x = n.same("pad5", graph.Pad{Paddings: make([][2]int, 5)}, x)
	x = n.same("slice5", graph.StridedSlice{Begin: make([]int, 5), End: make([]int, 5), Strides: []int{1, 1, 1, 1, 1}, BeginMask: 31, EndMask: 31}, x)
	x = n.same("transpose5", graph.Transpose{Perm: []int{0, 2, 4, 3, 1}}, x)
	x = n.same("row6", graph.Reshape{Shape: []int{-1, 1, 3, 7, 1, 1}}, x)
	x = n.same("transpose6", graph.Transpose{Perm: []int{0, 2, 4, 3, 1, 5}}, x)
	typ, q = n.activation()
	return n.done(n.add("mean", graph.Mean{Reducer: graph.Reducer{Axes: []int{-1, -2}, KeepDims: true}}, typ, q, x))
}

func TestRearranging(t *testing.T) {
	for s, versions := range map[storage]string{
		float: "PAD 1, STRIDED_SLICE 1, TRANSPOSE 1, REDUCE_MAX 1, RESHAPE 1, PAD 4, STRIDED_SLICE 4, TRANSPOSE 4, RESHAPE 1, TRANSPOSE 6, MEAN 1",
		int8s: "PAD 2, STRIDED_SLICE 2, TRANSPOSE 2, REDUCE_MAX 2, RESHAPE 1, PAD 4, STRIDED_SLICE 4, TRANSPOSE 4, RESHAPE 1, TRANSPOSE 6, MEAN 2",
	} {
		g := moved(t, s)
		data := marshal(t, g)
		read, err := tflite.Unmarshal(data)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, g, read)
		if again := marshal(t, read); !slices.Equal(again, data) {
			t.Error("what was read is written as other bytes")
		}
		d, err := tflite.Describe(data)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range d.Subgraphs[0].Operators {
			got = append(got, fmt.Sprint(o.Name, " ", o.Version))
		}
		if diff := cmp.Diff(versions, strings.Join(got, ", ")); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
		if d.MinRuntime != "2.12.0" {
			t.Errorf("runs on %s", d.MinRuntime)
		}
	}
}

// vectors is floatFile with constant vectors of int32 as further inputs.
func vectors(code schema.BuiltinOperator, kind schema.BuiltinOptions, options func(b *flatbuffers.Builder) flatbuffers.UOffsetT, lists ...[]int32) *raw {
	inputs := []int32{0}
	for i := range lists {
		inputs = append(inputs, int32(3+i))
	}
	r := floatFile(code, kind, options, inputs...)
	for _, list := range lists {
		data, _ := binary.Append(nil, binary.LittleEndian, list) // numbers of fixed size always encode
		r.tensors = append(r.tensors, rawTensor{name: fmt.Sprint(len(r.tensors)), typ: schema.TensorTypeINT32, shape: []int32{int32(len(list))}, buffer: uint32(len(r.buffers))})
		r.buffers = append(r.buffers, rawBuffer{data: data})
	}
	return r
}

func slicing(masks ...int32) func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	return func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.StridedSliceOptionsStart(b)
		schema.StridedSliceOptionsAddBeginMask(b, masks[0])
		schema.StridedSliceOptionsAddEndMask(b, masks[1])
		schema.StridedSliceOptionsAddShrinkAxisMask(b, masks[2])
		return schema.StridedSliceOptionsEnd(b)
	}
}

func slicedFile(masks []int32, lists ...[]int32) *raw {
	return vectors(schema.BuiltinOperatorSTRIDED_SLICE, schema.BuiltinOptionsStridedSliceOptions, slicing(masks...), lists...)
}

// A slice that takes the one example there is takes any batch; an axis may be a
// scalar.
func TestReadRearrangingLeniently(t *testing.T) {
	for _, r := range []*raw{
		slicedFile([]int32{0, 0, 0}, []int32{0, 0}, []int32{1, 2}, []int32{1, 1}),
		slicedFile([]int32{0, 1, 0}, []int32{-1, 0}, []int32{0, 9}, []int32{1, 1}),
	} {
		g, err := tflite.Unmarshal(r.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if o := g.Nodes[0].Op.(graph.StridedSlice); o.BeginMask != 1 || o.EndMask != 1 {
			t.Errorf("%+v", o)
		}
	}
	r := vectors(schema.BuiltinOperatorMEAN, schema.BuiltinOptionsReducerOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.ReducerOptionsStart(b)
		return schema.ReducerOptionsEnd(b)
	}, []int32{1})
	r.tensors[2].shape, r.tensors[3].shape = []int32{1}, []int32{}
	g, err := tflite.Unmarshal(r.bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(graph.Op(graph.Mean{Reducer: graph.Reducer{Axes: []int{1}}}), g.Nodes[0].Op); diff != "" {
		t.Error(diff)
	}
}

func TestReadRearrangingErrors(t *testing.T) {
	two := []int32{0, 0}
	for _, c := range []struct {
		r    *raw
		want string
	}{
		{slicedFile([]int32{3, 3, 2}, two, two, []int32{1, 1}), "one place is taken of an axis that is masked or shorter"},
		{slicedFile([]int32{3, 3, 0}, two, two), "no strides"},
		{slicedFile([]int32{3, 3, 0}, two, two, []int32{1}), "begin [0 0], end [0 0], strides [1], offset 0"},
		{slicedFile([]int32{2, 2, 0}, []int32{1, 0}, two, []int32{1, 1}), "the batch, the first axis, must be taken whole"},
		{vectors(schema.BuiltinOperatorSTRIDED_SLICE, 0, nil, two, two, two), "options are NONE"},
		{vectors(schema.BuiltinOperatorPAD, 0, nil, two), "is not a constant of int32 with [2] axes"},
		{vectors(schema.BuiltinOperatorPAD, 0, nil), "no paddings"},
		{vectors(schema.BuiltinOperatorTRANSPOSE, 0, nil, []int32{1, 0}), "output has shape [1 2], want [2 1]"},
		{vectors(schema.BuiltinOperatorTRANSPOSE, 0, nil), "no permutation"},
		{vectors(schema.BuiltinOperatorREDUCE_MAX, 0, nil, two), "options are NONE, want ReducerOptions"},
	} {
		if _, err := understand(c.r.bytes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	r := vectors(schema.BuiltinOperatorPAD, 0, nil, []int32{0, 0, 0, 0, 0, 0})
	r.tensors[3].shape = []int32{2, 3}
	if _, err := understand(r.bytes()); err == nil || !strings.Contains(err.Error(), "paddings of shape [2 3], want [axes, 2]") {
		t.Errorf("error %v", err)
	}
	r = vectors(schema.BuiltinOperatorPAD, 0, nil, two)
	r.operators[0].inputs[0] = -1
	if _, err := understand(r.bytes()); err == nil {
		t.Error("a PAD of nothing was read")
	}
}
