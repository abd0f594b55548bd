package train_test

import (
	"context"
	"math"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/train"
)

// The numbers of this file were computed by Keras 3.15.1 on JAX, for the same
// data and the same initial weights.

// ramp is the row of numbers (i*step mod period)/scale - shift.
func ramp(n, step, period int, scale, shift float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(float64(i*step%period)/scale - shift)
	}
	return x
}

// start sets the parameters of g to ramps of different steps.
func start(g *graph.Graph, steps ...int) {
	for i, p := range g.Parameters() {
		copy(p.Float32s(), ramp(p.Elements(), steps[i], 23, 23, 0.5))
	}
}

// near compares within the rounding of a few dozen float32 operations on
// numbers of order 1, over a dozen steps.
func near(t *testing.T, what string, got []float32, want ...float64) {
	t.Helper()
	for i := range want {
		if math.Abs(float64(got[i])-want[i]) > 5e-6 {
			t.Errorf("%s[%d] is %v, Keras has %v", what, i, got[i], want[i])
		}
	}
}

func TestDenseLikeKeras(t *testing.T) {
	g, err := layers.Sequential{
		layers.Dense{
			Units: 5, Activation: layers.ActReLU, KernelRegularizer: layers.L1L2{L1: 0.01, L2: 0.02},
			BiasRegularizer: layers.L2{L2: 0.03}, KernelConstraint: layers.MaxNorm{MaxValue: 0.9},
		},
		layers.Dense{Units: 3, KernelConstraint: layers.UnitNorm{}, BiasConstraint: layers.NonNeg{}, KernelRegularizer: layers.L2{}},
	}.Build(layers.Input{4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	start(g, 29, 5, 13, 7)
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{4}, X: ramp(80, 37, 101, 50, 1), Y: ramp(20, 7, 3, 1, 0), Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.Compile(g, train.Config{
		Optimizer: train.SGD{LearningRate: 0.1, Momentum: 0.9}, Loss: train.SparseCategoricalCrossentropy{FromLogits: true}, BatchSize: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	h, err := m.Fit(context.Background(), ds, train.FitConfig{
		Epochs: 4, InOrder: true, Validation: ds, ClassWeight: map[int]float32{0: 0.5, 2: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	var losses, validation []float32
	for _, e := range h.Epochs {
		losses, validation = append(losses, float32(e.Train.Loss)), append(validation, float32(e.Validation.Loss))
	}
	near(t, "loss", losses, 1.566929, 1.541143, 1.450608, 1.384691)
	near(t, "validation loss", validation, 1.326781, 1.352210, 1.375344, 1.395184)
	p := g.Parameters()
	near(t, p[0].Name, p[0].Float32s(),
		-0.341721, -0.135905, -0.009567, 0.170208, -0.307418, -0.101603, -0.001305, 0.204511, -0.143002, -0.269307,
		0.130330, 0.452953, -0.189945, -0.078901, 0.159835, 0.307833, -0.409188, 0.076944, -0.114391, 0.064298)
	near(t, p[1].Name, p[1].Float32s(), -0.345591, -0.195334, 0.364066, 0.038491, 0.063292)
	near(t, p[2].Name, p[2].Float32s(),
		-0.651161, 0.084934, -0.540952, 0.159505, -0.500704, 0.468928, -0.156309, 0.799817,
		0.204751, -0.272108, 0.273458, -0.507851, 0.418650, -0.355911, 0.604456)
	near(t, p[3].Name, p[3].Float32s(), 0, 0.044498, 1.047043)
}

// In Keras the axes of the norms are [0, 1, 2] and [0, 1].
func TestConvolutionsLikeKeras(t *testing.T) {
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 3, Kernel: [2]int{2, 2}, KernelConstraint: layers.MaxNorm{MaxValue: 0.5}, KernelRegularizer: layers.L1{L1: 0.02}},
		layers.DepthwiseConv2D{Kernel: [2]int{2, 2}, DepthwiseConstraint: layers.MaxNorm{MaxValue: 0.4}, DepthwiseRegularizer: layers.L2{L2: 0.05}},
		layers.Flatten{},
		layers.Dense{Units: 2},
	}.Build(layers.Input{4, 4, 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	start(g, 11, 5, 17, 3, 29, 7)
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{4, 4, 2}, X: ramp(6*32, 37, 101, 50, 1), Y: ramp(6, 1, 2, 1, 0), Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.Compile(g, train.Config{
		Optimizer: train.SGD{LearningRate: 0.2}, Loss: train.SparseCategoricalCrossentropy{FromLogits: true}, BatchSize: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	h, err := m.Fit(context.Background(), ds, train.FitConfig{Epochs: 3, InOrder: true, SampleWeight: []float32{0.5, 1, 2, 0, 1.5, 1}})
	if err != nil {
		t.Fatal(err)
	}
	var losses []float32
	for _, e := range h.Epochs {
		losses = append(losses, float32(e.Train.Loss))
	}
	near(t, "loss", losses, 0.819228, 0.732559, 0.702190)
	p := g.Parameters()
	near(t, p[0].Name, p[0].Float32s(),
		-0.243837, -0.003640, 0.264083, -0.016982, 0.223366, -0.052506, 0.195236, -0.048060,
		0.172134, -0.116759, 0.163764, -0.150450, 0.141759, -0.178986, 0.106131, -0.226284,
		0.082152, -0.153211, 0.004842, -0.234418, 0.131951, -0.196869, -0.070158, -0.233648)
	near(t, p[2].Name, p[2].Float32s(),
		-0.314287, 0.124512, -0.022767, -0.108329, 0.295922, 0.011170, -0.030118, -0.204181, 0.230989, 0.150611, -0.017932, -0.263345)
}

// scores evaluates metrics and a loss on the outputs of a network, rows of the
// given size.
func scores(t *testing.T, loss train.Loss, output, target []float32, outputs, targets int, metrics ...train.Metric) (values []float32) {
	t.Helper()
	m, err := train.Compile(passing(t, outputs), train.Config{Loss: loss, Metrics: metrics, BatchSize: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{outputs}, X: output, TargetShape: []int{targets}, Y: target})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Evaluate(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	values = append(values, float32(s.Loss))
	for _, v := range s.Metrics {
		values = append(values, float32(v.Value))
	}
	return values
}

func TestScoresLikeKeras(t *testing.T) {
	binary := make([]float32, 300)
	for i := range binary {
		if i*i%7 < 3 {
			binary[i] = 1
		}
	}
	p := ramp(300, 37, 101, 100, 0)
	near(t, "area", scores(t, train.BinaryCrossentropy{}, p, binary, 1, 1, train.AUC{}, train.AUC{Thresholds: 50, As: "50"})[1:], 0.467235, 0.467806)
	near(t, "area of logits", scores(t, train.BinaryCrossentropy{FromLogits: true}, ramp(300, 37, 101, 10, 5), binary, 1, 1, train.AUC{})[1:], 0.467616)

	// Four classes, of probabilities that do not add up to 1.
	labels, oneHot := make([]float32, 75), make([]float32, 300)
	for i := range labels {
		c := (i*3 + i/5) % 4
		labels[i], oneHot[4*i+c] = float32(c), 1
	}
	metrics := []train.Metric{
		train.AUC{}, train.TopKCategoricalAccuracy{K: 1, As: "1"}, train.TopKCategoricalAccuracy{K: 2, As: "2"}, train.TopKCategoricalAccuracy{K: 3},
	}
	want := []float64{0.522370, 0.253333, 0.48, 0.773333}
	for i, c := range []struct {
		train.Precision
		precision, recall float64
	}{
		{train.Precision{}, 0.263514, 0.52},
		{train.Precision{Threshold: 0.3}, 0.25, 0.693333},
		{train.Precision{TopK: 1}, 0.253333, 0.253333},
		{train.Precision{TopK: 2, Classes: []int{1}}, 0.170213, 0.533333},
		{train.Precision{Classes: []int{2}}, 0.263158, 0.666667},
		{train.Precision{TopK: 2, Threshold: 0.6}, 0.243478, 0.373333},
	} {
		c.As = string(rune('a' + i))
		precision, recall := c.Precision, train.Recall(c.Precision)
		recall.As += " recall"
		metrics, want = append(metrics, precision, recall), append(want, c.precision, c.recall)
	}
	near(t, "one-hot", scores(t, train.CategoricalCrossentropy{}, p, oneHot, 4, 4, metrics...)[1:], want...)
	for i, k := range []int{1, 2, 3} {
		metrics[1+i] = train.SparseTopKCategoricalAccuracy{K: k, As: string(rune('1' + i))}
	}
	near(t, "labels", scores(t, train.SparseCategoricalCrossentropy{}, p, labels, 4, 1, metrics...)[1:], want...)

	x := ramp(300, 37, 101, 25, 2)
	for _, c := range []struct {
		loss train.Loss
		want float64
	}{
		{train.Huber{}, 0.645845},
		{train.Huber{Delta: 0.5}, 0.417031},
		{train.CategoricalHinge{}, 2.169600},
		{train.Hinge{}, 1.104000},
		{train.SquaredHinge{}, 2.192117},
		{train.MeanAbsoluteError{}, 1.064667}, // this and the next by their formulas, in float64
		{train.MeanSquaredError{}, 1.579035},
		{train.CategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.1}, 1.860938},
		{train.BinaryCrossentropy{FromLogits: true, LabelSmoothing: 0.1}, 0.832407},
	} {
		near(t, "loss", scores(t, c.loss, x, oneHot, 4, 4), c.want)
	}
}
