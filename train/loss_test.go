package train_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/train"
)

// passing is a network whose outputs are its inputs.
func passing(t *testing.T, outputs int) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{layers.Dense{Units: outputs, NoBias: true, KernelInit: layers.Zeros{}}}.Build(layers.Input{outputs}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range outputs {
		g.Parameters()[0].Float32s()[i*(outputs+1)] = 1
	}
	return g
}

// TestLosses evaluates each loss on one row. The logits (ln 3, 0) are the
// probabilities 3/4 and 1/4, by softmax as by the sigmoid of the first.
func TestLosses(t *testing.T) {
	third := float32(math.Log(3))
	entropy := func(t, p float64) float64 { return -t*math.Log(p) - (1-t)*math.Log(1-p) }
	for _, c := range []struct {
		name           string
		loss           train.Loss
		output, target []float32
		want           float64
	}{
		{"labels", train.SparseCategoricalCrossentropy{FromLogits: true}, []float32{third, 0}, []float32{0}, math.Log(4. / 3)},
		{"smoothed labels", train.SparseCategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.5}, []float32{third, 0}, []float32{0}, entropy(0.75, 0.75)},
		{"smoothed one-hot", train.CategoricalCrossentropy{LabelSmoothing: 0.2}, []float32{0.75, 0.25}, []float32{0, 1}, entropy(0.1, 0.75)},
		{"smoothed over three", train.CategoricalCrossentropy{LabelSmoothing: 0.3}, []float32{0.5, 0.25, 0.25}, []float32{1, 0, 0}, 0.8*math.Ln2 + 0.4*math.Ln2},
		{"smoothed binary", train.BinaryCrossentropy{FromLogits: true, LabelSmoothing: 0.2}, []float32{third}, []float32{1}, entropy(0.9, 0.75)},
		{"smoothed pair", train.BinaryCrossentropy{LabelSmoothing: 1}, []float32{0.75, 0.25}, []float32{1, 0}, entropy(0.5, 0.75)},
		{"huber", train.Huber{}, []float32{3, 0.5}, []float32{0, 1}, (2.5 + 0.125) / 2},
		{"narrow huber", train.Huber{Delta: 0.5}, []float32{3, 0.5}, []float32{0, 1}, (0.5*(3-0.25) + 0.125) / 2},
		{"categorical hinge", train.CategoricalHinge{}, []float32{0.5, 0.75, -2}, []float32{1, 0, 0}, 1.25},
		{"hinge", train.Hinge{}, []float32{0.5, -1}, []float32{0, 1}, 1.75},
		{"squared hinge", train.SquaredHinge{}, []float32{0.5, -1}, []float32{-1, 1}, 3.125},
	} {
		m, err := train.Compile(passing(t, len(c.output)), train.Config{Loss: c.loss})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		ds, err := data.NewMemory(data.Arrays{InputShape: []int{len(c.output)}, X: c.output, TargetShape: []int{len(c.target)}, Y: c.target})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Evaluate(context.Background(), ds)
		if err != nil {
			t.Fatal(err)
		}
		// A few roundings of float32 numbers below 4.
		if math.Abs(s.Loss-c.want) > 1e-6 {
			t.Errorf("%s: loss %v, want %v", c.name, s.Loss, c.want)
		}
	}
}

func TestLossesRefuse(t *testing.T) {
	labels, err := data.NewMemory(data.Arrays{InputShape: []int{3}, X: make([]float32, 3), Y: make([]float32, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		loss train.Loss
		want string
	}{
		{train.CategoricalCrossentropy{LabelSmoothing: 1.5}, "label smoothing is 1.5, want 0 to 1"},
		{train.BinaryCrossentropy{LabelSmoothing: -0.5}, "label smoothing is -0.5"},
		{train.SparseCategoricalCrossentropy{LabelSmoothing: math.NaN()}, "label smoothing is NaN"},
		{train.Huber{Delta: -1}, "delta is -1, want a positive number"},
		{train.Huber{}, "huber loss: output has shape [3] and targets [1], want equal shapes"},
		{train.CategoricalHinge{}, "categorical hinge loss: output has shape [3]"},
		{train.Hinge{}, "hinge loss: output has shape [3]"},
		{train.SquaredHinge{}, "squared hinge loss: output has shape [3]"},
	} {
		m, err := train.Compile(passing(t, 3), train.Config{Loss: c.loss})
		if err == nil {
			_, err = m.Evaluate(context.Background(), labels)
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.loss, err, c.want)
		}
	}
}
