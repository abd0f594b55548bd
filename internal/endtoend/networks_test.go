package endtoend

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/train"
)

// network is a small network and the data that it learns from.
type network struct {
	name      string
	layers    layers.Sequential
	input     layers.Input
	batchNorm bool
	// probabilities says that the network ends in a softmax.
	probabilities bool
	// gain multiplies the pixels, which lie in [0, 1]; 0 is 1.
	gain float32
	// sets returns the data; nil means the digits in the shape that it takes.
	sets func() (training, test data.Dataset, err error)
	// loss is trained; nil means the cross-entropy of classes.
	loss train.Loss
	// prepare and prune, where not nil, set parameters before and after training.
	prepare, prune func(*graph.Graph)
	// float returns the trained network, which nobody may change.
	float func() (*graph.Graph, error)
}

// networks are those of the tests. Between them they have every layer, odd sizes,
// strides, dilation, both paddings, activations that fuse and that stand alone.
var networks = prepared(
	&network{
		name: "batchnorm", input: layers.Input{8, 8, 1}, batchNorm: true,
		layers: layers.Sequential{
			layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
			layers.BatchNorm{},
			layers.ReLU{},
			layers.MaxPool2D{},
			layers.Flatten{},
			layers.Dense{Units: 10},
		},
	},
	&network{
		name: "average", input: layers.Input{8, 8, 1}, probabilities: true,
		layers: layers.Sequential{
			layers.Conv2D{Filters: 10, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, Activation: layers.ActReLU6},
			layers.AveragePool2D{Pool: [2]int{3, 2}, Strides: [2]int{1, 1}, Padding: layers.Same},
			layers.Flatten{},
			layers.Dense{Units: 24, Activation: layers.ActReLU},
			layers.Dropout{Rate: 0.1},
			layers.Dense{Units: 10, Activation: layers.ActSoftmax},
		},
	},
	&network{
		name: "mlp", input: layers.Input{8, 8, 1},
		layers: layers.Sequential{
			layers.Flatten{},
			layers.Dense{Units: 33, Activation: layers.ActReLU},
			layers.Dense{Units: 17, Activation: layers.ActReLU6, NoBias: true},
			layers.Dense{Units: 10},
		},
	},
	&network{
		name: "dilated", input: layers.Input{9, 7, 1},
		layers: layers.Sequential{
			layers.Conv2D{Filters: 7, Kernel: [2]int{3, 3}, Dilation: [2]int{2, 2}},
			layers.MaxPool2D{Strides: [2]int{1, 1}, Padding: layers.Same},
			layers.ReLU{},
			layers.Conv2D{Filters: 13, Kernel: [2]int{3, 2}, Padding: layers.Same},
			layers.AveragePool2D{Pool: [2]int{2, 3}, Strides: [2]int{1, 2}},
			layers.ReLU6{},
			layers.Flatten{},
			layers.Dense{Units: 40, Activation: layers.ActReLU},
			layers.Dense{Units: 10},
		},
	},
	depthwiseNetwork,
	&network{
		name: "gammas", input: layers.Input{8, 8, 1}, batchNorm: true, probabilities: true, gain: 16,
		layers: layers.Sequential{
			layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: layers.Same},
			layers.BatchNorm{Name: "signs"},
			layers.ReLU{},
			layers.Conv2D{Filters: 9, Kernel: [2]int{3, 2}, NoBias: true},
			layers.BatchNorm{},
			layers.ReLU6{},
			layers.Flatten{},
			layers.Dense{Units: 12, NoBias: true},
			layers.BatchNorm{},
			layers.Dense{Units: 10},
			layers.Softmax{},
		},
		prepare: func(g *graph.Graph) {
			gamma := variable(g, "signs/gamma")
			gamma[1], gamma[4], gamma[6] = -1, -0.5, -1.5
			pruneSigns(g)
		},
		prune: pruneSigns,
	},
	&network{
		// A digit as a series of 8 rows.
		name: "series", input: layers.Input{8, 8}, batchNorm: true,
		layers: layers.Sequential{
			layers.Conv1D{Filters: 16, Kernel: 3, Padding: layers.Same, NoBias: true},
			layers.BatchNorm{},
			layers.ReLU{},
			layers.MaxPool1D{Strides: 1, Padding: layers.Same},
			layers.Residual{Body: layers.Sequential{
				layers.SeparableConv1D{Filters: 16, Kernel: 3, Padding: layers.Same, NoBias: true}, layers.BatchNorm{},
			}, Activation: layers.ActReLU},
			layers.ZeroPadding1D{Padding: [2]int{2, 0}}, // a causal convolution
			layers.Conv1D{Filters: 17, Kernel: 2, Dilation: 2, Activation: layers.ActReLU},
			layers.Concat{Branches: []layers.Layer{
				layers.DepthwiseConv1D{Kernel: 3, Strides: 2, Padding: layers.Same},
				layers.AveragePool1D{Pool: 3, Strides: 2, Padding: layers.Same},
				layers.Sequential{layers.Cropping1D{}, layers.MaxPool1D{Pool: 3, Strides: 1}},
			}},
			layers.UpSampling1D{},
			layers.Dense{Units: 20, Activation: layers.ActReLU},
			layers.Concat{Branches: []layers.Layer{layers.GlobalAveragePool1D{}, layers.GlobalMaxPool1D{}, layers.Flatten{}}},
			layers.Dense{Units: 10},
		},
	},
	branching,
	enlarging,
	moving,
	squashing,
	standalone,
	normalized,
)

