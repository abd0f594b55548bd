package export

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// depthwise is a fake-quantized network of a depthwise convolution with four
// channels, whose BatchNorm has gammas of both signs and zero, and a dense layer.
func depthwise(t *testing.T, recipe quant.Recipe) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{3, 2}, DepthMultiplier: 2, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.Flatten{},
		layers.Dense{Units: 2},
	}.Build(layers.Input{4, 3, 2}, 3)
	if err != nil {
		t.Fatal(err)
	}
	copy(named(t, g, "batch_normalization/gamma").Float32s(), []float32{2, -0.5, 0, 1})
	copy(named(t, g, "batch_normalization/beta").Float32s(), []float32{0.1, 0.2, 0.3, 0.4})
	copy(named(t, g, "batch_normalization/moving_mean").Float32s(), []float32{1, -1, 5, 0})
	copy(named(t, g, "batch_normalization/moving_variance").Float32s(), []float32{4, 0.25, 1, 1})
	q, err := fakequant.Insert(g, recipe)
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

// codesOf returns the codes and parameters of weights.
func codesOf(t *testing.T, w []float32, shape []int, axis int) ([]int8, quant.Params) {
	t.Helper()
	p, err := quant.LastValue(w, shape, axis, quant.Signed(8, true))
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]int8, len(w))
	if err := quant.Quantize(p, codes, w, shape, quant.Signed(8, true)); err != nil {
		t.Fatal(err)
	}
	return codes, p
}

// Folding through the quantizer keeps the trained codes of each channel, along
// the last axis, up to the sign of gamma.
func TestFoldDepthwiseThroughQuantizer(t *testing.T) {
	q := depthwise(t, quant.Int8())
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := named(t, q, "depthwise_conv2d/kernel")
	codes, p := codesOf(t, w.Float32s(), w.Shape, 3)
	for i := range codes {
		codes[i] *= []int8{1, -1, 0, 1}[i%4]
	}
	folded := named(t, model, "depthwise_conv2d/kernel")
	if diff := cmp.Diff(codes, folded.Int8s()); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if folded.Quant.Axis != 3 {
		t.Errorf("scales along axis %d", folded.Quant.Axis)
	}
	for c, gamma := range []float64{2, -0.5, 0, 1} {
		f := float32(gamma / math.Sqrt([]float64{4, 0.25, 1, 1}[c]+float64(float32(1e-3))))
		want := p.Scale[c] * max(f, -f)
		if gamma == 0 {
			want = 1 // a step of the output, 3/255, over one of the input, the same
		}
		if got := folded.Quant.Scale[c]; got != want {
			t.Errorf("scale %d is %v, want %v", c, got, want)
		}
		bias := []float64{0.1, 0.2, 0.3, 0.4}[c] - []float64{1, -1, 5, 0}[c]*float64(f)
		got := named(t, model, "depthwise_conv2d/bias")
		if d := float64(got.Int32s()[c])*float64(got.Quant.Scale[c]) - bias; math.Abs(d) > float64(got.Quant.Scale[c])*0.51 {
			t.Errorf("bias %d stands for a value %v from %v", c, d, bias)
		}
	}
}

// Weights with one scale are folded, then quantized.
func TestFoldDepthwisePerTensor(t *testing.T) {
	q := depthwise(t, quant.Int8PerTensor())
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := named(t, q, "depthwise_conv2d/kernel")
	folded := append([]float32(nil), w.Float32s()...)
	for i := range folded {
		gamma, variance := []float64{2, -0.5, 0, 1}[i%4], []float64{4, 0.25, 1, 1}[i%4]
		folded[i] *= float32(gamma / math.Sqrt(variance+float64(float32(1e-3))))
	}
	want, p := codesOf(t, folded, w.Shape, -1)
	node := model.Nodes[1] // behind QUANTIZE
	got := node.Inputs[graph.InputWeights]
	if diff := cmp.Diff(want, got.Int8s()); diff != "" || !got.Quant.Equal(p) {
		t.Errorf("%v, want %v; codes (-want +got):\n%s", got.Quant, p, diff)
	}
}

// A dead channel of a depthwise convolution gives its bias also behind a wide
// input.
func TestDeadDepthwiseChannel(t *testing.T) {
	q := depthwise(t, quant.Int8())
	for _, z := range q.Quantizers() {
		if z.Name == "input" {
			z.SetRange(quant.Range{Min: 0, Max: 1e5, Weight: 1})
		}
	}
	model, err := Integer(q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	bias := named(t, model, "depthwise_conv2d/bias")
	if got := float64(bias.Int32s()[2]) * float64(bias.Quant.Scale[2]); math.Abs(got-0.3) > 0.5001*3/255 {
		t.Errorf("the bias stands for %v, want 0.3", got)
	}
}

// Sums that leave int32 are found in the channel that has them.
func TestDepthwiseSums(t *testing.T) {
	q := depthwise(t, quant.Int8())
	for _, z := range q.Quantizers() {
		if z.Name == "re_lu" {
			z.SetRange(quant.Range{Min: 0, Max: 1e-6, Weight: 1})
		}
	}
	w := named(t, q, "depthwise_conv2d/kernel").Float32s()
	for i := range w {
		w[i] = []float32{1e-7, 1e-7, 1e-7, 1e3}[i%4]
	}
	for _, b := range []string{"beta", "moving_mean"} {
		clear(named(t, q, "batch_normalization/"+b).Float32s())
	}
	_, err := Integer(q, Options{})
	if err == nil || !strings.Contains(err.Error(), `node "depthwise_conv2d": channel 3: sums`) {
		t.Errorf("error %v, want one that names channel 3", err)
	}
}

// LiteRT's hybrid depthwise kernel reads a scale for each channel, so a file has
// them even where the recipe has one; Verify refuses one that has not.
func TestHybridDepthwiseScales(t *testing.T) {
	recipe := dynamicRange()
	recipe.Weights.PerChannel = false
	model, err := DynamicRange(depthwise(t, recipe))
	if err != nil {
		t.Fatal(err)
	}
	w := model.Nodes[0].Inputs[graph.InputWeights]
	if p := w.Quant; p.Axis != 3 || len(p.Scale) != 4 || p.Scale[0] != p.Scale[3] {
		t.Errorf("parameters %v", p)
	}
	if scales := model.Nodes[2].Inputs[graph.InputWeights].Quant.Scale; len(scales) != 1 {
		t.Errorf("the dense layer has scales %v", scales)
	}
	data, err := tflite.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	if err := tflite.Verify(data); err != nil {
		t.Error(err)
	}
	single := quant.PerTensor(w.Quant.Scale[0], 0)
	w.Quant = &single
	if _, err := tflite.Marshal(model); err == nil || !strings.Contains(err.Error(), "have one scale; behind a float input LiteRT reads one for each of 4 channels") {
		t.Errorf("error %v", err)
	}
}
