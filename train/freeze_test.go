package train_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// watchStatistics counts the steps that moved the statistics of BatchNorm, and
// notes the last of them.
type watchStatistics struct {
	before       []float32
	moved, steps int
	last         int
}

func (w *watchStatistics) EpochEnd(*train.Fitting, train.Epoch) error { return nil }

func (w *watchStatistics) BatchEnd(f *train.Fitting) error {
	now := statistics(f.Model.Graph())
	if w.steps++; !slices.Equal(now, w.before) {
		w.moved, w.last = w.moved+1, w.steps
	}
	w.before = now
	return nil
}

// statistics returns the moving statistics of BatchNorm nodes.
func statistics(g *graph.Graph) []float32 {
	var all []float32
	for _, t := range g.Tensors() {
		if t.Role == graph.Statistic {
			all = append(all, t.Float32s()...)
		}
	}
	return all
}

// Statistics move for the steps that FreezeBatchNorm says, and no longer.
func TestFreezeBatchNorm(t *testing.T) {
	weightOnly := quant.DynamicRange()
	weightOnly.MinElements = 0
	float := func(t *testing.T) *graph.Graph { return cnn(t) }
	by := func(r quant.Recipe) func(*testing.T) *graph.Graph {
		return func(t *testing.T) *graph.Graph { return qat(t, r) }
	}
	for _, c := range []struct {
		name   string
		g      func(*testing.T) *graph.Graph
		freeze int
		want   int // steps that move the statistics, of 5 epochs of 4
	}{
		{"integer recipe", by(quant.Int8()), 0, 14}, // two thirds of 20 are 13.3
		{"weight-only recipe", by(weightOnly), 0, 20},
		{"float network", float, 0, 20},
		{"never", by(quant.Int8()), train.Never, 20},
		{"from the second epoch", by(quant.Int8()), 2, 4},
		{"from the first step", by(quant.Int8()), 1, 0},
		{"float network from the last epoch", float, 5, 16},
		{"after the end", by(quant.Int8()), 6, 20},
		{"per tensor", by(quant.Int8PerTensor()), train.Never, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := c.g(t)
			w := &watchStatistics{before: statistics(g)}
			trained := slices.Clone(g.Parameters()[1].Float32s())
			fit(t, g, config(), rows(100), train.FitConfig{Epochs: 5, Seed: 1, FreezeBatchNorm: c.freeze, Callbacks: []train.Callback{w}})
			if w.moved != c.want || w.last != c.want || w.steps != 20 {
				t.Errorf("%d of %d steps moved the statistics, the last was %d; want %d", w.moved, w.steps, w.last, c.want)
			}
			if slices.Equal(trained, g.Parameters()[1].Float32s()) {
				t.Error("gamma was not trained")
			}
		})
	}
}

func TestFreezeBatchNormRefuses(t *testing.T) {
	m, err := train.Compile(qat(t, quant.Int8()), config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Fit(context.Background(), rows(64), train.FitConfig{FreezeBatchNorm: -2})
	if err == nil || !strings.Contains(err.Error(), "FreezeBatchNorm is -2") {
		t.Errorf("error %v", err)
	}
}
