package endtoend

import (
	"context"
	"math"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/train"
)

// A network with its BatchNorm folded into the weights computes what it computed,
// up to the rounding of float32.
func TestFoldingKeepsTheNetwork(t *testing.T) {
	for _, n := range networks {
		if !n.batchNorm {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			g, err := n.float()
			if err != nil {
				t.Fatal(err)
			}
			folded, err := n.folded()
			if err != nil {
				t.Fatal(err)
			}
			x, labels := n.testRows(t)
			before, after := runInterp(t, g, x, len(labels)), runInterp(t, folded, x, len(labels))
			compared := 0
			for _, node := range folded.Nodes {
				d := relative(after[node.Output].([]float32), before[tensorNamed(t, g, node.Output.Name)].([]float32))
				compared++
				if !(d <= summation) {
					t.Errorf("%q is off by %.3g of its largest value", node.Output.Name, d)
				}
			}
			if bn := len(g.Nodes) - compared; bn < 1 {
				t.Errorf("folding left %d nodes of %d", compared, len(g.Nodes))
			}
		})
	}
}

// Keras 3's BatchNormalization on one batch, by its formulas in float64: the
// biased variance, momentum 0.99 and epsilon 0.001 while training, the moving
// statistics afterwards and while they are frozen.
func TestBatchNormIsKeras(t *testing.T) {
	const rows, channels, momentum, epsilon = 5, 3, 0.99, 0.001
	x := []float32{
		1, -2, 0.5,
		2, 4, 0.5,
		-1, 0, 0.5,
		0.25, 7, 0.5,
		3, -1.5, 0.5,
	}
	gamma, beta := []float32{1.5, -0.5, 2}, []float32{0.1, 0.2, -0.3}
	net, err := layers.Sequential{layers.BatchNorm{Name: "bn"}}.Build(layers.Input{channels}, 1)
	if err != nil {
		t.Fatal(err)
	}
	copy(variable(net, "bn/gamma"), gamma)
	copy(variable(net, "bn/beta"), beta)

	var mean, variance [channels]float64
	for i, v := range x {
		mean[i%channels] += float64(v) / rows
	}
	for i, v := range x {
		variance[i%channels] += math.Pow(float64(v)-mean[i%channels], 2) / rows
	}
	normalized := func(i int, mean, variance float64) float64 {
		c := i % channels
		return float64(gamma[c])*(float64(x[i])-mean)/math.Sqrt(variance+epsilon) + float64(beta[c])
	}
	loss := 0.0 // the mean square of the outputs: the targets are zero
	for i := range x {
		loss += math.Pow(normalized(i, mean[i%channels], variance[i%channels]), 2) / float64(len(x))
	}

	ds, err := data.NewMemory(data.Arrays{InputShape: []int{channels}, X: x, TargetShape: []int{channels}, Y: make([]float32, len(x))})
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.Compile(net, train.Config{Optimizer: train.SGD{LearningRate: 1e-3}, Loss: train.MeanSquaredError{}, BatchSize: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	history, err := m.Fit(context.Background(), ds, train.FitConfig{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "training loss", float32(history.Epochs[0].Train.Loss), loss)
	for c := range channels {
		near(t, "moving mean", variable(net, "bn/moving_mean")[c], (1-momentum)*mean[c])
		near(t, "moving variance", variable(net, "bn/moving_variance")[c], momentum+(1-momentum)*variance[c])
	}

	copy(variable(net, "bn/gamma"), gamma) // the step moved them
	copy(variable(net, "bn/beta"), beta)
	copy(variable(net, "bn/moving_mean"), []float32{0.5, -1, 3})
	copy(variable(net, "bn/moving_variance"), []float32{0.25, 4, 0})
	ip, err := interp.New(net, interp.Options{Batch: rows})
	if err != nil {
		t.Fatal(err)
	}
	evaluated, err := ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	predicted, err := m.Predict(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		want := normalized(i, []float64{0.5, -1, 3}[i%channels], []float64{0.25, 4, 0}[i%channels])
		near(t, "output of the interpreter", evaluated[i], want)
		near(t, "output of the model", predicted[i], want)
	}

	// With frozen statistics, training computes what inference does.
	loss = 0
	for _, v := range predicted {
		loss += math.Pow(float64(v), 2) / float64(len(x))
	}
	if history, err = m.Fit(context.Background(), ds, train.FitConfig{FreezeBatchNorm: 1}); err != nil {
		t.Fatal(err)
	}
	near(t, "training loss with frozen statistics", float32(history.Epochs[0].Train.Loss), loss)
	for c := range channels {
		near(t, "frozen mean", variable(net, "bn/moving_mean")[c], []float64{0.5, -1, 3}[c])
		near(t, "frozen variance", variable(net, "bn/moving_variance")[c], []float64{0.25, 4, 0}[c])
	}
}

// near compares a float32 with a float64 by the same formula: some roundings of
// 2^-24, relative to the value or to 1, about which these formulas subtract.
func near(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d <= 1e-6*max(1, math.Abs(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
