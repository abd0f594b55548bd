package posttrain

import (
	"context"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// depthwise is a network that knows the digits.
var depthwise = sync.OnceValues(func() (*graph.Graph, error) {
	return fitted(8,
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.Conv2D{Filters: 16, Kernel: [2]int{1, 1}},
		layers.ReLU{},
		layers.Flatten{},
		layers.Dense{Units: 10},
	)
})

// dense is a network that knows the digits.
var dense = sync.OnceValues(func() (*graph.Graph, error) {
	return fitted(20, layers.Flatten{}, layers.Dense{Units: 32, Activation: layers.ActReLU}, layers.Dense{Units: 10})
})

func fitted(epochs int, net ...layers.Layer) (*graph.Graph, error) {
	g, err := layers.Sequential(net).Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		return nil, err
	}
	m, err := train.Compile(g, train.Config{Optimizer: train.Adam{LearningRate: 5e-3}, Loss: train.SparseCategoricalCrossentropy{FromLogits: true}})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	set, _ := digits.Load()
	_, err = m.Fit(context.Background(), set, train.FitConfig{Epochs: epochs, Seed: 1})
	return g, err
}

// built is a network with BatchNorm folded, for a test to spoil.
func built(t *testing.T, net func() (*graph.Graph, error)) *graph.Graph {
	t.Helper()
	g, err := net()
	if err == nil {
		g, err = folded(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// outputs returns what g makes of the first rows of a set.
func outputs(t *testing.T, g *graph.Graph, set data.Dataset, rows int) []float32 {
	t.Helper()
	x, y := make([]float32, 64*rows), make([]float32, rows)
	if err := set.Read(feed.Options{Rows: rows}.Order(set), x, y); err != nil {
		t.Fatal(err)
	}
	ip, err := interp.New(g, interp.Options{Batch: 64})
	if err != nil {
		t.Fatal(err)
	}
	out, err := ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// accuracy returns the share of test digits that g knows.
func accuracy(t *testing.T, g *graph.Graph) float64 {
	t.Helper()
	_, set := digits.Load()
	labels, err := data.Labels(set)
	if err != nil {
		t.Fatal(err)
	}
	out, right := outputs(t, g, set, set.Len()), 0
	for i, label := range labels {
		if train.Largest(out[i*10:][:10]) == label {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

// noise returns the signal-to-noise ratio of b against a in decibels.
func noise(a, b []float32) float64 {
	signal, distance := 0.0, 0.0
	for i, v := range a {
		signal += float64(v) * float64(v)
		distance += float64(v-b[i]) * float64(v-b[i])
	}
	return 10 * math.Log10(signal/distance)
}

// equal fails unless g computes what want does, to the rounding errors of
// float32: sums of some hundred products, each within 2^-24.
func equal(t *testing.T, g, want *graph.Graph) {
	t.Helper()
	set, _ := digits.Load()
	if n := noise(outputs(t, want, set, 200), outputs(t, g, set, 200)); n < 100 {
		t.Errorf("the network computes something else: %.0f dB", n)
	}
}

// repaired returns the model.
func repaired(t *testing.T, net *graph.Graph, recipe quant.Recipe, r Repair) *graph.Graph {
	t.Helper()
	set, _ := digits.Load()
	model, err := Quantize(context.Background(), net, recipe, set, Options{Calibration: Calibration{Samples: 512}, Repair: r})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// scale multiplies the channels of links by powers of two and divides what reads
// them: the same network, with channels that are badly scaled.
func scale(g *graph.Graph, octaves func(link, channel int) int) {
	for i, l := range links(g) {
		private(g, l.group.Head)
		factor := make([]float32, l.channels())
		for c := range factor {
			factor[c] = float32(math.Exp2(float64(octaves(i, c))))
		}
		l.outer(func(c int, w *float32) { *w *= factor[c] })
		bias := l.group.Head.Inputs[graph.InputBias].Float32s()
		for c := range bias {
			bias[c] *= factor[c]
		}
		for _, r := range l.readers {
			private(g, r)
			l.inner(r, func(c, _ int, w *float32) { *w /= factor[c] })
		}
	}
}

// All repairs together bring a depthwise network with badly scaled channels, near
// chance in int8 with a scale for each tensor, to within a point of float; and a
// network read from a file, whose activations are fused, to the same bytes as the
// one that was built.
func TestRepair(t *testing.T) {
	g := built(t, depthwise)
	want := accuracy(t, g)
	scale(g, func(link, c int) int { return (c*7+link*3)%13 - 6 })
	all := Repair{Equalize: true, AbsorbBiases: true, AdaRound: true, CorrectBias: true}
	t.Logf("float: %.2f %%", 100*want)
	known := map[string]float64{}
	for _, c := range []struct {
		name   string
		recipe quant.Recipe
		repair Repair
	}{
		{"per channel", quant.Int8(), Repair{}},
		{"per tensor", quant.Int8PerTensor(), Repair{}},
		{"bias correction", quant.Int8PerTensor(), Repair{CorrectBias: true}},
		{"AdaRound", quant.Int8PerTensor(), Repair{AdaRound: true}},
		{"equalized", quant.Int8PerTensor(), Repair{Equalize: true}},
		{"equalized, absorbed", quant.Int8PerTensor(), Repair{Equalize: true, AbsorbBiases: true}},
		{"all", quant.Int8PerTensor(), all},
	} {
		known[c.name] = accuracy(t, repaired(t, g, c.recipe, c.repair))
		t.Logf("%s: %.2f %%", c.name, 100*known[c.name])
	}
	if a := known["per tensor"]; a > 0.3 {
		t.Errorf("without repair the accuracy is %v: the network does not need any", a)
	}
	if a := known["all"]; a < want-0.01 {
		t.Errorf("accuracy %v of float, %v repaired", want, a)
	}
	model := repaired(t, g, quant.Int8PerTensor(), all)
	file, err := export.Float32(g)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := tflite.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := tflite.Unmarshal(bytes)
	if err != nil {
		t.Fatal(err)
	}
	again := repaired(t, read, quant.Int8PerTensor(), all)
	set, _ := digits.Load()
	if n := noise(outputs(t, model, set, 200), outputs(t, again, set, 200)); !math.IsInf(n, 1) {
		t.Errorf("the network from a file is repaired to another model: %.0f dB", n)
	}
}

func TestRepairRefuses(t *testing.T) {
	set, _ := digits.Load()
	ctx, none := context.Background(), Sampling{}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	q, float := inserted(t), network(t)
	calibrated, _ := calibrated(t, set, Calibration{Samples: 100})
	for name, c := range map[string]struct {
		run  func() (*graph.Graph, error)
		want string
	}{
		"equalize quantized": {func() (*graph.Graph, error) { return Equalize(ctx, q, set, none) }, `quantized already, by recipe "int8"`},
		"absorb quantized":   {func() (*graph.Graph, error) { return AbsorbBiases(ctx, q, set, none) }, "quantized already"},
		"absorb nothing":     {func() (*graph.Graph, error) { return AbsorbBiases(ctx, float, nil, none) }, "absorb biases: no samples"},
		"adaround float":     {func() (*graph.Graph, error) { return AdaRound(ctx, float, set, none) }, "has no quantizers"},
		"adaround too early": {func() (*graph.Graph, error) { return AdaRound(ctx, q, set, none) }, `the range of tensor "input" is not known: calibrate first`},
		"correct nothing":    {func() (*graph.Graph, error) { return CorrectBias(ctx, calibrated, nil, none) }, "no samples"},
		"canceled":           {func() (*graph.Graph, error) { return CorrectBias(canceled, calibrated, set, none) }, "canceled"},
		"NaN": {func() (*graph.Graph, error) {
			return AdaRound(ctx, calibrated, broken{set, 7}, none)
		}, "NaN"},
	} {
		if _, err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
