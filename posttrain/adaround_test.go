package posttrain

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// coarse is a network that knows the digits, whose first weights leave the others
// few codes: those of the corner pixel, which is never lit, are of size most.
func coarse(t *testing.T, most float32) *graph.Graph {
	t.Helper()
	g := built(t, dense)
	n := g.Groups()[0].Head
	private(g, n)
	w := n.Inputs[graph.InputWeights].Float32s()
	for i := 0; i < len(w); i += 64 {
		w[i] = most
	}
	equal(t, g, built(t, dense))
	return g
}

// Where the nearest of few codes lose the network points, adaptive rounding
// brings it back to within one of float, and makes the noise of the outputs eight
// times smaller.
func TestAdaRoundRepairs(t *testing.T) {
	g := coarse(t, 40)
	_, set := digits.Load()
	want, wanted := accuracy(t, g), outputs(t, g, set, set.Len())
	nearest, adaptive := repaired(t, g, quant.Int8(), Repair{}), repaired(t, g, quant.Int8(), Repair{AdaRound: true})
	if a := accuracy(t, nearest); a > want-0.015 {
		t.Errorf("accuracy %v of float, %v with nearest codes: nothing to repair", want, a)
	}
	if a := accuracy(t, adaptive); a < want-0.01 {
		t.Errorf("accuracy %v of float, %v with adaptive rounding", want, a)
	}
	before, after := noise(wanted, outputs(t, nearest, set, set.Len())), noise(wanted, outputs(t, adaptive, set, set.Len()))
	if after < before+9 {
		t.Errorf("%.1f dB with nearest codes, %.1f dB with adaptive ones", before, after)
	}
}

// With weights of 4 bits adaptive rounding is worth 7 dB and more.
func TestAdaRoundOfFourBits(t *testing.T) {
	r := quant.Int8()
	r.Weights.Bits = 4
	_, set := digits.Load()
	for name, net := range map[string]func() (*graph.Graph, error){"dense": dense, "depthwise": depthwise} {
		g := built(t, net)
		want := outputs(t, g, set, set.Len())
		nearest, adaptive := repaired(t, g, r, Repair{}), repaired(t, g, r, Repair{AdaRound: true})
		before, after := noise(want, outputs(t, nearest, set, set.Len())), noise(want, outputs(t, adaptive, set, set.Len()))
		t.Logf("%s: %.1f dB with nearest codes, %.1f dB with adaptive ones; accuracy %.4f, %.4f and %.4f",
			name, before, after, accuracy(t, g), accuracy(t, nearest), accuracy(t, adaptive))
		if after < before+7 {
			t.Errorf("%s: %.1f dB with nearest codes, %.1f dB with adaptive ones", name, before, after)
		}
	}
}

// Behind every kind of layer that is rounded the outputs are nearer to those of
// the float network, by the samples and by others, whatever the recipe; weights
// are code times scale, and export writes these codes.
func TestAdaRoundLayers(t *testing.T) {
	set, test := digits.Load()
	net, err := layers.Sequential{
		layers.Conv2D{Filters: 6, Kernel: [2]int{3, 3}, Strides: [2]int{1, 2}, Padding: layers.Same, Activation: layers.ActReLU},
		layers.DepthwiseConv2D{Kernel: [2]int{2, 3}, DepthMultiplier: 2, Activation: layers.ActReLU6},
		layers.Conv2DTranspose{Filters: 4, Kernel: [2]int{2, 2}},
		layers.Flatten{}, layers.Dense{Units: 10},
	}.Build(layers.Input{8, 8, 1}, 5)
	if err != nil {
		t.Fatal(err)
	}
	small := quant.DynamicRange()
	small.MinElements = 0
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), small} {
		q, err := fakequant.Insert(net, recipe)
		if err == nil && recipe.Mode == quant.Integer {
			err = Calibrate(context.Background(), q, set, Calibration{Samples: 256})
		}
		if err != nil {
			t.Fatal(err)
		}
		before := q.String()
		g, err := AdaRound(context.Background(), q, set, Sampling{Samples: 100})
		if err != nil {
			t.Fatal(err)
		}
		if q.String() != before {
			t.Error("AdaRound changed its argument")
		}
		want := outputs(t, net, test, 300)
		if a, b := noise(want, outputs(t, q, test, 300)), noise(want, outputs(t, g, test, 300)); b < a+0.5 {
			t.Errorf("%s: %.2f dB with nearest codes, %.2f dB with adaptive ones", recipe.Name, a, b)
		}
		model, err := export.Integer(g, export.Options{})
		if recipe.Mode == quant.WeightOnly {
			model, err = export.DynamicRange(g)
		}
		if err != nil {
			t.Fatal(err)
		}
		pinned := 0
		for _, n := range g.Nodes {
			f, ok := n.Op.(graph.FakeQuant)
			if !ok || !n.OnData() {
				continue
			}
			w := n.Inputs[0]
			at := slices.IndexFunc(model.Tensors(), func(m *graph.Tensor) bool { return m.Name == w.Name })
			codes, scales := model.Tensors()[at].Int8s(), model.Tensors()[at].Quant.Scale
			if f.Quantizer.Source != graph.Fixed {
				continue
			}
			pinned++
			inner := graph.Inner(w.Shape, max(f.Quantizer.Axis, 0))
			for i, v := range w.Float32s() {
				if s := scales[i/inner%len(scales)]; v != s*float32(codes[i]) {
					t.Fatalf("%s: weight %d of %s is %v, not %d times %v", recipe.Name, i, w.Name, v, codes[i], s)
				}
			}
		}
		if pinned != 3 {
			t.Errorf("%s: %d quantizers are pinned, want those of all but the transposed convolution", recipe.Name, pinned)
		}
	}
}

