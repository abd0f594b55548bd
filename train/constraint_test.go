package train

import (
	"context"
	"math"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// TestProjections: 3, 4 has norm 5 and 5, 12 has norm 13.
func TestProjections(t *testing.T) {
	maxNorm := func(limit float32) graph.Constraint { return graph.Constraint{Bound: graph.MaxNorm, Max: limit} }
	for _, c := range []struct {
		name                string
		constraint          graph.Constraint
		outer, units, inner int
		w, want             []float32
	}{
		{"max norm by rows", maxNorm(6.5), 1, 2, 2, []float32{3, 4, 5, -12}, []float32{3, 4, 2.5, -6}},
		{"max norm by columns", maxNorm(6.5), 2, 2, 1, []float32{3, 5, 4, -12}, []float32{3, 2.5, 4, -6}},
		{"max norm in between", maxNorm(2.5), 2, 2, 1, []float32{3, 0, 4, 0}, []float32{1.5, 0, 2, 0}},
		{"max norm of a vector", maxNorm(1), 1, 1, 2, []float32{3, 4}, []float32{0.6, 0.8}},
		{"unit norm", graph.Constraint{Bound: graph.UnitNorm}, 1, 3, 2, []float32{3, 4, 0, 0, -0.03, 0.04}, []float32{0.6, 0.8, 0, 0, -0.6, 0.8}},
		{"non-negative", graph.Constraint{Bound: graph.NonNeg}, 1, 1, 3, []float32{-1, 0, 2}, []float32{0, 0, 2}},
	} {
		p := projection{Constraint: c.constraint, w: c.w, outer: c.outer, units: c.units, inner: c.inner, unit: make([]float32, c.outer*c.inner)}
		p.apply()
		for i, v := range c.want {
			// The 1e-7 that Keras adds to a norm of 0.05, and float32 roundings.
			if math.Abs(float64(c.w[i]-v)) > 2.5e-6 {
				t.Errorf("%s: %v, want %v", c.name, c.w, c.want)
				break
			}
		}
	}
}

// TestRegularizedStep compares a step of gradient descent with numbers by hand:
// one row x = (1, 2), target 4, w = (3, -1), error e = 1 - 4 = -3, loss e*e = 9.
//
//	penalty: 0.5*(3+1) + 0.25*(9+1) = 4.5
//	gradient: 2*e*x + 0.5*sign(w) + 2*0.25*w = (-6, -12) + (0.5, -0.5) + (1.5, -0.5)
//	w - 0.1*gradient = (3.4, 0.3), of norm sqrt(11.65); at most 2
func TestRegularizedStep(t *testing.T) {
	g, err := layers.Sequential{layers.Dense{
		Units: 1, NoBias: true,
		KernelRegularizer: layers.L1L2{L1: 0.5, L2: 0.25}, KernelConstraint: layers.MaxNorm{},
	}}.Build(layers.Input{2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := g.Parameters()[0].Float32s()
	copy(w, []float32{3, -1})
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{2}, X: []float32{1, 2}, Y: []float32{4}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(g, Config{Optimizer: SGD{LearningRate: 0.1}, Loss: MeanSquaredError{}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	h, err := m.Fit(context.Background(), ds, FitConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Epochs[0].Train.Loss; got != 13.5 {
		t.Errorf("loss %v, want 9 and a penalty of 4.5", got)
	}
	for i, v := range []float64{3.4, 0.3} {
		if want := v * 2 / math.Sqrt(11.65); math.Abs(float64(w[i])-want) > 1e-6 {
			t.Errorf("weight %d is %v, want %v", i, w[i], want)
		}
	}
}

// TestConstraintsWhileQuantizing: constraints hold of the float weights behind
// the quantizers, after every epoch.
func TestConstraintsWhileQuantizing(t *testing.T) {
	net, err := layers.Sequential{
		layers.Conv2D{Filters: 3, Kernel: [2]int{2, 2}, KernelConstraint: layers.MaxNorm{MaxValue: 0.5}},
		layers.Flatten{},
		layers.Dense{Units: 2, KernelConstraint: layers.UnitNorm{}, BiasConstraint: layers.NonNeg{}},
	}.Build(layers.Input{3, 3, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 20*9)
	y := make([]float32, 20)
	for i := range x {
		x[i] = float32(i%7) - 3
		y[i/9] = float32(i / 9 % 2)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{3, 3, 1}, X: x, Y: y, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(q, Config{Optimizer: SGD{LearningRate: 0.5}, Loss: SparseCategoricalCrossentropy{FromLogits: true}, BatchSize: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Fit(context.Background(), ds, FitConfig{Epochs: 3}); err != nil {
		t.Fatal(err)
	}
	for _, p := range q.Parameters() {
		w := p.Float32s()
		for u := range p.Shape[0] {
			norm := 0.0
			for _, v := range w[u*len(w)/p.Shape[0]:][:len(w)/p.Shape[0]] {
				norm += float64(v) * float64(v)
				if p.Constraint.Bound == graph.NonNeg && v < 0 {
					t.Errorf("%s holds %v", p.Name, v)
				}
			}
			norm = math.Sqrt(norm)
			if p.Constraint.Bound == graph.MaxNorm && norm > 0.5*(1+1e-6) || p.Constraint.Bound == graph.UnitNorm && math.Abs(norm-1) > 1e-6 {
				t.Errorf("%s: unit %d has norm %v, against %v", p.Name, u, norm, p.Constraint)
			}
		}
	}
}
