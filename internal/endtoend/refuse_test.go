package endtoend

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// Faults on the way from data to file are errors that name the culprit, wherever
// on the way they show.
func TestFaultsAreNamed(t *testing.T) {
	n := networks[0]
	nan := float32(math.NaN())
	for _, c := range []struct {
		name string
		run  func() error
		want []string
	}{
		{"network with a window larger than its image", func() error {
			return second(layers.Sequential{layers.Flatten{}, layers.Conv2D{Filters: 1, Kernel: [2]int{3, 3}}}.Build(layers.Input{8, 8, 1}, 1))
		}, []string{"layer 1", "Conv2D", "image"}},
		{"NaN in data", func() error {
			return second(data.NewMemory(data.Arrays{InputShape: []int{2}, X: []float32{0, 1, nan, 3}, Y: []float32{0, 1}}))
		}, []string{"row 1", "NaN"}},
		{"more classes than outputs", func() error { return n.fitOn(labelled(t, n, 10, 11)) }, []string{"11 classes", "10 outputs"}},
		{"label out of range, training", func() error { return n.fitOn(struct{ data.Dataset }{labelled(t, n, 10, 11)}) }, []string{"row 7", "10"}},
		{"data of another shape", func() error { return n.fitOn(other(t)) }, []string{`"input"`, "[8 8 1]", "[5]"}},
		{"NaN in a sample that calibrates", func() error {
			return posttrain.Calibrate(context.Background(), n.must(t, quant.Int8()), poisoned{labelled(t, n, 1, 10)}, calibration)
		}, []string{"NaN", "row"}},
		{"uncalibrated network", func() error { return second(integer(inserted(t, n, quant.Int8()))) }, []string{`"input"`, "never observed"}},
		{"one range unset", func() error {
			q := n.must(t, quant.Int8())
			observed(t, q, "re_lu").SetRange(quant.Range{})
			return second(integer(q))
		}, []string{`"re_lu"`, "never observed"}},
		{"infinite range", func() error {
			q := n.must(t, quant.Int8())
			observed(t, q, "dense").SetRange(quant.Range{Min: 0, Max: float32(math.Inf(1)), Weight: 1})
			return second(integer(q))
		}, []string{`"dense"`, "Inf"}},
		{"NaN weight, integer", func() error { return second(integer(n.with(t, nan, quant.Int8()))) }, []string{`"conv2d/kernel"`, "NaN"}},
		{"NaN weight, per tensor", func() error { return second(integer(n.with(t, nan, quant.Int8PerTensor()))) }, []string{`"conv2d/kernel`, "NaN"}},
		{"NaN weight, dynamic range", func() error { return second(export.DynamicRange(n.with(t, nan, dynamic()))) }, []string{`"conv2d/kernel"`, "NaN"}},
		{"NaN weight, float32", func() error { return second(export.Float32(n.floatWith(t, nan))) }, []string{`"conv2d/kernel"`, "NaN"}},
		{"NaN weight, float16", func() error { return second(export.Float16(n.floatWith(t, nan))) }, []string{`"conv2d/kernel"`, "NaN"}},
		{"integer recipe to DynamicRange", func() error { return second(export.DynamicRange(n.must(t, quant.Int8()))) }, []string{`"int8"`, "want mode weight_only"}},
		{"dynamic range recipe to Integer", func() error { return second(integer(inserted(t, n, dynamic()))) }, []string{`"dynamic-range"`, "want mode integer"}},
		{"float network to Integer", func() error { return second(integer(n.mustFloat(t))) }, []string{"no recipe"}},
		{"quantized network to Float16", func() error { return second(export.Float16(n.must(t, quant.Int8()))) }, []string{`"int8"`, "float network"}},
		{"dynamic range calibrated", func() error {
			return posttrain.Calibrate(context.Background(), inserted(t, n, dynamic()), labelled(t, n, 1, 10), calibration)
		}, []string{"no activation quantizers"}},
		{"training graph to a file", func() error { return second(tflite.Marshal(n.must(t, quant.Int8()))) }, []string{"FAKE_QUANT"}},
		{"NaN in what a model is run on", func() error {
			model, err := integer(n.must(t, quant.Int8()))
			if err != nil {
				return err
			}
			ip, err := interp.New(model, interp.Options{Batch: 2})
			if err != nil {
				return err
			}
			x := make([]float32, 128)
			x[70] = nan
			return second(ip.RunFloat(x))
		}, []string{`"input"`, "row 1", "NaN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.run()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// must returns a calibrated graph of its own.
func (n *network) must(t *testing.T, r quant.Recipe) *graph.Graph {
	t.Helper()
	q, err := n.insert(n.mustFloat(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (n *network) mustFloat(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := n.float()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// with is must with one weight replaced.
func (n *network) with(t *testing.T, weight float32, r quant.Recipe) *graph.Graph {
	t.Helper()
	var q *graph.Graph
	if r.Mode == quant.Integer {
		q = n.must(t, r)
	} else {
		q = inserted(t, n, r)
	}
	variable(q, "conv2d/kernel")[5] = weight
	return q
}

func (n *network) floatWith(t *testing.T, weight float32) *graph.Graph {
	t.Helper()
	g := n.mustFloat(t).Clone()
	variable(g, "conv2d/kernel")[5] = weight
	return g
}

// inserted has quantizers that nobody calibrated.
func inserted(t *testing.T, n *network, r quant.Recipe) *graph.Graph {
	t.Helper()
	q, err := fakequant.Insert(n.mustFloat(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func dynamic() quant.Recipe {
	r := quant.DynamicRange()
	r.MinElements = 0
	return r
}

// observed returns the quantizer of an activation.
func observed(t *testing.T, q *graph.Graph, name string) *graph.Quantizer {
	t.Helper()
	for _, z := range q.Quantizers() {
		if z.Name == name {
			return z
		}
	}
	t.Fatalf("no quantizer of %q", name)
	return nil
}

// labelled returns 20 rows of zeros for a network, row 7 with the given label.
func labelled(t *testing.T, n *network, label float32, classes int) data.Dataset {
	t.Helper()
	y := make([]float32, 20)
	y[7] = label
	ds, err := data.NewMemory(data.Arrays{InputShape: n.input, X: make([]float32, 20*graph.Elements(n.input)), Y: y, Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// other returns rows of another shape.
func other(t *testing.T) data.Dataset {
	t.Helper()
	ds, err := data.NewMemory(data.Arrays{InputShape: []int{5}, X: make([]float32, 5), Y: make([]float32, 1), Classes: 10})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// fitOn trains a copy of the network on a set.
func (n *network) fitOn(ds data.Dataset) error {
	g, err := n.float()
	if err != nil {
		return err
	}
	m, err := train.Compile(g.Clone(), n.config(1e-3))
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = m.Fit(context.Background(), ds, train.FitConfig{InOrder: true})
	return err
}

// poisoned gives NaN for what a careless implementation of Dataset may read.
type poisoned struct{ data.Dataset }

func (p poisoned) Read(index []int, x, y []float32) error {
	x[len(x)-1] = float32(math.NaN())
	return nil
}

// A write that fails leaves what was there.
func TestNoHalfWrittenFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.tflite")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := tflite.WriteFile(path, networks[0].must(t, quant.Int8())); err == nil {
		t.Fatal("a training graph was written")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "before" {
		t.Errorf("the file now holds %q (%v)", b, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("the directory holds %v (%v)", list, err)
	}
}

// However short a file is cut, reading it is an error, and never a panic.
func TestTruncatedFiles(t *testing.T) {
	whole := integerFiles[0].must(t).bytes
	for n := range len(whole) {
		g, err := tflite.Unmarshal(whole[:n])
		if err == nil {
			t.Fatalf("%d of %d bytes were read as %v", n, len(whole), g)
		}
	}
	if err := errors.Join(tflite.Verify(whole), second(tflite.Unmarshal(whole))); err != nil {
		t.Error(err)
	}
}
