package diagnose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data/digits"
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

// branches is a network whose operators copy codes, average, requantize for a
// concatenation, have fixed outputs and constants.
func branches(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := layers.Sequential{
		layers.ZeroPadding2D{},
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Activation: layers.ActReLU},
		layers.Concat{Branches: []layers.Layer{
			layers.Sequential{layers.MaxPool2D{}, layers.Conv2D{Filters: 3, Kernel: [2]int{1, 1}, Activation: layers.ActSigmoid}},
			layers.AveragePool2D{},
		}},
		layers.LeakyReLU{},
		layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{2, 2}, Activation: layers.ActReLU},
		layers.Flatten{},
		layers.Dense{Units: 10, Activation: layers.ActSoftmax},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// finished is a float network as it is quantized.
func finished(t *testing.T, net *graph.Graph) *graph.Graph {
	t.Helper()
	net, err := posttrain.Rearrange(context.Background(), net, nil, posttrain.Repair{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// file is a graph as it is read from a file.
func file(t *testing.T, model *graph.Graph) *graph.Graph {
	t.Helper()
	content, err := tflite.Marshal(model)
	if err == nil {
		model, err = tflite.Unmarshal(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func outputs(t *testing.T, g *graph.Graph, x []float32) []float32 {
	t.Helper()
	ip, err := interp.New(g, interp.Options{Batch: 8})
	if err != nil {
		t.Fatal(err)
	}
	y, err := ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// With every layer quantized a mixed network has the very codes of the model, and
// with none the values of the float network, in every mode that a file can have.
func TestMixedIsEither(t *testing.T) {
	set, _ := digits.Load()
	x, y := make([]float32, 8*64), make([]float32, 8)
	if err := set.Read([]int{0, 1, 2, 3, 4, 5, 6, 7}, x, y); err != nil {
		t.Fatal(err)
	}
	four := quant.Int8()
	four.Weights.Bits = 4
	keeps := quant.Int8()
	keeps.KeepFloat = []string{"conv2d"}
	dynamic, stored := quant.DynamicRange(), quant.Int8Weights()
	dynamic.MinElements, stored.MinElements = 0, 0
	integer := export.Options{Input: graph.Int8, Output: graph.Int8}
	for _, c := range []struct {
		name   string
		recipe quant.Recipe
		border export.Options
	}{
		{"int8", quant.Int8(), integer},
		{"per tensor", quant.Int8PerTensor(), export.Options{}},
		{"uint8 borders", quant.Int8(), export.Options{Input: graph.UInt8, Output: graph.UInt8}},
		{"int16", quant.Int16x8(), export.Options{Input: graph.Int16}},
		{"int4", four, integer},
		{"kept", keeps, integer},
		{"dynamic range", dynamic, export.Options{}},
		{"int8 weights", stored, export.Options{}},
		{"float16", quant.Float16(), export.Options{}},
	} {
		for i, net := range []*graph.Graph{network(t), branches(t)} {
			net := finished(t, net)
			model, err := posttrain.Quantize(context.Background(), net, c.recipe, set, posttrain.Options{Calibration: posttrain.Calibration{Samples: 100}, Export: c.border})
			if err != nil {
				t.Fatal(err)
			}
			for _, model := range []*graph.Graph{model, file(t, model)} {
				layers, leave, err := leavable(net, model)
				if err != nil {
					t.Fatalf("%s, network %d: %v", c.name, i, err)
				}
				for all, want := range map[bool]*graph.Graph{false: model, true: net} {
					g, err := leave(func(string) bool { return all })
					if err != nil {
						t.Fatalf("%s, network %d: %v", c.name, i, err)
					}
					if !slices.Equal(outputs(t, g, x), outputs(t, want, x)) {
						t.Errorf("%s, network %d: with all of %q left out: %v, the outputs are others", c.name, i, layers.names, all)
					}
				}
				for _, name := range layers.names { // each is of some effect
					g, err := leave(func(l string) bool { return l != name })
					if err != nil {
						t.Fatalf("%s, network %d: %v", c.name, i, err)
					}
					if slices.Equal(outputs(t, g, x), outputs(t, net, x)) && name != "input" {
						t.Errorf("%s, network %d: nothing changes with %q quantized alone", c.name, i, name)
					}
				}
			}
		}
	}
}

// A network with FakeQuant nodes and the file that is made of it have the same
// layers and effects, whether it was calibrated or trained. A layer on its own is
// computed in float32 in both, so what differs is a code on the edge between two;
// more layers at a time differ by the steps of the integers' own rounding, as the
// tensors do in TestTensorsOfEveryForm. Rows whose two largest outputs are a step
// apart may change places: five of a hundred in networks that know so little.
func TestLayersOfNodesAndFiles(t *testing.T) {
	set, _ := digits.Load()
	ctx := context.Background()
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
		for _, build := range []func(*testing.T) *graph.Graph{network, branches} {
			q, err := fakequant.Insert(build(t), recipe)
			if err == nil {
				err = posttrain.Calibrate(ctx, q, set, posttrain.Calibration{Samples: 200})
			}
			if err != nil {
				t.Fatal(err)
			}
			trained := q.Clone()
			m, err := train.Compile(trained, train.Config{Loss: train.SparseCategoricalCrossentropy{}, Optimizer: train.Adam{}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, err := m.Fit(ctx, set, train.FitConfig{}); err != nil {
				t.Fatal(err)
			}
			for name, q := range map[string]*graph.Graph{"calibrated": q, "trained": trained} {
				name = fmt.Sprint(recipe.Name, ", ", name)
				model, err := export.Integer(q, export.Options{})
				if err != nil {
					t.Fatal(err)
				}
				want, wantAll, err := Layers(ctx, nil, q, set, Options{Samples: 100})
				if err != nil {
					t.Fatal(err)
				}
				float, err := export.Float32(q.Unquantized(nil))
				if err != nil {
					t.Fatal(err)
				}
				got, all, err := Layers(ctx, file(t, float), file(t, model), set, Options{Samples: 100})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if len(got) != len(want) {
					t.Fatalf("%s: layers %v, want %v", name, got, want)
				}
				near := func(what string, got, want Effect, decibels float64) {
					if d := math.Abs(float64(got.SQNR - want.SQNR)); !(d <= decibels) || math.Abs(got.Agreement-want.Agreement) > 0.055 {
						t.Errorf("%s: %s: %+v, want %+v", name, what, got, want)
					}
				}
				near("all", all, wantAll, 0.5)
				for i, w := range want {
					if got[i].Op != w.Op {
						t.Errorf("%s: layer %d is %s %q, want %s %q", name, i, got[i].Op, got[i].Name, w.Op, w.Name)
					}
					near(w.Name+" alone", got[i].Alone, w.Alone, 0.1)
					near("all but "+w.Name, got[i].Without, w.Without, 0.5)
				}
				own, ownAll, err := Layers(ctx, nil, file(t, model), set, Options{Samples: 100})
				if err != nil || len(own) != len(want) || ownAll.SQNR <= all.SQNR-0.5 {
					t.Errorf("%s: with the model's own weights %v, %+v (%v), beside the float network's %+v", name, own, ownAll, err, all)
				}
			}
		}
	}
}

// Without a float network the activations of a model are compared with what its
// codes stand for.
func TestTensorsOfAModelAlone(t *testing.T) {
	model, err := export.Integer(inserted(t, quant.Int8()), export.Options{Input: graph.UInt8})
	if err != nil {
		t.Fatal(err)
	}
	list := tensors(t, nil, file(t, model))
	for _, r := range list {
		if r.Weights || r.SQNR < 20 {
			t.Errorf("%+v", r)
		}
	}
	if first := list[0]; len(list) < 5 || first.Op != "input" || first.Name != "input" {
		t.Errorf("the tensors are %s", names(list))
	}
}

// A float network that the model was not made from is told from that by the weights.
func TestOrigin(t *testing.T) {
	set, _ := digits.Load()
	ctx := context.Background()
	net := finished(t, network(t))
	repaired, err := posttrain.Quantize(ctx, net, quant.Int8(), set, posttrain.Options{Repair: posttrain.Repair{AdaRound: true, CorrectBias: true, Sampling: posttrain.Sampling{Samples: 64}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Layers(ctx, net, repaired, set, Options{Samples: 10}); err != nil {
		t.Errorf("AdaRound and bias correction: %v", err)
	}
	pair, err := layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Activation: layers.ActReLU, Name: "first"},
		layers.Conv2D{Filters: 4, Kernel: [2]int{3, 3}, Name: "second"},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	pair = finished(t, pair)
	equalized, err := posttrain.Quantize(ctx, pair, quant.Int8(), set, posttrain.Options{Repair: posttrain.Repair{Equalize: true}})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := posttrain.Quantize(ctx, net, quant.Float16(), nil, posttrain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		float, model *graph.Graph
		want         string
		origin       bool
	}{
		"equalized": {pair, equalized, "is not what the model was made from: weights of layer", true},
		"other":     {net, equalized, "the float network has no weights for layer", true},
		"nothing":   {nil, stored, "quantizes nothing but weights, and computes in float32", false},
		"float":     {nil, net, "is not quantized", false},
	} {
		_, _, err := Layers(ctx, c.float, c.model, set, Options{Samples: 10})
		var origin *OriginError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &origin) != c.origin {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
