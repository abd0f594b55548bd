package diagnose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

func network(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.Residual{Body: layers.Sequential{layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Padding: layers.Same}}},
		layers.GlobalAveragePool2D{},
		layers.Dense{Units: 10, Activation: layers.ActSoftmax},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// inserted is the network with FakeQuant nodes and known ranges.
func inserted(t *testing.T, recipe quant.Recipe) *graph.Graph {
	t.Helper()
	q, err := fakequant.Insert(network(t), recipe)
	if err == nil && recipe.Mode == quant.Integer {
		set, _ := digits.Load()
		err = posttrain.Calibrate(context.Background(), q, set, posttrain.Calibration{Samples: 200})
	}
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func tensors(t *testing.T, float, model *graph.Graph) []Tensor {
	t.Helper()
	set, _ := digits.Load()
	list, err := Tensors(context.Background(), float, model, set, Options{Samples: 100})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(list []Tensor) string {
	var all []string
	for _, r := range list {
		all = append(all, r.Name)
	}
	return strings.Join(all, " ")
}

// The fake-quantized graph, its integers and the file of these tell the same of
// the same tensors, to the single steps in which they differ.
func TestTensorsOfEveryForm(t *testing.T) {
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
		q := inserted(t, recipe)
		fake := tensors(t, network(t), q)
		for _, border := range []graph.Type{graph.Float32, graph.Int8, graph.UInt8} {
			model, err := export.Integer(q, export.Options{Input: border, Output: border})
			if err != nil {
				t.Fatal(err)
			}
			file, err := tflite.Marshal(model)
			if err != nil {
				t.Fatal(err)
			}
			if model, err = tflite.Unmarshal(file); err != nil {
				t.Fatal(err)
			}
			activations := 0
			got := map[string]Tensor{}
			for _, r := range tensors(t, network(t), model) {
				if _, twice := got[r.Name]; twice {
					t.Errorf("tensor %q is listed twice", r.Name)
				}
				got[r.Name] = r
			}
			for _, want := range fake {
				r, ok := got[want.Name]
				if want.Weights && !ok { // of the float network's folded ones
					continue
				}
				activations++
				if math.Abs(float64(r.SQNR-want.SQNR)) > 0.5 || math.Abs(r.Cosine-want.Cosine) > 1e-3 || math.Abs(r.Largest-want.Largest) > 2*float64(want.Scale) || r.Clipped != want.Clipped {
					t.Errorf("%s, border %v, %q: %+v, want %+v", recipe.Name, border, want.Name, r, want)
				}
				if !want.Weights && (r.Scale != want.Scale || r.ZeroPoint != want.ZeroPoint) {
					t.Errorf("%q: scale %v, zero point %d, want %v and %d", want.Name, r.Scale, r.ZeroPoint, want.Scale, want.ZeroPoint)
				}
			}
			if activations < 6 {
				t.Errorf("only %s are compared", names(fake))
			}
		}
	}
}

// The numbers are those of the formulas, on an input that is clipped.
func TestTensorsNumbers(t *testing.T) {
	q := inserted(t, quant.Int8())
	for _, z := range q.Quantizers() {
		if z.Name == "input" {
			z.SetRange(quant.Range{Min: 0, Max: 0.75, Weight: 1})
		}
	}
	set, _ := digits.Load()
	list := tensors(t, network(t), q)
	r := list[0]
	if r.Name != "input" || r.Op != "input" || r.Weights {
		t.Fatalf("the first tensor is %+v", r)
	}
	x, y := make([]float32, 6400), make([]float32, 100)
	index := make([]int, 100)
	for i := range index {
		index[i] = i
	}
	if err := set.Read(index, x, y); err != nil {
		t.Fatal(err)
	}
	var c comparison
	scale, outside := float64(r.Scale), 0
	for _, v := range x {
		code := quant.Code(v, r.Scale, r.ZeroPoint, quant.Signed(8, false))
		c.add([]float32{v}, []float32{quant.Value(code, r.Scale, r.ZeroPoint)})
		if float64(v) > scale*255.5 {
			outside++
		}
	}
	want := c.result()
	if r.Error != want || r.Clipped != float64(outside)/6400 || outside == 0 || want.Largest != 0.25 {
		t.Errorf("%+v, want %+v and %d clipped values", r, want, outside)
	}
	for reference, want := range map[float32]Error{3: {Decibels(math.Inf(1)), 1, 0}, 0: {Decibels(math.Inf(-1)), 0, 3}, 6: {Decibels(10 * math.Log10(4)), 1, 3}} {
		var c comparison
		if c.add([]float32{reference}, []float32{3}); c.result() != want {
			t.Errorf("3 for %v: %+v, want %+v", reference, c.result(), want)
		}
	}
}

// A layer that is spoiled stands out: alone it makes the outputs bad, and without
// it they are good. That goes for a network after calibration and after training.
func TestLayersFindTheFault(t *testing.T) {
	set, _ := digits.Load()
	net := network(t)
	for _, p := range net.Parameters() {
		if p.Name == "residual/conv2d/kernel" || strings.HasSuffix(p.Name, "conv2d_1/kernel") {
			p.Float32s()[0] = 30 // of one channel: the others keep few codes
		}
	}
	q, err := fakequant.Insert(net, quant.Int8PerTensor())
	if err == nil {
		err = posttrain.Calibrate(context.Background(), q, set, posttrain.Calibration{Samples: 200})
	}
	if err != nil {
		t.Fatal(err)
	}
	trained := q.Clone()
	m, err := train.Compile(trained, train.Config{Loss: train.SparseCategoricalCrossentropy{}, Optimizer: train.SGD{LearningRate: 1e-4}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Fit(context.Background(), set, train.FitConfig{}); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{q, trained} {
		before := g.String()
		list, all, err := Layers(context.Background(), nil, g, set, Options{Samples: 100})
		if err != nil {
			t.Fatal(err)
		}
		if g.String() != before {
			t.Error("Layers changed the network")
		}
		worst, best, names := list[0], list[0], ""
		for _, l := range list {
			names += " " + l.Name
			if l.Alone.SQNR < worst.Alone.SQNR {
				worst = l
			}
			if l.Without.SQNR > best.Without.SQNR {
				best = l
			}
		}
		if worst.Name != best.Name || worst.Op != "CONV_2D" || !strings.Contains(worst.Name, "conv2d_1") {
			t.Errorf("alone %q is worst, without %q the rest is best, of%s", worst.Name, best.Name, names)
		}
		if worst.Alone.SQNR > all.SQNR+3 || best.Without.SQNR < all.SQNR+3 {
			t.Errorf("all %v, the layer alone %v, the others %v", all.SQNR, worst.Alone.SQNR, best.Without.SQNR)
		}
	}
}

func TestTables(t *testing.T) {
	set, _ := digits.Load()
	q := inserted(t, quant.Int8())
	list, all, err := Layers(context.Background(), nil, q, set, Options{Samples: 50})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteLayers(&out, list, all); err != nil {
		t.Fatal(err)
	}
	if err := WriteTensors(&out, tensors(t, network(t), q)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if want := len(list) + 3 + len(tensors(t, network(t), q)); len(lines) != want {
		t.Errorf("%d lines, want %d:\n%s", len(lines), want, out.String())
	}
	for _, want := range []string{"CONV_2D weights", "dB", " %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, out.String())
		}
	}
	text, err := json.Marshal(Layer{Name: "a", Alone: Effect{Error: Error{SQNR: Decibels(math.Inf(1))}}})
	if want := `{"name":"a","op":"","alone":{"sqnr_db":null,"cosine":0,"largest_error":0,"agreement":0},"without":{"sqnr_db":0,"cosine":0,"largest_error":0,"agreement":0}}`; err != nil || string(text) != want {
		t.Errorf("JSON %s (%v), want %s", text, err, want)
	}
	if s := fmt.Sprint(Decibels(math.Inf(1)), Decibels(12.34)); s != "exact 12.3 dB" {
		t.Errorf("decibels are printed as %q", s)
	}
}

func TestRefuses(t *testing.T) {
	set, _ := digits.Load()
	ctx := context.Background()
	unknown, err := fakequant.Insert(network(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	other, err := layers.Sequential{layers.Dense{Units: 1}}.Build(layers.Input{3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		run  func() error
		want string
	}{
		"float layers": {func() error { _, _, err := Layers(ctx, nil, network(t), set, Options{}); return err }, "is not quantized"},
		"unknown":      {func() error { _, _, err := Layers(ctx, nil, unknown, set, Options{}); return err }, `the range of tensor "input" is not known`},
		"samples":      {func() error { _, _, err := Layers(ctx, nil, inserted(t, quant.Int8()), nil, Options{}); return err }, "no samples"},
		"float tensor": {func() error { _, err := Tensors(ctx, network(t), network(t), set, Options{}); return err }, "is not quantized"},
		"others":       {func() error { _, err := Tensors(ctx, other, inserted(t, quant.Int8()), set, Options{}); return err }, "no quantized tensor in common"},
	} {
		if err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "diagnose: ") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