// pruneSigns switches two channels of network gammas off: one that is zero for
// good and one that gives its beta whatever it is shown.
func pruneSigns(g *graph.Graph) {
	gamma, beta := variable(g, "signs/gamma"), variable(g, "signs/beta")
	gamma[2], beta[2] = 0, 0
	gamma[5], beta[5] = 0, 0.22
}

// variable returns the values of a tensor that must exist.
func variable(g *graph.Graph, name string) []float32 {
	for _, t := range g.Variables() {
		if t.Name == name {
			return t.Float32s()
		}
	}
	panic("no variable " + name)
}

// prepared gives networks their float function, which trains once.
func prepared(list ...*network) []*network {
	for _, n := range list {
		n.float = sync.OnceValues(func() (*graph.Graph, error) { return n.trained(15) })
	}
	return list
}

// trained builds the network and trains it.
func (n *network) trained(epochs int) (*graph.Graph, error) {
	g, err := n.layers.Build(n.input, 7)
	if err != nil {
		return nil, err
	}
	if n.prepare != nil {
		n.prepare(g)
	}
	return g, n.fit(g, epochs, 3e-3)
}

// config is how the network is trained.
func (n *network) config(rate float64) train.Config {
	c := train.Config{Optimizer: train.Adam{LearningRate: rate}, Loss: n.loss, BatchSize: 32}
	if c.Loss == nil {
		c.Loss = train.SparseCategoricalCrossentropy{FromLogits: !n.probabilities}
	}
	return c
}

// fit trains g, which was made from the network.
func (n *network) fit(g *graph.Graph, epochs int, rate float64) error {
	m, err := train.Compile(g, n.config(rate))
	if err != nil {
		return err
	}
	defer m.Close()
	ds, _, err := n.data()
	if err != nil {
		return err
	}
	if _, err := m.Fit(context.Background(), ds, train.FitConfig{Epochs: epochs, Seed: 1}); err != nil {
		return err
	}
	if n.prune != nil {
		n.prune(g)
	}
	return nil
}

// calibration is how ranges are found after training.
var calibration = posttrain.Calibration{Samples: 300}

// data returns the network's sets, or the embedded digits in its shape: as they
// are, or with the first column of pixels cut off and a row of zeros below.
func (n *network) data() (training, test data.Dataset, err error) {
	if n.sets != nil {
		return n.sets()
	}
	training, test = digits.Load()
	if training, err = n.adapted(training); err == nil {
		test, err = n.adapted(test)
	}
	return training, test, err
}

func (n *network) adapted(ds data.Dataset) (data.Dataset, error) {
	x, y, err := rows(ds)
	if err != nil {
		return nil, err
	}
	if n.gain != 0 {
		for i := range x {
			x[i] *= n.gain
		}
	}
	if n.input[0] == 9 {
		var crop []float32
		for i := range y {
			for r := range 8 {
				crop = append(crop, x[i*64+r*8+1:][:7]...)
			}
			crop = append(crop, make([]float32, 7)...)
		}
		x = crop
	}
	return data.NewMemory(data.Arrays{InputShape: n.input, X: x, Y: y, Classes: 10})
}

// rows returns all of a set.
func rows(ds data.Dataset) (x, y []float32, err error) {
	index := make([]int, ds.Len())
	for i := range index {
		index[i] = i
	}
	x, y = make([]float32, len(index)*graph.Elements(ds.InputShape())), make([]float32, len(index)*graph.Elements(ds.TargetShape()))
	return x, y, ds.Read(index, x, y)
}

// testRows returns rows that no training has seen: of digits, 360.
func (n *network) testRows(t *testing.T) (x []float32, labels []float32) {
	t.Helper()
	_, ds, err := n.data()
	if err == nil {
		x, labels, err = rows(ds)
	}
	if err == nil && n.sets == nil && ds.Len() < 256 {
		err = fmt.Errorf("only %d rows", ds.Len())
	}
	if err != nil {
		t.Fatal(err)
	}
	return x, labels
}

// The networks must have learned something: weights that mean nothing would test
// little.
func TestNetworksLearn(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			g, err := n.float()
			if err != nil {
				t.Fatal(err)
			}
			x, labels := n.testRows(t)
			right := 0
			for i, c := range classes(t, g, x) {
				if float32(c) == labels[i] {
					right++
				}
			}
			share := float64(right) / float64(len(labels))
			t.Logf("%d of %d right", right, len(labels))
			if share < 0.85 { // by chance 0.1; the weakest of the five reaches 0.9
				t.Errorf("accuracy %.3f", share)
			}
		})
	}
}
