package interp_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// fakeOf returns a graph that quantizes its input.
func fakeOf(t *testing.T, q *graph.Quantizer, shape ...int) *graph.Graph {
	b := newBuilder(t, 1)
	return b.done(b.float(graph.FakeQuant{Quantizer: q}, b.input("x", graph.Float32, nil, shape...)))
}

func TestFakeQuantFollowsTheRange(t *testing.T) {
	q := graph.NewObserved("x", quant.Int8().Activations, 0.99)
	ip := start(t, fakeOf(t, q, 1, 5), interp.Options{})
	x := []float32{-9, -0.3, 0, 0.31, 9}
	equal(t, "unknown range", run(t, ip, x), x)
	for _, limit := range []float32{1, 2} {
		q.SetRange(quant.Range{Min: -limit, Max: limit, Weight: 1})
		p, err := q.Params()
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, 5)
		if err := p.FakeQuantize(want, x, nil, []int{5}, q.Grid()); err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("range of %v", limit), run(t, ip, x), want)
	}
	q.SetRange(quant.Range{Min: float32(math.NaN()), Max: 1, Weight: 1})
	if err := ip.Run(x); err == nil || !strings.Contains(err.Error(), `node "FAKE_QUANT" (FAKE_QUANT): graph: quantizer of tensor "x"`) {
		t.Errorf("a range with NaN: %v", err)
	}
}

func TestFakeQuantOfWeights(t *testing.T) {
	for axis, want := range map[int][]float32{
		-1: {127, -64, 1, 0, 100, -127},
		0:  {127, -64, 1, 0, 100, -127},
		1:  {127, -64, 1, 0, 100, -127},
	} {
		q := &graph.Quantizer{Name: "w", Bits: 8, Symmetric: true, Narrow: true, Axis: axis, Source: graph.LastValue}
		b := newBuilder(t, 1)
		w := b.floats("w", 2, 3)
		w.Role = graph.Parameter
		copy(w.Float32s(), want) // codes at scale 1, where the scale is 1
		b.input("x", graph.Float32, nil, 1, 1)
		ip := start(t, b.done(b.float(graph.FakeQuant{Quantizer: q}, w)), interp.Options{})
		got := run(t, ip, []float32{0}).([]float32)
		p, err := q.ParamsOf(w.Float32s(), w.Shape)
		if err != nil {
			t.Fatal(err)
		}
		expected := make([]float32, 6)
		if err := p.FakeQuantize(expected, w.Float32s(), nil, w.Shape, q.Grid()); err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("axis %d", axis), got, expected)
		if axis < 1 {
			equal(t, fmt.Sprintf("whole numbers, axis %d", axis), got, want)
		}
		w.Float32s()[4] = float32(math.Inf(1))
		if err := ip.Run([]float32{0}); err == nil || !strings.Contains(err.Error(), `quantizer of tensor "w": quant: value`) {
			t.Errorf("infinite weight: %v", err)
		}
	}
}

// Rows of scale 1, by their extent ([0, 255] asymmetric, 127 symmetric), keep
// whole numbers; the others have the step of their own extent.
func TestFakeQuantOfRows(t *testing.T) {
	for _, c := range []struct {
		symmetric bool
		axis      int
		x, want   []float32
	}{
		{false, 1, []float32{0, 255, 30.4, 1.6, 0, 0.25, 0, 0, 0, -510, 2, 0}, []float32{0, 255, 30, 1.6, 0, 64. / 255, 0, 0, 0, -254 * 512. / 255, 512. / 255, 0}},
		{true, 1, []float32{127, 3.4, -3.6, 12.7, -1.26, 0, 0, 0, 0, 254, 1.1, 0}, []float32{127, 3, -4, 12.7, -1.3, 0, 0, 0, 0, 254, 2, 0}},
		{true, 0, []float32{127, 3.4, -3.6, 12.7, -1.26, 0, 0.4, 0, 0, 60, 1.1, 0}, []float32{127, 3, -4, 13, -1, 0, 60. / 127, 0, 0, 60, 120. / 127, 0}},
		{true, -1, []float32{127, 3.4, -3.6, 12.7, -1.26, 0, 0, 0, 0, 60, 1.1, 0}, []float32{127, 3, -4, 13, -1, 0, 0, 0, 0, 60, 1, 0}},
	} {
		q := &graph.Quantizer{Name: "x", Bits: 8, Symmetric: c.symmetric, Axis: c.axis, Source: graph.Dynamic}
		ip := start(t, fakeOf(t, q, 1, 2, 3), interp.Options{Batch: 2})
		close32(t, fmt.Sprintf("symmetric %v axis %d", c.symmetric, c.axis), run(t, ip, c.x).([]float32), c.want)
	}
	for _, c := range []struct {
		q    graph.Quantizer
		want string
	}{
		{graph.Quantizer{Name: "x", Bits: 4, Source: graph.Dynamic}, "dynamic codes have 8 bits, not 4"},
		{graph.Quantizer{Name: "x", Bits: 8, Axis: 3, Source: graph.Dynamic}, "axis 3"},
	} {
		if _, err := interp.New(fakeOf(t, &c.q, 1, 2, 3), interp.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
