package endtoend

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/parity"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// standalone has BatchNorms without an anchor to fold into: on the input, behind
// an activation, in a row and on vectors; some of their channels turn the sign or
// are switched off.
var standalone = &network{
	name: "standalone", input: layers.Input{4, 4, 4}, batchNorm: true, // the 64 pixels, four a position
	layers: layers.Sequential{
		layers.BatchNorm{Name: "first"},
		layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.BatchNorm{Name: "behind"},
		layers.BatchNorm{Name: "row"},
		layers.ReLU6{},
		layers.Flatten{},
		layers.Dense{Units: 20, Activation: layers.ActReLU},
		layers.BatchNorm{Name: "vector"},
		layers.Dense{Units: 10},
	},
	prepare: func(g *graph.Graph) {
		variable(g, "behind/gamma")[1] = -1
		variable(g, "vector/gamma")[3] = -0.5
		pruneStandalone(g)
	},
	prune: pruneStandalone,
}

func pruneStandalone(g *graph.Graph) {
	variable(g, "behind/gamma")[2] = 0
	variable(g, "vector/gamma")[4], variable(g, "vector/beta")[4] = 0, 0.3
}

// normalized takes raw data: pixels from 0 to 255 behind a Normalization by their
// mean and variance.
var normalized = &network{
	name: "normalized", input: layers.Input{8, 8, 1}, gain: 255,
	layers: layers.Sequential{
		layers.Normalization{Mean: []float32{78}, Variance: []float32{9000}},
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Activation: layers.ActReLU},
		layers.Flatten{},
		layers.Dense{Units: 10},
	},
}

// pixels returns rows of pixels: 24 to calibrate with, 7 to compare.
func pixels(t *testing.T, shape layers.Input, least, most float64) (samples data.Dataset, x []float32) {
	t.Helper()
	random, width := newRandom(3), graph.Elements(shape)
	values := make([]float32, 31*width)
	for i := range values {
		values[i] = float32(least + math.Floor(float64(random.Float32())*(most-least+1)))
	}
	samples, err := data.NewMemory(data.Arrays{InputShape: shape, X: values[:24*width], Y: make([]float32, 24)})
	if err != nil {
		t.Fatal(err)
	}
	return samples, values[24*width:]
}

// integers makes the int8 models of a network by both recipes, with BatchNorm
// folded before quantizers are placed and after, and holds every tensor to
// LiteRT and every operator to its simulation. each sees every model.
func integers(t *testing.T, net *graph.Graph, samples data.Dataset, x []float32, each func(name string, q, model *graph.Graph)) {
	t.Helper()
	o := oracle.Start(t)
	folded, err := graph.Passes{graph.DropDropout, graph.FoldBatchNorm}.Run(net)
	if err != nil {
		t.Fatal(err)
	}
	for kind, g := range map[string]*graph.Graph{"folded before": folded, "folded after": net} {
		for _, r := range recipes {
			name := fmt.Sprint(r.Name, " ", kind)
			q, err := fakequant.Insert(g, r)
			if err == nil {
				err = posttrain.Calibrate(context.Background(), q, samples, posttrain.Calibration{})
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			model, err := export.Integer(q, export.Options{Input: graph.Int8, Output: graph.Int8})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m, err := readBack(model)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			run := runLiteRT(t, o, m, oracle.Reference, x)
			ours := runInterp(t, m.graph, run.input, run.rows)
			for _, tensor := range m.graph.Tensors() {
				got := ours[tensor]
				if tensor.Role != graph.Activation {
					got = tensor.Data
				}
				if err := sameElements(got, run.values[tensor]); err != nil {
					t.Errorf("%s: tensor %q: %v", name, tensor.Name, err)
				}
			}
			equalOutputs(t, m.graph, run)
			operators, err := parity.Operators(q, m.graph, x)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, op := range operators {
				t.Logf("%s: %v", name, op)
				if op.Largest > 1 {
					t.Errorf("%s: %v", name, op)
				}
			}
			each(name, q, m.graph)
		}
	}
}

// A BatchNorm stands anywhere: its integers are LiteRT's, and what its simulation
// predicts; folded into float weights, or left alone as a depthwise convolution,
// it computes what it computed.
func TestBatchNormAnywhere(t *testing.T) {
	conv := layers.Conv2D{Filters: 3, Kernel: [2]int{2, 2}}
	for _, c := range []struct {
		name string
		net  layers.Sequential
	}{
		{"on the input", layers.Sequential{layers.BatchNorm{}, conv}},
		{"behind an activation", layers.Sequential{conv, layers.ReLU{}, layers.BatchNorm{}, layers.ReLU{}}},
		{"behind a sum", layers.Sequential{conv, layers.Residual{Body: layers.Sequential{layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}}}}, layers.BatchNorm{}}},
		{"on a tensor with other readers", layers.Sequential{conv, layers.Residual{Body: layers.Sequential{layers.BatchNorm{}, layers.ReLU6{}}}}},
		{"behind another", layers.Sequential{conv, layers.BatchNorm{}, layers.BatchNorm{}, layers.ReLU{}}},
		{"on vectors", layers.Sequential{layers.Flatten{}, layers.Dense{Units: 3}, layers.ReLU{}, layers.BatchNorm{}, layers.ReLU{}, layers.BatchNorm{}, layers.Dense{Units: 2}}},
		{"on series", layers.Sequential{layers.Reshape{Shape: []int{12, 3}}, layers.BatchNorm{}, layers.ReLU{}, layers.Flatten{}, layers.Dense{Units: 2}}},
		{"alone", layers.Sequential{layers.BatchNorm{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			input := layers.Input{4, 3, 3}
			net, err := c.net.Build(input, 1)
			if err != nil {
				t.Fatal(err)
			}
			setBatchNorms(net)
			samples, x := pixels(t, input, -3, 3)
			followsLiteRT(t, folded(t, net, x), x)
			half, err := export.Float16(net)
			if err != nil {
				t.Fatal(err)
			}
			followsLiteRT(t, half, x)
			for _, perChannel := range []bool{true, false} {
				r := dynamic()
				r.Weights.PerChannel = perChannel
				q, err := fakequant.Insert(net, r)
				if err != nil {
					t.Fatal(err)
				}
				hybrid, err := export.DynamicRange(q)
				if err != nil {
					t.Fatal(err)
				}
				followsLiteRT(t, hybrid, x)
			}
			integers(t, net, samples, x, func(string, *graph.Graph, *graph.Graph) {})
		})
	}
}

