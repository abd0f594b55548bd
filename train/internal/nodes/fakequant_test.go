package nodes

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// TestFakeQuantTiming: step t rounds with the range as of the end of step t-1;
// an unknown range passes values through and the first batch sets it.
func TestFakeQuantTiming(t *testing.T) {
	for _, e := range []Executor{Fast, Tape} {
		n, x := newNet(t, 2)
		n.observed(x)
		q := n.Quantizers()[0]
		s := compile(t, n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanSquaredError}, Executor: e})
		ranges := quant.Range{}
		for step, batch := range [][]float32{{-1, 0.3, 2, 0.7}, {0.123, 5, -3, 1}, {0.1, 0.2, 0.3, 0.4}} {
			want := slices.Clone(batch)
			if ranges.Known() {
				p, err := q.Params()
				if err != nil {
					t.Fatal(err)
				}
				if err := p.FakeQuantize(want, batch, nil, []int{2, 2}, q.Grid()); err != nil {
					t.Fatal(err)
				}
			}
			copy(s.Input(), batch)
			if err := s.Run(uint64(step)); err != nil {
				t.Fatal(err)
			}
			same(t, "output", want, s.Output())
			if q.Observed() != ranges {
				t.Fatalf("Run changed the range to %v", q.Observed())
			}
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
			ranges, _ = ranges.Averaged(slices.Min(batch), slices.Max(batch), 0.9)
			if err := s.Commit(); err != nil || q.Observed() != ranges {
				t.Fatalf("step %d: two commits lead to %v (%v), want %v", step, q.Observed(), err, ranges)
			}
		}
	}
}

