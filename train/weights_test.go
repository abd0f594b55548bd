package train_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/train"
)

// line is y = 2x, and two rows that it misses by 2 and 3.
func line(t *testing.T) (*graph.Graph, data.Dataset) {
	t.Helper()
	g, err := layers.Sequential{layers.Dense{Units: 1, NoBias: true, KernelInit: layers.Constant{Value: 2}}}.Build(layers.Input{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: []float32{1, 2}, Y: []float32{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return g, ds
}

// TestSampleWeight: the loss is (0.5*2^2 + 2*3^2)/2 = 10, divided by the number
// of rows and not by the weights; the gradient (0.5*2*2*1 + 2*2*3*2)/2 = 13.
// Without weights they are 6.5 and (4 + 12)/2 = 8.
func TestSampleWeight(t *testing.T) {
	for _, c := range []struct {
		name string
		fit  train.FitConfig
		loss float64
		want float64
	}{
		{"none", train.FitConfig{}, 6.5, 1.2},
		{"samples", train.FitConfig{SampleWeight: []float32{0.5, 2}}, 10, 0.7},
		{"classes", train.FitConfig{ClassWeight: map[int]float32{0: 0.5, 1: 2, 7: 9}}, 10, 0.7},
		{"a class left out", train.FitConfig{ClassWeight: map[int]float32{1: 2}}, 11, 0.6},
		{"nothing counts", train.FitConfig{SampleWeight: []float32{0, 0}}, 0, 2},
	} {
		g, ds := line(t)
		m, err := train.Compile(g, train.Config{Optimizer: train.SGD{LearningRate: 0.1}, Loss: train.MeanSquaredError{}, Metrics: []train.Metric{train.MAE{}}})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		c.fit.Validation = ds
		h, err := m.Fit(context.Background(), ds, c.fit)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Epochs[0].Train; got.Loss != c.loss || got.Metrics[0].Value != 2.5 {
			t.Errorf("%s: loss %v and error %v, want %v and 2.5 without weights", c.name, got.Loss, got.Metrics[0].Value, c.loss)
		}
		w := float64(g.Parameters()[0].Float32s()[0])
		if math.Abs(w-c.want) > 1e-6 {
			t.Errorf("%s: the weight is %v, want %v", c.name, w, c.want)
		}
		// Validation has no weights, and neither has the next Fit.
		for i, got := range []float64{h.Epochs[0].Validation.Loss, secondLoss(t, m, ds)} {
			if want := (w*w + (2*w-1)*(2*w-1)) / 2; math.Abs(got-want) > 1e-5 {
				t.Errorf("%s: loss %d without weights is %v, want %v", c.name, i, got, want)
			}
		}
	}
}

// secondLoss fits once more without weights.
func secondLoss(t *testing.T, m *train.Model, ds data.Dataset) float64 {
	t.Helper()
	h, err := m.Fit(context.Background(), ds, train.FitConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return h.Epochs[0].Train.Loss
}

// Class weights are sample weights by label, for labels and one-hot targets.
func TestClassWeight(t *testing.T) {
	ds := rows(100)
	labels, err := data.Labels(ds)
	if err != nil {
		t.Fatal(err)
	}
	class := map[int]float32{3: 4, 5: 0.5}
	sample, oneHot := make([]float32, len(labels)), make([]float32, 10*len(labels))
	for i, l := range labels {
		oneHot[10*i+l], sample[i] = 1, 1
		if w, ok := class[l]; ok {
			sample[i] = w
		}
	}
	f := train.FitConfig{Epochs: 2, Seed: 1}
	plain := fit(t, cnn(t), config(), ds, f)
	f.SampleWeight = sample
	want := fit(t, cnn(t), config(), ds, f)
	if want == plain {
		t.Error("sample weights change nothing")
	}
	f.SampleWeight, f.ClassWeight = nil, class
	if got := fit(t, cnn(t), config(), ds, f); got != want {
		t.Error("class weights give other bytes than the same weights by sample")
	}
	x := make([]float32, 64*len(labels))
	index := make([]int, len(labels))
	for i := range index {
		index[i] = i
	}
	if err := ds.Read(index, x, make([]float32, len(labels))); err != nil {
		t.Fatal(err)
	}
	hot, err := data.NewMemory(data.Arrays{InputShape: []int{8, 8, 1}, X: x, TargetShape: []int{10}, Y: oneHot})
	if err != nil {
		t.Fatal(err)
	}
	c := config()
	c.Loss = train.CategoricalCrossentropy{FromLogits: true}
	if got := fit(t, cnn(t), c, hot, f); got != want {
		t.Error("one-hot targets give other bytes than labels")
	}
}

func TestWeightsRefuse(t *testing.T) {
	nan := float32(math.NaN())
	for want, f := range map[string]train.FitConfig{
		"ClassWeight and SampleWeight at once":                    {ClassWeight: map[int]float32{1: 1}, SampleWeight: make([]float32, 32)},
		"31 sample weights for 32 rows":                           {SampleWeight: make([]float32, 31)},
		"sample weight of row 0 is -1":                            {SampleWeight: append([]float32{-1}, make([]float32, 31)...)},
		"the weight of class 2 is NaN":                            {ClassWeight: map[int]float32{2: nan}},
		"a weight of class 10, which the targets cannot have":     {ClassWeight: map[int]float32{1: 1, 10: 1}},
		"a weight of class -1, which the targets cannot have":     {ClassWeight: map[int]float32{-1: 1}},
		"class weights for targets of shape [8 8 1], want labels": {ClassWeight: map[int]float32{1: 1}, Seed: 1},
	} {
		g, ds, c := cnn(t), rows(32), config()
		if f.Seed == 1 { // an autoencoder
			var err error
			if g, err = (layers.Sequential{layers.Dense{Units: 1}}).Build(layers.Input{8, 8, 1}, 1); err != nil {
				t.Fatal(err)
			}
			if ds, err = data.NewMemory(data.Arrays{InputShape: []int{8, 8, 1}, X: make([]float32, 64), TargetShape: []int{8, 8, 1}, Y: make([]float32, 64)}); err != nil {
				t.Fatal(err)
			}
			c = train.Config{Loss: train.MeanSquaredError{}}
		}
		m, err := train.Compile(g, c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Fit(context.Background(), ds, f)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		m.Close()
	}
}

// counted has metrics that count over rows.
func counted() train.Config {
	c := config()
	c.Metrics = []train.Metric{
		train.Accuracy{}, train.AUC{}, train.Precision{Classes: []int{1}}, train.ConfusionMatrix{}, train.SparseTopKCategoricalAccuracy{K: 3},
	}
	return c
}

// A run with weights and counting metrics, interrupted within an epoch, goes on
// to the same history and bytes; other weights are refused.
func TestResumeWithWeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	ds := rows(100)
	f := func(w map[int]float32, callbacks ...train.Callback) train.FitConfig {
		return train.FitConfig{Epochs: 2, Seed: 3, ClassWeight: w, Callbacks: append(callbacks, &train.Checkpoint{Path: path, EverySteps: 1})}
	}
	class := map[int]float32{1: 3}
	whole := cnn(t)
	m, err := train.Compile(whole, counted())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want, err := m.Fit(context.Background(), ds, f(class))
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	part, err := train.Compile(cnn(t), counted())
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	if _, err := part.Fit(ctx, ds, f(class, &stopAfter{2, cancel})); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted run ended with %v", err)
	}
	for _, other := range []map[int]float32{nil, {1: 2}, {2: 3}} {
		resumed, err := train.Resume(path, counted())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = resumed.Fit(context.Background(), ds, f(other)); err == nil || !strings.Contains(err.Error(), "class or sample weights differ") {
			t.Errorf("weights %v: error %v", other, err)
		}
		resumed.Close()
	}
	resumed, err := train.Resume(path, counted())
	if err != nil {
		t.Fatal(err)
	}
	defer resumed.Close()
	got, err := resumed.Fit(context.Background(), ds, f(class))
	if err != nil {
		t.Fatal(err)
	}
	if hash(resumed.Graph()) != hash(whole) {
		t.Error("the resumed run ended with other weights")
	}
	var a, b strings.Builder
	if err := errors.Join(want.WriteCSV(&a), got.WriteCSV(&b)); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Errorf("the resumed run has the history\n%swant\n%s", b.String(), a.String())
	}
	for i, e := range got.Epochs {
		if e.Train.Confusion().String() != want.Epochs[i].Train.Confusion().String() {
			t.Errorf("epoch %d: confusion\n%v\nwant\n%v", i+1, e.Train.Confusion(), want.Epochs[i].Train.Confusion())
		}
	}
}

// Counting metrics appear wherever others do, and early stopping may watch one.
func TestCountingMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	var text strings.Builder
	m, err := train.Compile(cnn(t), counted())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	stop := &train.EarlyStopping{Monitor: train.ValidationMetric, Metric: "auc", Maximize: true, Patience: 1, MinDelta: 2}
	h, err := m.Fit(context.Background(), rows(64), train.FitConfig{Epochs: 5, Seed: 1, Validation: rows(40), Callbacks: []train.Callback{
		train.CSVLog{Path: path}, &train.Progress{Writer: &text}, stop,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Epochs) != 2 || stop.BestEpoch() != 1 {
		t.Errorf("%d epochs, the best %d: no area grows by 2", len(h.Epochs), stop.BestEpoch())
	}
	csv, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const names = "accuracy,auc,precision,confusion_matrix,sparse_top_k_categorical_accuracy"
	if want := "epoch,loss," + names + ",val_loss,val_" + strings.ReplaceAll(names, ",", ",val_") + ",learning_rate\n"; !strings.HasPrefix(string(csv), want) {
		t.Errorf("the log begins %q, want %q", csv[:len(want)], want)
	}
	for _, want := range []string{"val_auc 0.", "val_confusion_matrix "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("progress %q lacks %q", text.String(), want)
		}
	}
	scores, err := m.Evaluate(context.Background(), rows(40))
	if err != nil {
		t.Fatal(err)
	}
	last := *h.Epochs[1].Validation
	total := 0
	for _, row := range scores.Confusion() {
		for _, n := range row {
			total += n
		}
	}
	if scores.String() != last.String() || total != 40 || len(scores.Confusion()) != 10 {
		t.Errorf("Evaluate gives %v and %d rows, validation gave %v of 40", scores, total, last)
	}
	if accuracy, _ := scores.Metric("accuracy"); accuracy != scores.Confusion().Accuracy() {
		t.Errorf("accuracy %v, but %v by the confusion matrix", accuracy, scores.Confusion().Accuracy())
	}
	stop.Metric = "recall"
	_, err = m.Fit(context.Background(), rows(64), train.FitConfig{Validation: rows(40), Callbacks: []train.Callback{stop}})
	if err == nil || !strings.Contains(err.Error(), `metric "recall", but Config.Metrics has none`) {
		t.Errorf("watching a metric that is missing gives %v", err)
	}
	bad := config()
	bad.Metrics = []train.Metric{train.Recall{Classes: []int{10}}}
	other, err := train.Compile(cnn(t), bad)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Evaluate(context.Background(), rows(40)); err == nil || !strings.Contains(err.Error(), "metric recall: class 10 of a network with 10 outputs") {
		t.Errorf("a class that is no output gives %v", err)
	}
}
