package parity

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// trained is a small network after some epochs on the digits.
var trained = sync.OnceValues(func() (*graph.Graph, error) {
	net, err := layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.AveragePool2D{},
		layers.Dropout{Rate: 0.5},
		layers.Flatten{},
		layers.Dense{Units: 10, Activation: layers.ActSoftmax},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		return nil, err
	}
	m, err := train.Compile(net, config())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	samples, _ := digits.Load()
	_, err = m.Fit(context.Background(), samples, train.FitConfig{Epochs: 12, Seed: 1})
	return net, err
})

func config() train.Config {
	return train.Config{Optimizer: train.Adam{LearningRate: 3e-3}, Loss: train.SparseCategoricalCrossentropy{}, BatchSize: 32}
}

// calibrated is the trained network with calibrated ranges, and 200 digits to
// run it on.
func calibrated(t *testing.T, recipe quant.Recipe) (q *graph.Graph, x []float32) {
	t.Helper()
	net, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	if q, err = fakequant.Insert(net, recipe); err != nil {
		t.Fatal(err)
	}
	samples, _ := digits.Load()
	if err := posttrain.Calibrate(context.Background(), q, samples, posttrain.Calibration{Samples: 200}); err != nil {
		t.Fatal(err)
	}
	index := make([]int, 200)
	for i := range index {
		index[i] = i
	}
	x = make([]float32, 200*64)
	if err := samples.Read(index, x, make([]float32, 200)); err != nil {
		t.Fatal(err)
	}
	return q, x
}

func TestOperators(t *testing.T) {
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
		for _, borders := range []graph.Type{graph.Float32, graph.Int8, graph.UInt8} {
			q, x := calibrated(t, recipe)
			model, err := export.Integer(q, export.Options{Input: borders, Output: borders})
			if err != nil {
				t.Fatal(err)
			}
			ops, err := Operators(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			if len(ops) != 6 { // input, convolution, pool, reshape, dense, softmax
				t.Errorf("%s, %v borders: %d operators compared, want 6: %v", recipe.Name, borders, len(ops), ops)
			}
			for _, op := range ops {
				if op.Largest > 1 {
					t.Errorf("%s, %v borders: %v", recipe.Name, borders, op)
				}
			}
			a, err := EndToEnd(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			// 1 % of near-ties may fall the other way.
			if a.Rows != 200 || a.Same < 198 {
				t.Errorf("%s, %v borders: %d of %d predictions agree", recipe.Name, borders, a.Same, a.Rows)
			}
		}
	}
}

// The comparison must see an error of the exporter: here, one wrong bias.
func TestOperatorsSeeErrors(t *testing.T) {
	q, x := calibrated(t, quant.Int8())
	model, err := export.Integer(q, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range model.Tensors() {
		if c.Name == "dense/bias" {
			c.Int32s()[3] += 2000
		}
	}
	ops, err := Operators(q, model, x)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0
	for _, op := range ops {
		if strings.HasPrefix(op.Name, "dense") && op.Op == "FULLY_CONNECTED" {
			worst = op.Largest
		}
	}
	if worst < 2 {
		t.Errorf("a wrong bias shows a difference of %d", worst)
	}
}

func TestOperatorsRefuse(t *testing.T) {
	q, x := calibrated(t, quant.Int8())
	other, err := layers.Sequential{layers.Flatten{}, layers.Dense{Units: 10}}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	samples, _ := digits.Load()
	model, err := posttrain.Quantize(context.Background(), other, quant.Int8(), samples, posttrain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Operators(q, model, x); err == nil || !strings.Contains(err.Error(), "was not exported from this graph") {
		t.Errorf("a foreign model gives %v", err)
	}
}

func TestIntegerAccuracy(t *testing.T) {
	q, _ := calibrated(t, quant.Int8())
	trainSet, testSet := digits.Load()
	m, err := train.Compile(q, config())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var text strings.Builder
	c := &IntegerAccuracy{Set: testSet, Writer: &text}
	if _, err := m.Fit(context.Background(), trainSet, train.FitConfig{Epochs: 2, Seed: 1, Callbacks: []train.Callback{c}}); err != nil {
		t.Fatal(err)
	}
	if len(c.History) != 2 || c.History[1] < 0.85 { // the float network has 0.9
		t.Errorf("integer accuracies by epoch: %v", c.History)
	}
	if !strings.Contains(text.String(), "epoch 2: integer accuracy 0.") {
		t.Errorf("the callback wrote %q", text.String())
	}
}
