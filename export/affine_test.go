package export

import (
	"math"
	"strings"
	"testing"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// operators returns the names of the operators of g.
func operators(g *graph.Graph) string {
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Op.Name())
	}
	return strings.Join(names, " ")
}

// Where the scale and shift of a channel go: into the weights of the next layer
// or the scale of the input where that changes nothing, else into a depthwise
// convolution.
func TestWhereAffineGoes(t *testing.T) {
	rescaling := layers.Rescaling{Scale: 1.0 / 255}
	normalization := layers.Normalization{Mean: []float32{100, 50, 20}, Variance: []float32{900, 400, 1}}
	valid := layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}}
	same := layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, Padding: layers.Same, BiasInit: layers.Ones{}}
	pixel := layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Padding: layers.Same, BiasInit: layers.Ones{}}
	dense := layers.Dense{Units: 2}
	for _, c := range []struct {
		name           string
		net            layers.Sequential
		float, integer string
	}{
		{"rescaled convolution", layers.Sequential{rescaling, same}, "CONV_2D", "CONV_2D"},
		{"rescaled dense layer", layers.Sequential{rescaling, layers.Flatten{}, dense}, "RESHAPE FULLY_CONNECTED", "RESHAPE FULLY_CONNECTED"},
		{"rescaled behind pools", layers.Sequential{rescaling, layers.MaxPool2D{}, layers.AveragePool2D{}, same}, "MAX_POOL_2D AVERAGE_POOL_2D CONV_2D", "MAX_POOL_2D AVERAGE_POOL_2D CONV_2D"},
		{"rescaled with an offset", layers.Sequential{layers.Rescaling{Scale: 1.0 / 127.5, Offset: -1}, valid}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"rescaled twice", layers.Sequential{rescaling, layers.Rescaling{Scale: 3}, valid}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"rescaled in front of a batch norm", layers.Sequential{rescaling, layers.BatchNorm{}, same}, "DEPTHWISE_CONV_2D CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"turned round", layers.Sequential{layers.Rescaling{Scale: -1}, same}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"normalized convolution", layers.Sequential{normalization, valid}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"normalized pixels", layers.Sequential{normalization, pixel}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"normalized with zeros around", layers.Sequential{normalization, same}, "DEPTHWISE_CONV_2D CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"normalized dense layer", layers.Sequential{normalization, layers.Flatten{}, dense}, "RESHAPE FULLY_CONNECTED", "DEPTHWISE_CONV_2D RESHAPE FULLY_CONNECTED"},
		{"normalized behind a pool", layers.Sequential{normalization, layers.MaxPool2D{}, valid}, "DEPTHWISE_CONV_2D MAX_POOL_2D CONV_2D", "DEPTHWISE_CONV_2D MAX_POOL_2D CONV_2D"},
		{"normalized vector", layers.Sequential{layers.Flatten{}, layers.Dense{Units: 3, Activation: layers.ActReLU}, normalization, dense}, "RESHAPE FULLY_CONNECTED FULLY_CONNECTED", "RESHAPE FULLY_CONNECTED RESHAPE DEPTHWISE_CONV_2D RESHAPE FULLY_CONNECTED"},
		{"normalized at the end", layers.Sequential{valid, layers.ReLU{}, layers.Normalization{Mean: []float32{1}, Variance: []float32{4}}, layers.ReLU{}}, "CONV_2D DEPTHWISE_CONV_2D", "CONV_2D DEPTHWISE_CONV_2D"},
		{"batch norm on the input", layers.Sequential{layers.BatchNorm{}, valid}, "CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"batch norm with zeros around", layers.Sequential{layers.BatchNorm{}, same}, "DEPTHWISE_CONV_2D CONV_2D", "DEPTHWISE_CONV_2D CONV_2D"},
		{"batch norms in a row", layers.Sequential{valid, layers.BatchNorm{}, layers.BatchNorm{}, layers.ReLU{}}, "CONV_2D DEPTHWISE_CONV_2D", "CONV_2D DEPTHWISE_CONV_2D"},
	} {
		t.Run(c.name, func(t *testing.T) {
			net, err := c.net.Build(layers.Input{12, 12, 3}, 1)
			if err != nil {
				t.Fatal(err)
			}
			unsettle(net)
			model, err := Float32(net)
			if err != nil {
				t.Fatal(err)
			}
			if got := operators(model); got != c.float {
				t.Errorf("float32 has %s, want %s", got, c.float)
			}
			if d := apart(t, net, model); !(d <= 1e-5) { // sums of 100 products, rounded otherwise
				t.Errorf("float32 is off by %.3g of the largest value", d)
			}
			for _, r := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
				q, err := fakequant.Insert(net, r)
				if err != nil {
					t.Fatal(err)
				}
				for _, z := range q.Quantizers() {
					if z.Source == graph.MovingAverage {
						z.SetRange(quant.Range{Min: 0, Max: 1, Weight: 1})
					}
				}
				model, err := Integer(q, Options{Input: graph.Int8, Output: graph.Int8})
				if err != nil {
					t.Fatal(err)
				}
				if got := operators(model); got != c.integer {
					t.Errorf("%s has %s, want %s", r.Name, got, c.integer)
				}
			}
		})
	}
}

