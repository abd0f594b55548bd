package interp_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// rearranged is a network of the operators that pad, cut, transpose and reduce.
func rearranged(t testing.TB, typ graph.Type) *graph.Graph {
	b := newBuilder(t, 6)
	p, q := ptr(0.02, -13), ptr(0.015, 40)
	if typ == graph.Float32 {
		p, q = nil, nil
	}
	x := b.input("x", typ, p, 1, 5, 7, 3)
	x = b.op("pad", graph.Pad{Paddings: [][2]int{{}, {0, 2}, {1, 1}, {}}}, typ, p, x)
	x = b.op("slice", graph.StridedSlice{Begin: []int{0, 1, 0, 0}, End: []int{0, 7, -2, 3}, Strides: []int{1, 2, 1, 1}, BeginMask: 5, EndMask: 1}, typ, p, x)
	x = b.op("transpose", graph.Transpose{Perm: []int{0, 3, 2, 1}}, typ, p, x)
	x = b.op("max", graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{-2}}}, typ, p, x)
	return b.done(b.op("mean", graph.Mean{Reducer: graph.Reducer{Axes: []int{1}}}, typ, q, x))
}

// unravel returns the index along each axis of element i.
func unravel(i int, shape []int) []int {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis], i = i%shape[axis], i/shape[axis]
	}
	return index
}

// ravel is its inverse; ok is false outside the shape.
func ravel(index, shape []int) (i int, ok bool) {
	for axis, n := range index {
		if n < 0 || n >= shape[axis] {
			return 0, false
		}
		i = i*shape[axis] + n
	}
	return i, true
}

// Element by element, with the index each comes from.
func TestRearrangingIsItsFormula(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shape := append([]int{1}, rapid.SliceOfN(rapid.IntRange(1, 6), 1, 3).Draw(rt, "shape")...)
		axes := make([]int, len(shape)-1)
		pad := graph.Pad{Paddings: make([][2]int, len(shape))}
		slice := graph.StridedSlice{Begin: make([]int, len(shape)), End: make([]int, len(shape)), Strides: make([]int, len(shape)), BeginMask: 1, EndMask: 1}
		slice.Strides[0] = 1
		for i := range axes {
			axes[i] = i + 1
			pad.Paddings[i+1] = [2]int{rapid.IntRange(0, 3).Draw(rt, "before"), rapid.IntRange(0, 3).Draw(rt, "after")}
			first := rapid.IntRange(0, shape[i+1]-1).Draw(rt, "begin")
			slice.Begin[i+1], slice.End[i+1] = first, rapid.IntRange(first+1, shape[i+1]).Draw(rt, "end")
			slice.Strides[i+1] = rapid.IntRange(1, 3).Draw(rt, "stride")
		}
		transpose := graph.Transpose{Perm: append([]int{0}, rapid.Permutation(axes).Draw(rt, "permutation")...)}
		for _, c := range []struct {
			op   graph.Op
			from func(y []int) []int
		}{
			{pad, func(y []int) []int {
				for axis, p := range pad.Paddings {
					y[axis] -= p[0]
				}
				return y
			}},
			{slice, func(y []int) []int {
				for axis := range y {
					y[axis] = slice.Begin[axis] + y[axis]*slice.Strides[axis]
				}
				return y
			}},
			{transpose, func(y []int) []int {
				x := make([]int, len(y))
				for axis, p := range transpose.Perm {
					x[p] = y[axis]
				}
				return x
			}},
		} {
			b := newBuilder(t, 1)
			const zero = -9
			x := b.input("x", graph.Int8, ptr(0.1, zero), shape...)
			y := b.op("y", c.op, graph.Int8, x.Quant, x)
			in := b.data(x, batch).([]int8)
			out := run(t, start(t, b.done(y), interp.Options{Batch: batch}), in).([]int8)
			for i, got := range out {
				index := c.from(append([]int{i / y.Elements()}, unravel(i%y.Elements(), y.Shape[1:])...))
				want := int8(zero)
				if at, ok := ravel(index, append([]int{batch}, shape[1:]...)); ok {
					want = in[at]
				}
				if got != want {
					rt.Fatalf("%+v of %v: element %d is %d, want %d", c.op, shape, i, got, want)
				}
			}
		}
	})
}

func TestReductionsAreTheirFormulas(t *testing.T) {
	for _, c := range []struct {
		shape, axes  []int
		count, inner int
	}{
		{[]int{1, 3, 5, 4}, []int{1, 2}, 15, 4}, {[]int{1, 3, 5, 4}, []int{-1}, 4, 1}, {[]int{1, 6}, []int{1}, 6, 1},
		{[]int{1, 3, 5, 4}, []int{2}, 5, 4}, {[]int{1, 3, 1, 5}, []int{2, 1, 1}, 3, 5},
	} {
		for _, keep := range []bool{false, true} {
			r := graph.Reducer{Axes: c.axes, KeepDims: keep}
			b := newBuilder(t, 1)
			x := b.input("x", graph.Float32, nil, c.shape...)
			ip := start(t, b.done(b.float(graph.Mean{Reducer: r}, x), b.float(graph.ReduceMax{Reducer: r}, x)), interp.Options{Batch: batch})
			in := b.data(x, batch).([]float32)
			run(t, ip, in)
			mean, top := ip.Output(0).([]float32), ip.Output(1).([]float32)
			if want := len(in) / c.count; len(mean) != want || len(top) != want {
				t.Fatalf("%v: %d and %d elements, want %d", c, len(mean), len(top), want)
			}
			for i := range mean {
				sum, most := float32(0), float32(math.Inf(-1))
				for n := range c.count {
					v := in[(i/c.inner*c.count+n)*c.inner+i%c.inner]
					sum, most = sum+v, max(most, v)
				}
				equal(t, fmt.Sprint(c, i), []float32{mean[i], top[i]}, []float32{sum / float32(c.count), most})
			}
		}
	}
}

// Operators that copy codes have the parameters of their input.
func TestRearrangingErrors(t *testing.T) {
	p, q := ptr(0.1, 3), ptr(0.1, 4)
	whole := []int{0, 0, 0}
	for _, op := range []graph.Op{
		graph.Pad{Paddings: make([][2]int, 3)},
		graph.StridedSlice{Begin: whole, End: whole, Strides: []int{1, 1, 1}, BeginMask: 7, EndMask: 7},
		graph.Transpose{Perm: []int{0, 2, 1}},
		graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{1}}},
	} {
		b := newBuilder(t, 1)
		_, err := interp.New(b.done(b.op("y", op, graph.Int8, q, b.input("x", graph.Int8, p, 1, 2, 2))), interp.Options{})
		if want := `tensors "x" and "y" must have equal scale and zero point`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", op.Name(), err, want)
		}
	}
	for _, op := range []graph.Op{graph.Pad{Paddings: make([][2]int, 3)}, graph.Mean{Reducer: graph.Reducer{Axes: []int{1}}}, graph.Transpose{Perm: []int{0, 2, 1}}} {
		b := newBuilder(t, 1)
		_, err := interp.New(b.done(b.op("y", op, graph.UInt8, p, b.input("x", graph.UInt8, p, 1, 2, 2))), interp.Options{})
		if want := "no kernel for inputs [uint8] and output uint8"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", op.Name(), err, want)
		}
	}
}