// folded returns the float model of a network, which computes what the network
// does, up to the rounding of float32.
func folded(t *testing.T, net *graph.Graph, x []float32) *graph.Graph {
	t.Helper()
	float, err := export.Float32(net)
	if err != nil {
		t.Fatal(err)
	}
	rows := len(x) / net.Inputs[0].Elements()
	before, after := runInterp(t, net, x, rows)[net.Outputs[0]], runInterp(t, float, x, rows)[float.Outputs[0]]
	if d := relative(after.([]float32), before.([]float32)); !(d <= summation) {
		t.Errorf("the float model is off by %.3g of the largest value", d)
	}
	return float
}

// followsLiteRT holds every operator of a model that computes in float32 to
// LiteRT's, on LiteRT's inputs.
func followsLiteRT(t *testing.T, model *graph.Graph, x []float32) {
	t.Helper()
	m, err := readBack(model)
	if err != nil {
		t.Fatal(err)
	}
	run := runLiteRT(t, oracle.Start(t), m, oracle.Reference, x)
	for _, n := range m.graph.Nodes {
		run.compareNode(t, m.graph, n)
	}
}

// setBatchNorms gives BatchNorms of three channels gammas of both signs, one that
// is zero, and statistics that are not those of a new layer.
func setBatchNorms(g *graph.Graph) {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.BatchNorm); ok {
			for i, values := range [][3]float32{{-0.75, 0, 2}, {0.25, 0.4, -1}, {0.5, -2, 0.125}, {4, 0.25, 1}} {
				copy(n.Inputs[graph.InputGamma+i].Float32s(), values[:])
			}
		}
	}
}

