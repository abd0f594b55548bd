package train_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// cnn is a small network with every kind of trained layer.
func cnn(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 6, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.MaxPool2D{},
		layers.Flatten{},
		layers.Dropout{Rate: 0.1},
		layers.Dense{Units: 10},
	}.Build(layers.Input{8, 8, 1}, 7)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// qat is cnn with fake quantization.
func qat(t *testing.T, recipe quant.Recipe) *graph.Graph {
	t.Helper()
	q, err := fakequant.Insert(cnn(t), recipe)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func config() train.Config {
	return train.Config{
		Optimizer: train.Adam{},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
		Metrics:   []train.Metric{train.Accuracy{}},
		BatchSize: 32,
	}
}

// rows returns the first n training digits.
func rows(n int) data.Dataset {
	ds, _ := digits.Load()
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	part, err := data.Subset(ds, index)
	if err != nil {
		panic(err)
	}
	return part
}

// hash is the SHA-256 of a graph's variables.
func hash(g *graph.Graph) string {
	h := sha256.New()
	for _, v := range g.Variables() {
		h.Write([]byte(v.Name))
		_ = binary.Write(h, binary.LittleEndian, v.Float32s()) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fit trains g and returns its hash.
func fit(t *testing.T, g *graph.Graph, c train.Config, ds data.Dataset, f train.FitConfig) string {
	t.Helper()
	m, err := train.Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Fit(context.Background(), ds, f); err != nil {
		t.Fatal(err)
	}
	return hash(g)
}

// stopAfter cancels a context after some steps.
type stopAfter struct {
	steps  int
	cancel context.CancelFunc
}

func (s *stopAfter) EpochEnd(*train.Fitting, train.Epoch) error { return nil }
func (s *stopAfter) BatchEnd(*train.Fitting) error {
	if s.steps--; s.steps == 0 {
		s.cancel()
	}
	return nil
}

// A resumed run must end with the bytes of one that never stopped, wherever it
// was interrupted: 100 rows are 4 steps an epoch, the last of 4 rows.
func TestResume(t *testing.T) {
	ds, val := rows(100), rows(40)
	callbacks := func(path string, every uint64) []train.Callback {
		return []train.Callback{
			&train.Checkpoint{Path: path, EverySteps: every},
			&train.EarlyStopping{Patience: 50, RestoreBest: true},
		}
	}
	whole := qat(t, quant.Int8())
	dir := t.TempDir()
	want := fit(t, whole, config(), ds, train.FitConfig{Epochs: 4, Seed: 3, Validation: val, Callbacks: callbacks(filepath.Join(dir, "whole"), 0)})

	for _, c := range []struct {
		name  string
		steps int
		every uint64
	}{
		{"between epochs", 8, 0},
		{"in the middle of an epoch", 6, 2},
		{"before the last partial batch", 7, 1},
		{"before the first step with frozen statistics", 11, 1}, // of 16, two thirds are 10.7
		{"among steps with frozen statistics", 13, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "checkpoint")
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			m, err := train.Compile(qat(t, quant.Int8()), config())
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			_, err = m.Fit(ctx, ds, train.FitConfig{Epochs: 4, Seed: 3, Validation: val,
				Callbacks: append(callbacks(path, c.every), &stopAfter{c.steps, cancel})})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the interrupted run ended with %v", err)
			}
			resumed, err := train.Resume(path, config())
			if err != nil {
				t.Fatal(err)
			}
			defer resumed.Close()
			h, err := resumed.Fit(context.Background(), ds, train.FitConfig{Epochs: 4, Seed: 3, Validation: val, Callbacks: callbacks(path, c.every)})
			if err != nil {
				t.Fatal(err)
			}
			if got := hash(resumed.Graph()); got != want {
				t.Errorf("the resumed run ended with weights %s, want %s", got, want)
			}
			if len(h.Epochs) != 4 {
				t.Errorf("the history has %d epochs, want 4", len(h.Epochs))
			}
		})
	}
}

func TestResumeRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	fit(t, cnn(t), config(), rows(64), train.FitConfig{Epochs: 1, Seed: 3, Callbacks: []train.Callback{&train.Checkpoint{Path: path}}})
	if err := graph.Save(path+".net", cnn(t)); err != nil {
		t.Fatal(err)
	}
	other := config()
	other.BatchSize = 16
	for _, c := range []struct {
		name, path string
		config     train.Config
		data       data.Dataset
		fit        train.FitConfig
		want       string
	}{
		{"no file", path + ".none", config(), rows(64), train.FitConfig{Seed: 3}, "no such file"},
		{"no training state", path + ".net", config(), rows(64), train.FitConfig{Seed: 3}, "no training state"},
		{"another configuration", path, other, rows(64), train.FitConfig{Seed: 3}, "batch 32"},
		{"other data", path, config(), rows(65), train.FitConfig{Seed: 3}, "data set differs"},
		{"another seed", path, config(), rows(64), train.FitConfig{Seed: 4}, "seed 4"},
		{"frozen at another time", path, config(), rows(64), train.FitConfig{Seed: 3, FreezeBatchNorm: 2}, "FreezeBatchNorm is 2"},
	} {
		m, err := train.Resume(c.path, c.config)
		if err == nil {
			c.fit.Epochs = 2
			_, err = m.Fit(context.Background(), c.data, c.fit)
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// fiftySteps is the hash of the variables after 50 steps of quantization-aware
// training, by whether matrix products are fused. Work on speed must not change
// it. The first was recorded when products became fused; the second is that of
// the program before.
var fiftySteps = map[bool]string{
	true:  "ec8b4cd4eba859af6d62416222550406a48821b389c39b11fda2c1840228a866",
	false: "344f4561bd0854bb672570d551bef2783d5c4593d3c57e5adf946b733a73365d",
}

func TestFiftyStepsOfQAT(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the hash is recorded for amd64; other architectures are deterministic by themselves")
	}
	g := qat(t, quant.Int8())
	if got := fit(t, g, config(), rows(320), train.FitConfig{Epochs: 5, Seed: 1, FreezeBatchNorm: train.Never}); got != fiftySteps[f32.Fused()] {
		t.Errorf("after 50 steps on level %s the variables hash to %s, want %s", f32.Level(), got, fiftySteps[f32.Fused()])
	}
}

func TestSameBytes(t *testing.T) {
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), quant.DynamicRange()} {
		f := train.FitConfig{Epochs: 2, Seed: 1} // with frozen statistics at the end where the recipe is an integer one
		want := fit(t, qat(t, recipe), config(), rows(100), f)

		before := runtime.GOMAXPROCS(1)
		one := fit(t, qat(t, recipe), config(), rows(100), f)
		runtime.GOMAXPROCS(before)
		if one != want {
			t.Errorf("%s: one thread gives other weights than %d", recipe.Name, before)
		}
		tape := config()
		tape.Executor = train.TapeMachine
		if got := fit(t, qat(t, recipe), tape, rows(100), f); got != want {
			t.Errorf("%s: the tape machine gives other weights than our own", recipe.Name)
		}
		f.Seed = 2
		if got := fit(t, qat(t, recipe), config(), rows(100), f); got == want {
			t.Errorf("%s: another seed gives the same weights", recipe.Name)
		}
	}
}