// TestSharedQuantizer: nodes of one quantizer are merged once per step; those
// that do not observe only round.
func TestSharedQuantizer(t *testing.T) {
	n, x := newNet(t, 2)
	q := graph.NewObserved("shared", quant.Scheme{Bits: 8}, 0.5)
	x = n.add("first", graph.FakeQuant{Quantizer: q, Observe: true}, x)
	x = n.add("large", graph.FullyConnected{}, x, n.uniform("v", graph.Constant, -2, -2, 2, 2))
	x = n.add("silent", graph.FakeQuant{Quantizer: q}, x)
	n.add("second", graph.FakeQuant{Quantizer: q, Observe: true}, n.add("small", graph.FullyConnected{}, x, n.uniform("w", graph.Constant, 0.01, 0.01, 1, 2)))
	s := compile(t, n.Graph, Config{Batch: 1, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
	copy(s.Input(), []float32{-1.5, 0.01})
	if err := s.Run(0); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	last := s.Output()[0] // above what the first node saw, below what the silent one did
	if want, _ := (quant.Range{}).Averaged(-1.5, last, 0.5); q.Observed() != want || last < 0.02 || last > 1 {
		t.Errorf("observed %v, want %v", q.Observed(), want)
	}
}

// TestEvaluationDoesNotObserve: outside training ranges are used, not changed.
func TestEvaluationDoesNotObserve(t *testing.T) {
	n, x := newNet(t, 2)
	n.observed(x)
	s := compile(t, n.Graph, Config{Batch: 1})
	copy(s.Input(), []float32{0.3, 0.6})
	if err := s.Run(0); err != nil {
		t.Fatal(err)
	}
	same(t, "unknown range", []float32{0.3, 0.6}, s.Output())
	if err := s.Commit(); err != nil || n.Quantizers()[0].Known() {
		t.Fatalf("commit outside training: %v, range %v", err, n.Quantizers()[0].Observed())
	}
	n.Quantizers()[0].SetRange(quant.Range{Min: 0, Max: 255, Weight: 1})
	if err := s.Run(0); err != nil {
		t.Fatal(err)
	}
	same(t, "scale 1", []float32{0, 1}, s.Output())
}

// TestStraightThrough compares a layer with quantized weights and input with
// the same layer on the quantized values: equal bits, and gradients that differ
// by the mask alone.
func TestStraightThrough(t *testing.T) {
	narrow := quant.PerTensor(0.002, 0) // saturates beyond 0.254
	perChannel := quant.Params{Scale: []float32{0.001, 0.003, 0.004}, ZeroPoint: []int32{0, 0, 0}}
	for _, c := range []struct {
		name      string
		quantizer graph.Quantizer
		saturates bool
	}{
		{"fixed", graph.Quantizer{Source: graph.Fixed, Axis: -1, FixedParams: &narrow}, true},
		{"fixed per channel", graph.Quantizer{Source: graph.Fixed, Axis: 0, FixedParams: &perChannel}, true},
		{"moving average", *graph.NewObserved("w", quant.Scheme{Bits: 8}, 0.9), true},
		{"last value", graph.Quantizer{Source: graph.LastValue, Symmetric: true, Narrow: true, Axis: -1}, false},
		{"last value per channel", graph.Quantizer{Source: graph.LastValue, Symmetric: true, Narrow: true, Axis: 0, MinScale: []float32{1, 0, 0}}, false},
		{"moving average without range", *graph.NewObserved("w", quant.Scheme{Bits: 8}, 0.9), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := &c.quantizer
			q.Name, q.Bits = "w", 8
			if c.saturates && q.Range != nil {
				q.SetRange(quant.Range{Min: -0.2, Max: 0.3, Weight: 1})
			}
			run := func(w *graph.Tensor, quantized bool) (loss float32, gradient []float32) {
				n, x := newNet(t, 4)
				y := w
				if quantized {
					y = n.add("fq", graph.FakeQuant{Quantizer: q}, w)
				}
				n.add("dense", graph.FullyConnected{}, x, y)
				s := compile(t, n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
				fill(s, rng.New(4), 3)
				if err := s.Run(0); err != nil {
					t.Fatal(err)
				}
				return s.Loss(), s.Gradients()[0]
			}
			n, _ := newNet(t, 1)
			w := n.parameter("w", 3, 4)
			loss, gradient := run(w, true)

			rounded, mask := slices.Clone(w.Float32s()), make([]bool, 12)
			var p quant.Params
			var err error
			switch {
			case q.Source == graph.LastValue:
				p, err = q.ParamsOf(rounded, w.Shape)
			case q.Known():
				p, err = q.Params()
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Scale) > 0 {
				if err := p.FakeQuantize(rounded, rounded, mask, w.Shape, q.Grid()); err != nil {
					t.Fatal(err)
				}
			} else {
				for i := range mask {
					mask[i] = true
				}
			}
			if slices.Contains(mask, false) != c.saturates {
				t.Fatalf("mask %v: the case tests nothing", mask)
			}
			wantLoss, want := run(&graph.Tensor{Name: "w", Role: graph.Parameter, Shape: w.Shape, Data: rounded}, false)
			for i, pass := range mask {
				if !pass {
					want[i] = 0
				}
			}
			same(t, "gradient", want, gradient)
			if loss != wantLoss {
				t.Errorf("loss %v, want %v", loss, wantLoss)
			}
		})
	}
}

// TestDynamic: rows are rounded as the hybrid kernels do, and the gradient
// passes.
func TestDynamic(t *testing.T) {
	for _, symmetric := range []bool{false, true} {
		n, x := newNet(t, 3, 4)
		q := &graph.Quantizer{Name: "h", Bits: 8, Symmetric: symmetric, Axis: 1, Source: graph.Dynamic}
		h := n.add("a", graph.FullyConnected{KeepDims: true}, x, n.parameter("w", 4, 4))
		y := n.add("fq", graph.FakeQuant{Quantizer: q}, h)
		n.Outputs = []*graph.Tensor{h}
		plain := compile(t, n.Graph, Config{Batch: 2})
		n.Outputs = []*graph.Tensor{y}
		s := compile(t, n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanAbsoluteError}})
		fill(s, rng.New(8), 2)
		copy(plain.Input(), s.Input())
		for _, s := range []*Step{plain, s} {
			if err := s.Run(0); err != nil {
				t.Fatal(err)
			}
		}
		want := make([]float32, len(plain.Output()))
		for r := 0; r < len(want); r += 4 {
			codes := make([]int8, 4)
			scale, zero := float32(0), int32(0)
			if symmetric {
				scale = q8.QuantizeSymmetric(codes, plain.Output()[r:r+4])
			} else {
				scale, zero = q8.QuantizeAsymmetric(codes, plain.Output()[r:r+4])
			}
			for i, c := range codes {
				want[r+i] = scale * float32(int32(c)-zero)
			}
		}
		same(t, "rows", want, s.Output())
		if slices.Max(s.Gradients()[0]) == 0 {
			t.Error("no gradient")
		}
	}
}

