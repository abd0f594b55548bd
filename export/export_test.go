package export

import (
	"bytes"
	"flag"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func network(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.AveragePool2D{},
		layers.Dropout{Rate: 0.5},
		layers.Flatten{},
		layers.Dense{Units: 2, Activation: layers.ActSoftmax},
	}.Build(layers.Input{6, 6, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// quantized is network with fake quantization whose ranges are all [-1, 2].
func quantized(t *testing.T, recipe quant.Recipe) *graph.Graph {
	t.Helper()
	q, err := fakequant.Insert(network(t), recipe)
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range q.Quantizers() {
		if z.Source == graph.MovingAverage {
			z.SetRange(quant.Range{Min: -1, Max: 2, Weight: 1})
		}
	}
	return q
}

// named returns the tensor of that name.
func named(t *testing.T, g *graph.Graph, name string) *graph.Tensor {
	t.Helper()
	for _, x := range g.Tensors() {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no tensor is named %q in\n%v", name, g)
	return nil
}

func dynamicRange() quant.Recipe {
	r := quant.DynamicRange()
	r.MinElements = 0
	return r
}

// What each exporter makes is recorded as text; every model is also written,
// verified and read back.
func TestModels(t *testing.T) {
	for name, make := range map[string]func() (*graph.Graph, error){
		"float32":       func() (*graph.Graph, error) { return Float32(network(t)) },
		"float16":       func() (*graph.Graph, error) { return Float16(network(t)) },
		"dynamic-range": func() (*graph.Graph, error) { return DynamicRange(quantized(t, dynamicRange())) },
		"int8":          func() (*graph.Graph, error) { return Integer(quantized(t, quant.Int8()), Options{}) },
		"int8-uint8-borders": func() (*graph.Graph, error) {
			return Integer(quantized(t, quant.Int8()), Options{Input: graph.UInt8, Output: graph.UInt8})
		},
		"int8-per-tensor": func() (*graph.Graph, error) {
			return Integer(quantized(t, quant.Int8PerTensor()), Options{Input: graph.Int8, Output: graph.Int8})
		},
	} {
		t.Run(name, func(t *testing.T) {
			model, err := make()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(model.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), model.String()); diff != "" {
				t.Errorf("the model changed (-want +got), -update accepts it:\n%s", diff)
			}
			data, err := tflite.Marshal(model)
			if err != nil {
				t.Fatal(err)
			}
			if err := tflite.Verify(data); err != nil {
				t.Error(err)
			}
			if _, err := tflite.Unmarshal(data); err != nil {
				t.Error(err)
			}
		})
	}
}

// Exporting changes nothing in the network it was given.
func TestExportLeavesTheNetwork(t *testing.T) {
	q := quantized(t, quant.Int8())
	before := q.String()
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if q.String() != before {
		t.Error("Integer changed its argument")
	}
	codes := append([]int8(nil), named(t, model, "dense/kernel").Int8s()...)
	named(t, q, "dense/kernel").Float32s()[0] = 99
	if diff := cmp.Diff(codes, named(t, model, "dense/kernel").Int8s()); diff != "" {
		t.Error("later training reaches the exported model")
	}
}

// Folding through the quantizer keeps the trained codes, up to the sign of
// gamma; gamma 0 gives codes 0 and scale 1.
func TestFoldThroughQuantizer(t *testing.T) {
	q := quantized(t, quant.Int8())
	copy(named(t, q, "batch_normalization/gamma").Float32s(), []float32{2, -0.5, 0})
	copy(named(t, q, "batch_normalization/moving_variance").Float32s(), []float32{4, 0.25, 1})
	copy(named(t, q, "batch_normalization/beta").Float32s(), []float32{0.1, 0.2, 0.3})
	copy(named(t, q, "batch_normalization/moving_mean").Float32s(), []float32{1, -1, 5})
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := named(t, q, "conv2d/kernel")
	p, err := quant.LastValue(w.Float32s(), w.Shape, 0, quant.Signed(8, true))
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]int8, 27)
	if err := quant.Quantize(p, codes, w.Float32s(), w.Shape, quant.Signed(8, true)); err != nil {
		t.Fatal(err)
	}
	folded := named(t, model, "conv2d/kernel")
	for i, c := range codes {
		want := map[int]int8{0: c, 1: -c, 2: 0}[i/9]
		if got := folded.Int8s()[i]; got != want {
			t.Fatalf("code %d is %d, trained %d, want %d", i, got, c, want)
		}
	}
	for c, f := range []float64{2 / math.Sqrt(4.001), -0.5 / math.Sqrt(0.251), 0} {
		want := float32(1)
		if f != 0 {
			want = p.Scale[c] * float32(math.Abs(f))
		}
		if got := folded.Quant.Scale[c]; got != want {
			t.Errorf("scale %d is %v, want %v", c, got, want)
		}
		// bias = beta - mean*f, in steps of input scale (3/255) times weight scale
		bias := []float64{0.1, 0.2, 0.3}[c] - []float64{1, -1, 5}[c]*float64(float32(f))
		step := float64(float32(3.0/255) * want)
		if got := named(t, model, "conv2d/bias").Int32s()[c]; got != int32(math.Round(float64(float32(bias))/step)) {
			t.Errorf("bias %d is %d, want %v", c, got, math.Round(bias/step))
		}
	}
}

// A tiny weight channel with a large bias gets a larger scale, and the log names
// it; without that the bias would not fit int32.
func TestBiasFits(t *testing.T) {
	q := quantized(t, quant.Int8())
	w := named(t, q, "dense/kernel").Float32s()
	for i := range w[:len(w)/2] {
		w[i] = 1e-9
	}
	named(t, q, "dense/bias").Float32s()[0] = 5
	var log bytes.Buffer
	model, err := Integer(q, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b := named(t, model, "dense/bias")
	if code := b.Int32s()[0]; code < 1<<29 || code > 1<<30 {
		t.Errorf("the bias code is %d, want it just below 2^30", code)
	}
	if got := float64(b.Int32s()[0]) * float64(b.Quant.Scale[0]); math.Abs(got-5) > 1e-5 {
		t.Errorf("the bias stands for %v, want 5", got)
	}
	if !strings.Contains(log.String(), "node=dense channel=0") {
		t.Errorf("the log does not name the channel: %s", log.String())
	}
}

// Behind a wide input a dead channel still gives its bias, to half a step of the
// output, whether its weights are zero or its gamma is.
func TestDeadChannelKeepsItsBias(t *testing.T) {
	q := quantized(t, quant.Int8())
	copy(named(t, q, "batch_normalization/gamma").Float32s(), []float32{1, 1, 0})
	clear(named(t, q, "conv2d/kernel").Float32s()[:9])
	for _, z := range q.Quantizers() {
		if z.Name == "input" { // one of its steps is 33,000 of the output's
			z.SetRange(quant.Range{Min: 0, Max: 1e5, Weight: 1})
		}
	}
	beta := named(t, q, "batch_normalization/beta").Float32s()
	beta[0], beta[2] = 0.3, -0.4
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	bias := named(t, model, "conv2d/bias")
	for _, c := range []int{0, 2} {
		got := float64(bias.Int32s()[c]) * float64(bias.Quant.Scale[c])
		if step := 3.0 / 255; math.Abs(got-float64(beta[c])) > 0.5001*step { // the scales are float32
			t.Errorf("channel %d: the bias stands for %v, want %v", c, got, beta[c])
		}
	}
}

// The float weights of a network with FakeQuant nodes can be written, too, whether
// its BatchNorm is behind them or folded in front of them.
func TestFloatOfQuantized(t *testing.T) {
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
		net := quantized(t, recipe).Unquantized(nil)
		model, err := Float32(net)
		if err != nil {
			t.Fatal(err)
		}
		if got := operators(model); got != "CONV_2D AVERAGE_POOL_2D RESHAPE FULLY_CONNECTED SOFTMAX" {
			t.Errorf("%s: the operators are %s", recipe.Name, got)
		}
		if d := apart(t, net, model); !(d <= 1e-5) { // sums of 9 products, rounded otherwise
			t.Errorf("%s: off by %.3g of the largest value", recipe.Name, d)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	unset, err := fakequant.Insert(network(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	with := func(recipe quant.Recipe, tensor string, value float32) *graph.Graph {
		q := quantized(t, recipe)
		named(t, q, tensor).Float32s()[0] = value
		return q
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	infinite := quantized(t, quant.Int8())
	infinite.Quantizers()[0].SetRange(quant.Range{Min: 0, Max: inf, Weight: 1})
	narrow := quantized(t, quant.Int8())
	narrow.Quantizers()[2].SetRange(quant.Range{Min: 0, Max: 1e-9, Weight: 1})
	floatNaN := network(t)
	named(t, floatNaN, "dense/kernel").Float32s()[1] = nan
	negative := with(quant.Int8(), "batch_normalization/moving_variance", -1)
	integer := func(g *graph.Graph) error { _, err := Integer(g, Options{}); return err }
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"float network", integer(network(t)), "no recipe"},
		{"weight-only network", integer(quantized(t, dynamicRange())), `recipe "dynamic-range" of mode weight_only, want mode integer`},
		{"integer network to DynamicRange", second(DynamicRange(quantized(t, quant.Int8()))), "want mode weight_only"},
		{"quantized network to Float16", second(Float16(unset)), "made from the float network"},
		{"quantized network to Float32", second(Float32(unset)), "made from the float network"},
		{"unset range", integer(unset), `"input": range was never observed`},
		{"infinite range", integer(infinite), `"input"`},
		{"NaN weight", integer(with(quant.Int8(), "dense/kernel", nan)), `"dense/kernel"`},
		{"infinite weight", second(DynamicRange(with(dynamicRange(), "conv2d/kernel", inf))), `"conv2d/kernel"`},
		{"NaN weight, float", second(Float32(floatNaN)), `"dense/kernel": quant: value 1 is NaN`},
		{"negative variance", integer(negative), `"batch_normalization": channel 0`},
		{"output range too narrow", integer(narrow), "the output range is too narrow"},
		{"border type", second(Integer(quantized(t, quant.Int8()), Options{Input: graph.Int16})), `input "input": border type int16`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, c.err, c.want)
		}
	}
}

func second(_ *graph.Graph, err error) error { return err }