func TestCancel(t *testing.T) {
	g := cnn(t)
	m, err := train.Compile(g, config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	history, err := m.Fit(ctx, rows(100), train.FitConfig{Epochs: 3, Seed: 1, Callbacks: []train.Callback{&stopAfter{6, cancel}}})
	if !errors.Is(err, context.Canceled) || len(history.Epochs) != 1 {
		t.Fatalf("Fit returned %v after %d epochs, want cancellation after 1", err, len(history.Epochs))
	}
	// The weights are those of the last finished step.
	six := cnn(t)
	m6, err := train.Compile(six, config())
	if err != nil {
		t.Fatal(err)
	}
	defer m6.Close()
	ctx6, cancel6 := context.WithCancel(context.Background())
	defer cancel6()
	_, _ = m6.Fit(ctx6, rows(100), train.FitConfig{Epochs: 2, Seed: 1, Callbacks: []train.Callback{&stopAfter{6, cancel6}}})
	if hash(g) != hash(six) {
		t.Error("after cancellation the weights are not those of the last finished step")
	}
}

// QAT works on a copy: the float network keeps its bytes.
func TestQATLeavesTheFloatNetwork(t *testing.T) {
	net := cnn(t)
	before := hash(net)
	q, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	fit(t, q, config(), rows(64), train.FitConfig{Epochs: 1, Seed: 1})
	if hash(net) != before {
		t.Error("training the quantized copy changed the float network")
	}
}

func TestLearnsALine(t *testing.T) {
	g, err := layers.Sequential{layers.Dense{Units: 1}}.Build(layers.Input{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: []float32{-1, 0, 1, 2, 3, 4}, Y: []float32{-3, -1, 1, 3, 5, 7}})
	if err != nil {
		t.Fatal(err)
	}
	fit(t, g, train.Config{Optimizer: train.SGD{LearningRate: 0.01}, Loss: train.MeanSquaredError{}}, ds, train.FitConfig{Epochs: 500})
	p := g.Parameters()
	w, b := p[0].Float32s()[0], p[1].Float32s()[0]
	// Full-batch gradient descent at this rate contracts the slowest direction
	// to below 1e-1 in 500 steps.
	if math.Abs(float64(w)-2) > 0.05 || math.Abs(float64(b)+1) > 0.1 {
		t.Errorf("learned y = %vx %+v, want y = 2x - 1", w, b)
	}
}

func TestFitRefuses(t *testing.T) {
	blobs, err := synth.Blobs{Rows: 32, Features: 3, Classes: 2}.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	badLabel, err := data.NewMemory(data.Arrays{InputShape: []int{8, 8, 1}, X: make([]float32, 3*64), Y: []float32{1, 12, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		ds   data.Dataset
		want string
	}{
		{"no data", nil, "data set is empty"},
		{"shape", blobs, "takes rows of shape [8 8 1], but the data set has [3]"},
		{"label", badLabel, "row 1: label 12 is not a class from 0 to 9"},
	} {
		m, err := train.Compile(cnn(t), config())
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Fit(context.Background(), c.ds, train.FitConfig{InOrder: true})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		m.Close()
	}
}

// A loss that is not finite stops training before it reaches the weights.
func TestDivergence(t *testing.T) {
	g := cnn(t)
	c := config()
	c.Optimizer = train.SGD{LearningRate: 1e30}
	m, err := train.Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Fit(context.Background(), rows(100), train.FitConfig{Epochs: 3})
	if err == nil || !strings.Contains(err.Error(), "lower the learning rate") {
		t.Fatalf("diverging training ended with %v", err)
	}
	for _, p := range g.Variables() {
		for i, v := range p.Float32s() {
			if v != v {
				t.Fatalf("%s holds NaN at %d", p.Name, i)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	softmax, err := layers.Sequential{layers.Flatten{}, layers.Dense{Units: 10, Activation: layers.ActSoftmax}}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		g      *graph.Graph
		change func(*train.Config)
		want   string
	}{
		{"no loss", cnn(t), func(c *train.Config) { c.Loss = nil }, "Loss is missing"},
		{"batch", cnn(t), func(c *train.Config) { c.BatchSize = -1 }, "batch size -1"},
		{"executor", cnn(t), func(c *train.Config) { c.Executor = 9 }, "unknown executor 9"},
		{"logits from softmax", softmax, func(*train.Config) {}, "FromLogits"},
	} {
		conf := config()
		c.change(&conf)
		m, err := train.Compile(c.g, conf)
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