// unsettle gives the statistics and parameters of BatchNorm other values than
// those that change nothing.
func unsettle(g *graph.Graph) {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.BatchNorm); ok {
			for i, values := range [][3]float32{{-1, 0.5, 2}, {0.25, -1, 3}, {1, -2, 0.5}, {4, 0.25, 1}} {
				copy(n.Inputs[graph.InputGamma+i].Float32s(), values[:])
			}
		}
	}
}

// apart returns the largest difference of two networks' outputs on pixels,
// relative to the largest output.
func apart(t *testing.T, a, b *graph.Graph) float64 {
	t.Helper()
	x := make([]float32, a.Inputs[0].Elements())
	for i := range x {
		x[i] = float32(i * 89 % 256)
	}
	var outputs [2][]float32
	for i, g := range []*graph.Graph{a, b} {
		ip, err := interp.New(g, interp.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if outputs[i], err = ip.RunFloat(x); err != nil {
			t.Fatal(err)
		}
	}
	largest, off := 0.0, 0.0
	for i, v := range outputs[0] {
		largest, off = max(largest, math.Abs(float64(v))), max(off, math.Abs(float64(v)-float64(outputs[1][i])))
	}
	return off / largest
}

// With Rescaling(1/255), an int8 model takes the codes of raw pixels: code p-128
// for pixel p, at scale 1. Weights have the scales that make up for it.
func TestRawPixels(t *testing.T) {
	build := func(l ...layers.Layer) *graph.Graph {
		g, err := layers.Sequential(l).Build(layers.Input{4, 4, 3}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	pool, conv := layers.MaxPool2D{}, layers.Conv2D{Name: "conv", Filters: 2, Kernel: [2]int{2, 2}}
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), dynamicRange()} {
		var models [2]*graph.Graph // on raw pixels, and on pixels from 0 to 1
		for i, net := range []*graph.Graph{build(layers.Rescaling{Scale: 1.0 / 255}, pool, conv), build(pool, conv)} {
			for j := range named(t, net, "conv/kernel").Float32s() { // its random values depend on its position
				named(t, net, "conv/kernel").Float32s()[j] = float32(j*37%64-32) / 64
			}
			q, err := fakequant.Insert(net, recipe)
			if err != nil {
				t.Fatal(err)
			}
			export := DynamicRange
			if recipe.Mode == quant.Integer {
				export = func(g *graph.Graph) (*graph.Graph, error) {
					for _, z := range g.Quantizers() {
						if z.Source == graph.MovingAverage {
							z.SetRange(quant.Range{Min: 0, Max: 1, Weight: 1})
						}
					}
					return Integer(g, Options{Input: graph.Int8, Output: graph.Int8})
				}
			}
			if models[i], err = export(q); err != nil {
				t.Fatal(err)
			}
		}
		raw, unit := models[0], models[1]
		if operators(raw) != operators(unit) {
			t.Fatalf("%s: %s, without Rescaling %s", recipe.Name, operators(raw), operators(unit))
		}
		if in := raw.Inputs[0]; recipe.Mode == quant.Integer && (in.Quant.Scale[0] != 1 || in.Quant.ZeroPoint[0] != -128) {
			t.Errorf("%s: the input has scale %v and zero point %d, want 1 and -128", recipe.Name, in.Quant.Scale[0], in.Quant.ZeroPoint[0])
		}
		w, v := named(t, raw, "conv/kernel"), named(t, unit, "conv/kernel")
		for i, code := range v.Int8s() {
			if w.Int8s()[i] != code {
				t.Fatalf("%s: weight %d has code %d, without Rescaling %d", recipe.Name, i, w.Int8s()[i], code)
			}
		}
		for i, s := range v.Quant.Scale {
			if w.Quant.Scale[i] != s*(1.0/255) {
				t.Errorf("%s: scale %d is %v, want %v", recipe.Name, i, w.Quant.Scale[i], s*(1.0/255))
			}
		}
	}
}
