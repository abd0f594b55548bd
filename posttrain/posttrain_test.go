package posttrain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

func network(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.MaxPool2D{},
		layers.Flatten{},
		layers.Dense{Units: 10},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func inserted(t *testing.T) *graph.Graph {
	t.Helper()
	q, err := fakequant.Insert(network(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// ranges returns the bounds of every observed tensor as text.
func ranges(q *graph.Graph) string {
	var b strings.Builder
	for _, z := range q.Quantizers() {
		if z.Source == graph.MovingAverage {
			lo, hi := z.Observed().Bounds()
			fmt.Fprintln(&b, z.Name, lo, hi, z.Observed().Weight)
		}
	}
	return b.String()
}

// The ranges are the least and greatest values of the float network, whatever the
// batch size.
func TestCalibrate(t *testing.T) {
	samples, _ := digits.Load()
	q := inserted(t)
	if err := Calibrate(context.Background(), q, samples, Calibration{Samples: 100}); err != nil {
		t.Fatal(err)
	}
	// The same by hand.
	want := map[string][2]float32{}
	ip, err := interp.New(q.Unquantized(nil), interp.Options{Batch: 100, Tap: func(x *graph.Tensor, _ []int, values any) {
		lo, hi := float32(math.Inf(1)), float32(math.Inf(-1))
		for _, v := range values.([]float32) {
			lo, hi = min(lo, v), max(hi, v)
		}
		want[x.Name] = [2]float32{lo, hi}
	}})
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 6400), make([]float32, 100)
	index := make([]int, 100)
	for i := range index {
		index[i] = i
	}
	if err := samples.Read(index, x, y); err != nil {
		t.Fatal(err)
	}
	if _, err := ip.RunFloat(x); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, z := range q.Quantizers() {
		if z.Source != graph.MovingAverage {
			continue
		}
		checked++
		if lo, hi := z.Observed().Bounds(); want[z.Name] != [2]float32{lo, hi} {
			t.Errorf("%s: range [%v, %v], want %v", z.Name, lo, hi, want[z.Name])
		}
	}
	if checked != 3 {
		t.Errorf("%d ranges, want those of the input, the convolution group and the dense layer", checked)
	}
	once := ranges(q)
	// Again, over known ranges and in other batches: the same.
	if err := Calibrate(context.Background(), q, samples, Calibration{Samples: 100, BatchSize: 7}); err != nil {
		t.Fatal(err)
	}
	if again := ranges(q); again != once {
		t.Errorf("calibrating again in other batches gives\n%swant\n%s", again, once)
	}
}

func TestQuantizeLeavesTheNetwork(t *testing.T) {
	samples, _ := digits.Load()
	net := network(t)
	before := net.String()
	small := quant.DynamicRange()
	small.MinElements = 0
	stored := quant.Int8Weights()
	stored.MinElements = 0
	for _, r := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), small, stored, quant.Float16()} {
		model, err := Quantize(context.Background(), net, r, samples, Options{Calibration: Calibration{Samples: 32}})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		for _, n := range model.Nodes {
			if n.Op.Class() == graph.TrainingOnly {
				t.Errorf("%s: the model keeps %s %q", r.Name, n.Op.Name(), n.Name)
			}
		}
	}
	if net.String() != before {
		t.Error("Quantize changed the network")
	}
}

// A bias that would not fit int32 raises its channel's weight scale where QAT
// will see it.
func TestCalibrateRaisesScales(t *testing.T) {
	samples, _ := digits.Load()
	q := inserted(t)
	for _, p := range q.Parameters() {
		switch p.Name {
		case "dense/kernel":
			clear(p.Float32s()[:36])
			p.Float32s()[0] = 1e-9
		case "dense/bias":
			p.Float32s()[0] = 3
		}
	}
	var log bytes.Buffer
	if err := Calibrate(context.Background(), q, samples, Calibration{Samples: 32, Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	for _, z := range q.Quantizers() {
		if z.Name == "dense/kernel" && (len(z.MinScale) != 10 || z.MinScale[0] == 0 || z.MinScale[1] != 0) {
			t.Errorf("least scales are %v, want one for channel 0 alone", z.MinScale)
		}
	}
	if !strings.Contains(log.String(), "node=dense channel=0") {
		t.Errorf("the log does not name the channel: %s", log.String())
	}
}

// broken is a set whose rows hold NaN from some row on.
type broken struct {
	data.Dataset
	from int
}

func (b broken) Read(index []int, x, y []float32) error {
	err := b.Dataset.Read(index, x, y)
	for i, row := range index {
		if row >= b.from {
			x[i*64] = float32(math.NaN())
		}
	}
	return err
}

func TestCalibrateRefuses(t *testing.T) {
	samples, _ := digits.Load()
	weights, err := fakequant.Insert(network(t), quant.DynamicRange())
	if err != nil {
		t.Fatal(err)
	}
	line, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: []float32{1}, Y: []float32{1}})
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		q       *graph.Graph
		samples data.Dataset
		want    string
	}{
		{"float network", context.Background(), network(t), samples, "no activation quantizers"},
		{"weight-only network", context.Background(), weights, samples, "no activation quantizers"},
		{"no samples", context.Background(), inserted(t), nil, "no samples"},
		{"shape", context.Background(), inserted(t), line, "rows of shape [8 8 1], but the samples have [1]"},
		{"NaN", context.Background(), inserted(t), broken{samples, 40}, `tensor "input"`},
		{"canceled", canceled, inserted(t), samples, "canceled"},
	} {
		before := c.q.String()
		err := Calibrate(c.ctx, c.q, c.samples, Calibration{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if c.q.String() != before {
			t.Errorf("%s: the refused calibration changed the graph", c.name)
		}
	}
	if err := Calibrate(canceled, inserted(t), samples, Calibration{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancellation is not recognizable: %v", err)
	}
}