// Negative and zero gammas go through the quantizer behind every operator with
// weights: codes turn their sign, and channels that are off give their beta.
func TestGammaThroughTheQuantizer(t *testing.T) {
	for name, net := range map[string]layers.Sequential{
		"CONV_2D":           {layers.Conv2D{Filters: 3, Kernel: [2]int{2, 2}}, layers.BatchNorm{Name: "bn"}},
		"DEPTHWISE_CONV_2D": {layers.DepthwiseConv2D{Kernel: [2]int{2, 2}}, layers.BatchNorm{Name: "bn"}},
		"FULLY_CONNECTED":   {layers.Flatten{}, layers.Dense{Units: 3}, layers.BatchNorm{Name: "bn"}},
		"TRANSPOSE_CONV":    {layers.Conv2DTranspose{Filters: 3, Kernel: [2]int{3, 2}, Strides: [2]int{2, 1}}, layers.BatchNorm{Name: "bn"}},
		"BATCH_NORM":        {layers.BatchNorm{Name: "bn"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input := layers.Input{4, 3, 3}
			g, err := net.Build(input, 1)
			if err != nil {
				t.Fatal(err)
			}
			setBatchNorms(g)
			samples, x := pixels(t, input, -3, 3)
			folded(t, g, x)
			integers(t, g, samples, x, func(kind string, q, model *graph.Graph) {
				// A channel whose gamma is 0 is the nearest code to its beta.
				y := model.Outputs[0]
				scale, zero := y.Quant.Scale[0], y.Quant.ZeroPoint[0]
				want := int8(quant.Code(0.4, scale, zero, quant.Signed(8, false)))
				codes := runInterp(t, model, encoded(t, model, x), len(x)/graph.Elements(input))[y].([]int8)
				for i := 1; i < len(codes); i += 3 {
					if d := int(codes[i]) - int(want); d < -1 || d > 1 {
						t.Fatalf("%s: a channel that is off gives %d, beta is %d", kind, codes[i], want)
					}
				}
			})
		})
	}
}

// encoded returns rows as the codes of a model's input.
func encoded(t *testing.T, model *graph.Graph, x []float32) any {
	t.Helper()
	input, err := interp.Encode(model.Inputs[0], x)
	if err != nil {
		t.Fatal(err)
	}
	return input
}

// Scale and shift of inputs, wherever they go: integers are LiteRT's and those of
// the simulation; where they go into the scale of the input, it takes codes of the
// raw pixels.
func TestRescaledInputs(t *testing.T) {
	input := layers.Input{5, 5, 3}
	rescaling := layers.Rescaling{Scale: 1.0 / 255}
	samples, x := pixels(t, input, 0, 255)
	normalization, err := layers.Normalization{}.Adapt(context.Background(), samples)
	if err != nil {
		t.Fatal(err)
	}
	conv := layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Padding: layers.Same, Activation: layers.ActReLU}
	for _, c := range []struct {
		name string
		net  layers.Sequential
		free bool // no operator is added for it
	}{
		{"a convolution", layers.Sequential{rescaling, conv}, true},
		{"a depthwise convolution", layers.Sequential{rescaling, layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, DepthMultiplier: 2}}, true},
		{"a dense layer", layers.Sequential{rescaling, layers.Flatten{}, layers.Dense{Units: 3}}, true},
		{"pools", layers.Sequential{rescaling, layers.MaxPool2D{}, layers.AveragePool2D{Strides: [2]int{1, 1}}, conv}, true},
		{"zeros around", layers.Sequential{rescaling, layers.ZeroPadding2D{Padding: [2][2]int{{1, 1}, {1, 1}}}, conv}, true},
		{"a BatchNorm", layers.Sequential{rescaling, layers.BatchNorm{}, conv}, true},
		{"an offset", layers.Sequential{layers.Rescaling{Scale: 1.0 / 127.5, Offset: -1}, conv}, false},
		{"a branch", layers.Sequential{rescaling, layers.Residual{Body: layers.Sequential{layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}}}}}, false},
		{"mean and variance", layers.Sequential{normalization, conv}, false},
		{"mean and variance of vectors", layers.Sequential{layers.Flatten{}, layers.Normalization{Mean: []float32{127}, Variance: []float32{5000}}, layers.Dense{Units: 3}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			net, err := c.net.Build(input, 1)
			if err != nil {
				t.Fatal(err)
			}
			setBatchNorms(net)
			integers(t, net, samples, x, func(kind string, q, model *graph.Graph) {
				in := model.Inputs[0]
				if got := in.Quant.Scale[0]; math.Abs(float64(got)-1) > 0.02 || in.Quant.ZeroPoint[0] != -128 { // pixels reach 250 or so
					t.Errorf("%s: the input has scale %v and zero point %d, want 1 and -128", kind, got, in.Quant.ZeroPoint[0])
				}
				added := slices.ContainsFunc(model.Nodes, func(n *graph.Node) bool {
					return strings.HasPrefix(n.Output.Name, "rescaling") || strings.HasPrefix(n.Output.Name, "normalization")
				})
				if added == c.free {
					t.Errorf("%s: an operator for it: %t\n%s", kind, added, model)
				}
			})
			followsLiteRT(t, folded(t, net, x), x)
			q, err := fakequant.Insert(net, dynamic())
			if err != nil {
				t.Fatal(err)
			}
			hybrid, err := export.DynamicRange(q)
			if err != nil {
				t.Fatal(err)
			}
			followsLiteRT(t, hybrid, x)
		})
	}
}