// TestCommitRefusesNaN: a value that is not finite is reported with its tensor,
// and nothing is changed.
func TestCommitRefusesNaN(t *testing.T) {
	for _, c := range []struct {
		name, want string
		bad        float32
		build      func(n *net, x *graph.Tensor)
	}{
		{"NaN in a range", `tensor "x": a value observed is NaN`, float32(math.NaN()), func(n *net, x *graph.Tensor) { n.batchNorm("bn", n.observed(x)) }},
		{"Inf in a range", `tensor "x": quant: invalid range`, float32(math.Inf(1)), func(n *net, x *graph.Tensor) { n.batchNorm("bn", n.observed(x)) }},
		{"NaN in statistics", `tensor "bn/mean": channel 0 of the batch has NaN`, float32(math.NaN()), func(n *net, x *graph.Tensor) { n.batchNorm("bn", x) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, x := newNet(t, 2)
			c.build(n, x)
			s := compile(t, n.Graph, Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
			s.Input()[0] = c.bad
			before := variables(n.Graph)
			if err := s.Run(0); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("commit: %v, want %q", err, c.want)
			}
			same(t, "variables", before, variables(n.Graph))
		})
	}
}

// TestLastValueAlongAxes: what package quant defines, for scales along any axis.
func TestLastValueAlongAxes(t *testing.T) {
	random := rng.New(3)
	for axis := -1; axis < 3; axis++ {
		n, x := newNet(t, 4)
		shape := []int{3, 5, 4}
		w := &graph.Tensor{Name: "w", Role: graph.Parameter, Shape: shape, Data: make([]float32, 60)}
		for i := range w.Float32s() {
			w.Float32s()[i] = 2*random.Float32() - 1
		}
		q := &graph.Quantizer{Name: "w", Bits: 8, Symmetric: true, Narrow: true, Axis: axis, Source: graph.LastValue}
		rounded := n.add("w/fq", graph.FakeQuant{Quantizer: q}, w)
		n.add("y", graph.FullyConnected{}, x, n.add("flat", graph.Reshape{Shape: []int{15, 4}}, rounded))
		p, err := q.ParamsOf(w.Float32s(), shape)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, 60)
		if err := p.FakeQuantize(want, w.Float32s(), nil, shape, q.Grid()); err != nil {
			t.Fatal(err)
		}
		s := compile(t, n.Graph, Config{Batch: 1, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
		for i := range 4 { // column i of the weights
			clear(s.Input())
			s.Input()[i] = 1
			if err := s.Run(0); err != nil {
				t.Fatal(err)
			}
			for o, y := range s.Output() {
				if y != want[o*4+i] {
					t.Fatalf("axis %d: weight %d is %v, want %v", axis, o*4+i, y, want[o*4+i])
				}
			}
		}
	}
}

// TestNaNWeights: weights that cannot be quantized are an error with their name.
func TestNaNWeights(t *testing.T) {
	for _, e := range []Executor{Fast, Tape} {
		n, x := newNet(t, 2)
		w := n.parameter("w", 2, 2)
		n.add("dense", graph.FullyConnected{}, x, n.lastValue(w, 0))
		s := compile(t, n.Graph, Config{Batch: 1, Executor: e})
		w.Float32s()[3] = float32(math.NaN())
		if err := s.Run(0); err == nil || !strings.Contains(err.Error(), `node "w/fq" (FAKE_QUANT): graph: quantizer of tensor "w"`) {
			t.Errorf("executor %d: %v", e, err)
		}
		w.Float32s()[3] = 1
		if err := s.Run(0); err != nil {
			t.Errorf("executor %d, after the error: %v", e, err)
		}
	}
}

// TestMeanTies: a node behind an average rounds ties as integer means do.
func TestMeanTies(t *testing.T) {
	for _, c := range []struct {
		mean bool
		want float32
	}{{false, 1}, {true, 0}} { // 0.5 is code -2.5
		n, x := newNet(t, 1)
		p := quant.PerTensor(1, -3)
		q := &graph.Quantizer{Name: "x", Bits: 8, Axis: -1, Source: graph.Fixed, FixedParams: &p}
		n.add("fq", graph.FakeQuant{Quantizer: q, Mean: c.mean}, x)
		s := compile(t, n.Graph, Config{Batch: 1})
		s.Input()[0] = 0.5
		if err := s.Run(0); err != nil {
			t.Fatal(err)
		}
		same(t, "rounded", []float32{c.want}, s.Output())
	}
}
