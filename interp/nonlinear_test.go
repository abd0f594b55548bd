package interp_test

import (
	"math"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// nonlinearNet has every activation that anchors cannot fuse, a softmax inside
// the network among them, on float32 or int8.
func nonlinearNet(t testing.TB, typ graph.Type) *graph.Graph {
	b := newBuilder(t, 7)
	params := func(scale float32, zero int32) *quant.Params {
		if typ == graph.Float32 {
			return nil
		}
		return ptr(scale, zero)
	}
	slopes := func(name string, shape ...int) *graph.Tensor {
		if typ == graph.Float32 {
			return b.floats(name, shape...)
		}
		a := b.weights(name, false, shape...)
		a.Quant = ptr(0.01, 5)
		return a
	}
	op := func(op graph.Op, p *quant.Params, in ...*graph.Tensor) *graph.Tensor {
		return b.op(op.Name(), op, typ, p, in...)
	}
	x := b.input("x", typ, params(0.04, -13), 1, 4, 3, 5)
	h := op(graph.LeakyRelu{Alpha: 0.3}, params(0.03, -60), x)
	h = op(graph.Prelu{}, params(0.025, -40), h, slopes("alpha", 1, 1, 5))
	h = op(graph.HardSwish{}, params(0.02, -90), h)
	h = op(graph.Prelu{}, params(0.025, -70), h, slopes("beta", 4, 1, 5))
	h = op(graph.Elu{}, params(0.02, -50), h)
	h = op(graph.Tanh{}, params(1.0/128, 0), h)
	h = op(graph.Logistic{}, params(1.0/256, -128), h)
	return b.done(op(graph.Softmax{}, params(1.0/256, -128), h))
}

// Float activations are their formulas to within the errors of the float32
// functions, a few parts in ten million.
func TestNonlinearIsItsFormula(t *testing.T) {
	for _, c := range []struct {
		op   graph.Op
		want func(x float64) float64
	}{
		{graph.LeakyRelu{Alpha: 0.3}, func(x float64) float64 { return max(x, 0) + float64(float32(0.3))*min(x, 0) }},
		{graph.Elu{}, func(x float64) float64 { return max(x, math.Expm1(min(x, 0))) }},
		{graph.HardSwish{}, func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 }},
		{graph.Logistic{}, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{graph.Tanh{}, math.Tanh},
	} {
		b := newBuilder(t, 8)
		x, y, _ := compute(t, b, 50, c.op, b.input("x", graph.Float32, nil, 1, 7))
		for i, v := range x {
			if want := c.want(float64(v)); math.Abs(float64(y[i])-want) > 5e-7*(1+math.Abs(want)) {
				t.Errorf("%s of %v is %v, want %v", c.op.Name(), v, y[i], want)
			}
		}
	}
}

// The profiles share all checksums of the reference kernels.
func TestNonlinearGoldens(t *testing.T) {
	all := codes(256, func(i int) int { return i })
	for _, c := range []struct {
		op      graph.Op
		in, out *quant.Params
		want    uint32
	}{
		{graph.LeakyRelu{Alpha: 0.1}, ptr(.05, -3), ptr(.07, -11), 0x976cbaa5},
		{graph.HardSwish{}, ptr(.1, -5), ptr(.08, -20), 0xf2d02d66},
		{graph.Logistic{}, ptr(.047, -13), ptr(1.0/256, -128), 0x2aec6fd8},
		{graph.Tanh{}, ptr(.047, -13), ptr(1.0/128, 0), 0x2ce8144b},
	} {
		for _, profile := range []interp.Profile{interp.LiteRT, interp.TFLM} {
			b := newBuilder(t, 1)
			g := b.done(b.op("y", c.op, graph.Int8, c.out, b.input("x", graph.Int8, c.in, 1, 64)))
			if got := checksum(run(t, start(t, g, interp.Options{Profile: profile, Batch: 4}), all)); got != c.want {
				t.Errorf("%s, %v: checksum %08x, want %08x", c.op.Name(), profile, got, c.want)
			}
		}
	}
}
