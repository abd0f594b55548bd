package nodes

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
)

// TestBatchNorm: training normalizes by the batch and moves the statistics at
// Commit as Keras 3 does; evaluation, and training with frozen statistics, uses
// the moving ones.
func TestBatchNorm(t *testing.T) {
	n, x := newNet(t, 3, 2)
	y := n.batchNorm("bn", x)
	in := n.Producer(y).Inputs
	gamma, beta, mean, variance := in[1].Float32s(), in[2].Float32s(), in[3].Float32s(), in[4].Float32s()
	train := compile(t, n.Graph, Config{Batch: 4, Training: true, Loss: &Loss{Kind: MeanSquaredError}})
	evaluate := compile(t, n.Graph, Config{Batch: 4})
	fill(train, rng.New(1), 1)
	copy(evaluate.Input(), train.Input())
	batchMean, batchVariance := moments(train.Input(), 2)
	check := func(s *Step, mean, variance []float64) {
		t.Helper()
		if err := s.Run(0); err != nil {
			t.Fatal(err)
		}
		for i, y := range s.Output() {
			c := i % 2
			want := (float64(s.Input()[i])-mean[c])/math.Sqrt(variance[c]+1e-3)*float64(gamma[c]) + float64(beta[c])
			// float32, values around 1
			if math.Abs(float64(y)-want) > 2e-6 {
				t.Errorf("output %d is %v, want %v", i, y, want)
			}
		}
	}
	wide := func(x []float32) []float64 { return []float64{float64(x[0]), float64(x[1])} }
	check(train, batchMean, batchVariance)
	check(evaluate, wide(mean), wide(variance)) // not yet moved
	oldMean, oldVariance := wide(mean), wide(variance)
	if err := train.Commit(); err != nil {
		t.Fatal(err)
	}
	for c := range 2 {
		wantMean, wantVariance := 0.9*oldMean[c]+0.1*batchMean[c], 0.9*oldVariance[c]+0.1*batchVariance[c]
		if math.Abs(float64(mean[c])-wantMean) > 1e-6 || math.Abs(float64(variance[c])-wantVariance) > 1e-6 {
			t.Errorf("channel %d: moving mean %v and variance %v, want %v and %v", c, mean[c], variance[c], wantMean, wantVariance)
		}
	}
	check(evaluate, wide(mean), wide(variance))

	train.FreezeStatistics(true)
	oldMean, oldVariance = wide(mean), wide(variance)
	check(train, oldMean, oldVariance)
	if err := train.Commit(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(oldMean, wide(mean)) || !slices.Equal(oldVariance, wide(variance)) {
		t.Error("a step with frozen statistics moved them")
	}
	train.FreezeStatistics(false)
	check(train, batchMean, batchVariance)
}

// TestNormsInBlocks: batch normalizations whose work convolutions do train to the
// same bits as those that do it themselves, behind reshapes. One group of images
// is one chunk of rows.
func TestNormsInBlocks(t *testing.T) {
	for _, executor := range []Executor{Fast, Tape} {
		var want []float32
		for _, apart := range []bool{false, true} {
			n, x := newNet(t, 6, 5, 3)
			reshape := func(x *graph.Tensor, name string) *graph.Tensor {
				if !apart {
					return x
				}
				return n.add(name, graph.Reshape{Shape: []int{-1, x.Shape[1], x.Shape[2], x.Shape[3]}}, x)
			}
			x = n.observed(x)
			for i, op := range []graph.Op{
				graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 1},
				graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1},
				graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
				graph.DepthwiseConv2D{StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1},
				graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
			} {
				name := fmt.Sprint("layer", i)
				shape := [][]int{{8, 3, 3, 3}, {1, 3, 3, 8}, {16, 1, 1, 8}, {1, 2, 2, 16}, {8, 2, 2, 16}}[i]
				x = n.add(name, op, x, n.lastValue(n.parameter(name+"/w", shape...), 3*(i%2)))
				x = n.batchNorm(name+"/bn", reshape(x, name+"/front"))
				if i != 1 {
					x = n.add(name+"/relu", []graph.Op{graph.Relu{}, graph.Relu6{}}[i%2], x)
				}
				x = reshape(n.observed(x), name+"/behind")
			}
			n.dense("dense", n.add("mean", graph.Mean{Reducer: graph.Reducer{Axes: []int{1, 2}}}, x), 3)
			c := Config{Batch: 6, Training: true, Executor: executor, Loss: &Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true}}
			losses := sgd(t, n.Graph, c, 9, 3, 0.1)
			got := append(losses, variables(n.Graph)...)
			for _, q := range n.Quantizers() {
				got = append(got, q.Observed().Min, q.Observed().Max)
			}
			if apart {
				same(t, "trained apart", got, want)
			}
			want = got
		}
	}
}

