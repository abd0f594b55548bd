package interp_test

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// branchNet has the operators on several tensors, on float32 or int8, with
// broadcasting and the same tensor twice.
func branchNet(t testing.TB, typ graph.Type) *graph.Graph {
	b := newBuilder(t, 6)
	params := func(scale float32, zero int32) *quant.Params {
		if typ == graph.Float32 {
			return nil
		}
		return ptr(scale, zero)
	}
	constant := func(name string, shape ...int) *graph.Tensor {
		c := b.floats(name, shape...)
		if typ == graph.Int8 {
			c = b.weights(name, false, shape...)
			c.Quant = ptr(0.01, 5)
		}
		return c
	}
	op := func(name string, op graph.Op, p *quant.Params, in ...*graph.Tensor) *graph.Tensor {
		return b.op(name, op, typ, p, in...)
	}
	x := b.input("x", typ, params(0.02, -13), 1, 4, 3, 5)
	twice := op("twice", graph.Add{Activate: quant.Relu}, params(0.031, -128), x, x)
	gate := op("gate", graph.MaxPool2D{Pool: graph.Pool{FilterH: 4, FilterW: 3, StrideH: 1, StrideW: 1}}, twice.Quant, twice)
	scaled := op("scaled", graph.Mul{Activate: quant.Relu6}, params(0.02, -128), gate, x)
	less := op("less", graph.Sub{}, params(0.02, -128), scaled, constant("offset", 5))
	square := op("square", graph.Mul{}, params(0.02, -128), less, less)
	number := op("number", graph.Sub{Activate: quant.ReluN1To1}, params(0.02, -128), constant("one"), square)
	rows := op("rows", graph.Concat{Axis: 1}, params(0.02, -128), number, less, number)
	again := op("again", graph.Concat{Axis: 3}, params(0.02, -128), rows, rows)
	return b.done(op("flat", graph.Reshape{Shape: []int{-1, again.Elements()}}, again.Quant, again))
}

func TestArithmeticRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b builder) *graph.Tensor
		want  string
	}{
		{"mixed types", func(b builder) *graph.Tensor {
			return b.op("y", graph.Add{}, graph.Int8, ptr(1, 0), b.input("x", graph.Int8, ptr(1, 0), 1, 3), b.input("z", graph.Float32, nil, 1, 3))
		}, "no kernel for inputs [int8 float32] and output int8"},
		{"no parameters", func(b builder) *graph.Tensor {
			return b.op("y", graph.Mul{}, graph.Int8, ptr(1, 0), b.input("x", graph.Int8, ptr(1, 0), 1, 3), b.input("z", graph.Int8, nil, 1, 3))
		}, `tensor "z" is int8 without scale`},
		{"scales", func(b builder) *graph.Tensor {
			return b.op("y", graph.Sub{}, graph.Int8, ptr(1e-9, 0), b.input("x", graph.Int8, ptr(1, 0), 1, 3), b.input("z", graph.Int8, ptr(1, 0), 1, 3))
		}, `node "y" (SUB): q8: sub: input scales 1 and 1`},
		{"concatenation of mixed types", func(b builder) *graph.Tensor {
			return b.op("y", graph.Concat{Axis: 1}, graph.Int8, ptr(1, 0), b.input("x", graph.Int8, ptr(1, 0), 1, 3), b.input("z", graph.Float32, nil, 1, 3))
		}, "no kernel"},
		{"concatenation of unequal scales", func(b builder) *graph.Tensor {
			return b.op("y", graph.Concat{Axis: 1}, graph.Int8, ptr(1, 0), b.input("x", graph.Int8, ptr(1, 0), 1, 3), b.input("z", graph.Int8, ptr(2, 0), 1, 3))
		}, `tensors "z" and "y" must have equal scale`},
	} {
		b := newBuilder(t, 1)
		b.Outputs = []*graph.Tensor{c.build(b)}
		if _, err := interp.New(b.Graph, interp.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