// The search never ends above the nearest codes, and misses little of what the
// best of all choices gains on them, where these can all be tried: an eighth of it
// for inputs as much alike as here.
func TestRoundingSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const n = 10
	missed := 0.0
	const trials = 200
	for range trials {
		m := moments{patches: patches{groups: 1, outputs: 1, taps: n}, square: make([]float64, n*n), shift: make([]float64, n)}
		for range 12 { // samples, that have much in common
			x, common := make([]float64, n), r.NormFloat64()
			for i := range x {
				x[i] = r.NormFloat64() + common
			}
			e := 0.3 * r.NormFloat64()
			for i := range x {
				for j := range x {
					m.square[i*n+j] += x[i] * x[j] / 12
				}
				m.shift[i] += x[i] * e / 12
			}
		}
		units := make([]float64, n)
		for i := range units {
			units[i] = 14*r.Float64() - 7
		}
		const scale = 0.5
		cost := func(codes []int32) float64 {
			sum := 0.0
			for i, c := range codes {
				e := float64(c) - units[i]
				sum += 2 * e * m.shift[i] / scale
				for j, d := range codes {
					sum += e * m.square[i*n+j] * (float64(d) - units[j])
				}
			}
			return sum
		}
		g := quant.Signed(4, true)
		nearest, least := make([]int32, n), math.Inf(1)
		for i, u := range units {
			nearest[i] = int32(math.Round(u))
		}
		for choice := range 1 << n {
			codes := make([]int32, n)
			for i, u := range units {
				codes[i] = g.Clamp(int32(math.Floor(u)) + int32(choice>>i&1))
			}
			least = min(least, cost(codes))
		}
		codes := m.round(units, 0, scale, g)
		got, worst := cost(codes), cost(nearest)
		if got > worst || got < least-1e-9 {
			t.Fatalf("cost %v, %v of nearest codes, %v of the best", got, worst, least)
		}
		for i, c := range codes {
			if math.Abs(float64(c)-units[i]) > 1 || !g.Contains(c) {
				t.Fatalf("unit %v became %d", units[i], c)
			}
		}
		if worst > least {
			missed += (got - least) / (worst - least) / trials
		}
	}
	if missed > 0.125 {
		t.Errorf("the search misses %.1f %% of what the best codes gain", 100*missed)
	}
	t.Logf("the search misses %.1f %% of what the best codes gain", 100*missed)
}

// Two runs write the same bytes.
func TestAdaRoundIsDeterministic(t *testing.T) {
	g := built(t, depthwise)
	var files [2][]byte
	for i := range files {
		var err error
		if files[i], err = tflite.Marshal(repaired(t, g, quant.Int8(), Repair{AdaRound: true, CorrectBias: true})); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two runs differ")
	}
}

// Training after AdaRound lets the scales follow the weights again, and says so.
func TestAdaRoundThenTrain(t *testing.T) {
	set, _ := digits.Load()
	q, _ := calibrated(t, set, Calibration{Samples: 100})
	g, err := AdaRound(context.Background(), q, set, Sampling{Samples: 50})
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.Compile(g, train.Config{Loss: train.SparseCategoricalCrossentropy{FromLogits: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var log bytes.Buffer
	if _, err := m.Fit(context.Background(), set, train.FitConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "follow the weights again") || !strings.Contains(log.String(), "conv2d/kernel dense/kernel") {
		t.Errorf("the log does not name the weights: %s", log.String())
	}
	for _, z := range g.Quantizers() {
		if z.Source == graph.Fixed {
			t.Errorf("%s is still pinned", z.Name)
		}
	}
}

// Progress counts the layers.
func TestRepairProgress(t *testing.T) {
	set, _ := digits.Load()
	var out bytes.Buffer
	q, _ := calibrated(t, set, Calibration{Samples: 100})
	for _, pass := range []func(context.Context, *graph.Graph) error{
		func(ctx context.Context, q *graph.Graph) error {
			_, err := AdaRound(ctx, q, set, Sampling{Samples: 9, Progress: &out})
			return err
		},
		func(ctx context.Context, q *graph.Graph) error {
			_, err := CorrectBias(ctx, q, set, Sampling{Samples: 9, Progress: &out})
			return err
		},
	} {
		if err := pass(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	for i, line := range strings.SplitAfter(strings.TrimSpace(out.String()), "\n") {
		want := fmt.Sprintf("%s: 9 samples, 2 layers (", []string{"adaptive rounding", "bias correction"}[i])
		if !strings.HasPrefix(line, want) {
			t.Errorf("line %q, want %q", line, want)
		}
	}
}