// moments returns each channel's mean and biased variance.
func moments(x []float32, channels int) (mean, variance []float64) {
	mean, variance = make([]float64, channels), make([]float64, channels)
	rows := float64(len(x) / channels)
	for i, v := range x {
		mean[i%channels] += float64(v) / rows
	}
	for i, v := range x {
		d := float64(v) - mean[i%channels]
		variance[i%channels] += d * d / rows
	}
	return mean, variance
}

// TestDropout: elements are kept at the rate, scaled up, by a mask that depends
// on the seeds and the step alone; evaluation is the identity.
func TestDropout(t *testing.T) {
	const size, rate = 20000, 0.3
	run := func(seed, layer, step uint64, training bool) []float32 {
		n, x := newNet(t, size)
		n.add("dropout", graph.Dropout{Rate: rate, Seed: layer}, x)
		c := Config{Batch: 2, Seed: seed}
		if training {
			c.Training, c.Loss = true, &Loss{Kind: MeanSquaredError}
		}
		s := compile(t, n.Graph, c)
		for i := range s.Input() {
			s.Input()[i] = 1
		}
		if err := s.Run(step); err != nil {
			t.Fatal(err)
		}
		return slices.Clone(s.Output())
	}
	base := run(1, 2, 3, true)
	kept := 0
	for _, v := range base {
		switch {
		case v == 1/(1-float32(rate)):
			kept++
		case v != 0:
			t.Fatalf("a one became %v", v)
		}
	}
	// Five standard deviations of a binomial distribution.
	if want, sigma := 2*size*(1-rate), math.Sqrt(2*size*rate*(1-rate)); math.Abs(float64(kept)-want) > 5*sigma {
		t.Errorf("%d of %d kept, want %v", kept, 2*size, want)
	}
	same(t, "same seeds", base, run(1, 2, 3, true))
	for name, other := range map[string][]float32{"seed": run(2, 2, 3, true), "layer": run(1, 3, 3, true), "step": run(1, 2, 4, true)} {
		equal := 0
		for i := range base {
			if base[i] == other[i] {
				equal++
			}
		}
		// Independent masks agree where both keep or both drop.
		p := rate*rate + (1-rate)*(1-rate)
		if want, sigma := 2*size*p, math.Sqrt(2*size*p*(1-p)); math.Abs(float64(equal)-want) > 5*sigma {
			t.Errorf("another %s: %d of %d elements agree, want about %v", name, equal, 2*size, want)
		}
	}
	for _, v := range run(1, 2, 3, false) {
		if v != 1 {
			t.Fatalf("evaluation turned 1 into %v", v)
		}
	}
}

// TestOneUnit: the smallest network there is trains on both executors (a shape
// of ones is where tensor libraries confuse vectors with scalars).
func TestOneUnit(t *testing.T) {
	for _, e := range []Executor{Fast, Tape} {
		n, x := newNet(t, 1)
		n.dense("dense", x, 1)
		s := compile(t, n.Graph, Config{Batch: 6, Training: true, Loss: &Loss{Kind: MeanSquaredError}, Executor: e})
		for i := range s.Input() {
			s.Input()[i], s.Target()[i] = float32(i-1), float32(2*(i-1)-1)
		}
		for step := range 300 {
			if err := s.Run(uint64(step)); err != nil {
				t.Fatal(err)
			}
			for i, p := range n.Parameters() {
				for j := range p.Float32s() {
					p.Float32s()[j] -= 0.1 * s.Gradients()[i][j]
				}
			}
		}
		w, b := n.Parameters()[0].Float32s()[0], n.Parameters()[1].Float32s()[0]
		if math.Abs(float64(w)-2) > 1e-4 || math.Abs(float64(b)+1) > 1e-4 {
			t.Errorf("learned %v*x + %v, want 2*x - 1", w, b)
		}
		one := compile(t, n.Graph, Config{Batch: 1, Training: true, Loss: &Loss{Kind: MeanSquaredError}, Executor: e})
		if err := one.Run(0); err != nil {
			t.Error(err)
		}
	}
}
