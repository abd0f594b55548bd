package layers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
)

// accelerometer is a network of one-dimensional layers on windows of 64 steps of
// 3 axes.
func accelerometer() layers.Sequential {
	return layers.Sequential{
		layers.Conv1D{Filters: 8, Kernel: 5, Strides: 2, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.MaxPool1D{},
		layers.Conv1D{Filters: 12, Kernel: 3, Dilation: 2, Activation: layers.ActReLU},
		layers.Dropout{Rate: 0.1},
		layers.AveragePool1D{Pool: 3, Strides: 1, Padding: layers.Same},
		layers.Flatten{},
		layers.Dense{Units: 4},
	}
}

func reshapes(g *graph.Graph) int {
	n := 0
	for _, node := range g.Nodes {
		if _, ok := node.Op.(graph.Reshape); ok {
			n++
		}
	}
	return n
}

// TestSeriesKeepTheirForm: between one-dimensional layers nothing is reshaped;
// only where the rank changes, at the input and in Flatten.
func TestSeriesKeepTheirForm(t *testing.T) {
	g := build(t, accelerometer(), layers.Input{64, 3}, 1)
	golden(t, "series.graph", g.String())
	if n := reshapes(g); n != 2 {
		t.Errorf("%d reshapes, want one at the input and one in Flatten:\n%s", n, g)
	}
	// BatchNorm and activation lie directly behind their convolutions.
	for i, gr := range g.Groups() {
		if fused := []bool{true, true, false}[i]; (gr.Activation != nil) != fused || (gr.BatchNorm != nil) != (i == 0) {
			t.Errorf("group of %q: BatchNorm %v, activation %v", gr.Head.Name, gr.BatchNorm != nil, gr.Activation != nil)
		}
	}
	// A network that ends in a series gives it back as one.
	g = build(t, accelerometer()[:5], layers.Input{64, 3}, 1)
	if y := g.Outputs[0]; len(y.Shape) != 3 || reshapes(g) != 2 {
		t.Errorf("output %v after %d reshapes", y, reshapes(g))
	}
}

func TestSeriesErrors(t *testing.T) {
	for _, c := range []struct {
		layer layers.Layer
		in    layers.Input
		want  string
	}{
		{layers.Conv1D{Filters: 1, Kernel: 3}, layers.Input{8, 8, 1}, `(Conv1D "conv1d"): graph: node "conv1d" (RESHAPE): input 0 has shape [1 8 8 1], want a series [N, L, C]`},
		{layers.Conv1D{Filters: 1}, layers.Input{8, 1}, "kernel is 0, want a positive number"},
		{layers.Conv1D{Filters: 1, Kernel: 1, Strides: -1}, layers.Input{8, 1}, "strides is -1"},
		{layers.Conv1D{Kernel: 1}, layers.Input{8, 1}, "filters is 0"},
		{layers.Conv1D{Filters: 1, Kernel: 3, Strides: 2, Dilation: 2}, layers.Input{8, 1}, "together with dilation"},
		{layers.Conv1D{Filters: 1, Kernel: 9}, layers.Input{8, 1}, "an image that holds a 1x9 window"},
		{layers.MaxPool1D{Pool: -2}, layers.Input{8, 1}, "pool is -2"},
		{layers.AveragePool1D{Pool: 2, Strides: -2}, layers.Input{8, 1}, "strides is -2"},
		{layers.DepthwiseConv1D{Kernel: -1}, layers.Input{8, 1}, "kernel is -1"},
		{layers.SeparableConv1D{Filters: 1}, layers.Input{8, 1}, "kernel is 0"},
		{layers.UpSampling1D{Size: -1}, layers.Input{8, 1}, "size is -1"},
		{layers.Cropping1D{Cropping: [2]int{4, 4}}, layers.Input{8, 1}, "something is left"},
		{layers.GlobalAveragePool1D{}, layers.Input{8}, "want a series [N, L, C]"},
		{layers.MaxPool1D{}, layers.Input{8}, "want a series [N, L, C]"},
	} {
		if _, err := (layers.Sequential{c.layer}).Build(c.in, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v on %v: %v, want %q", c.layer, c.in, err, c.want)
		}
	}
}

// TestSeriesInBranches: sums and concatenations of series keep the form, too.
func TestSeriesInBranches(t *testing.T) {
	conv := layers.Conv1D{Filters: 6, Kernel: 3, Padding: layers.Same}
	g := build(t, layers.Sequential{
		layers.SeparableConv1D{Filters: 6, Kernel: 5, Padding: layers.Same, Activation: layers.ActReLU},
		layers.Residual{Body: layers.Sequential{conv, layers.BatchNorm{}, layers.ReLU{}, conv}, Activation: layers.ActReLU},
		layers.Concat{Branches: []layers.Layer{layers.DepthwiseConv1D{Kernel: 3, Padding: layers.Same}, layers.MaxPool1D{Strides: 1, Padding: layers.Same}}},
		layers.ZeroPadding1D{}, layers.Cropping1D{Cropping: [2]int{0, 2}}, layers.UpSampling1D{},
		layers.GlobalMaxPool1D{},
		layers.Dense{Units: 2},
	}, layers.Input{16, 3}, 1)
	if n := reshapes(g); n != 1 {
		t.Errorf("%d reshapes, want the one at the input:\n%s", n, g)
	}
}

// TestSeriesShapes: what one-dimensional layers make of a series.
func TestSeriesShapes(t *testing.T) {
	for _, c := range []struct {
		layer layers.Layer
		want  []int // of a series [1, 9, 2]
	}{
		{layers.DepthwiseConv1D{Kernel: 3, DepthMultiplier: 3}, []int{1, 7, 6}},
		{layers.SeparableConv1D{Filters: 5, Kernel: 2, Strides: 2, Padding: layers.Same}, []int{1, 5, 5}},
		{layers.ZeroPadding1D{}, []int{1, 11, 2}},
		{layers.ZeroPadding1D{Padding: [2]int{3, 0}}, []int{1, 12, 2}},
		{layers.Cropping1D{}, []int{1, 7, 2}},
		{layers.Cropping1D{Cropping: [2]int{0, 4}}, []int{1, 5, 2}},
		{layers.UpSampling1D{}, []int{1, 18, 2}},
		{layers.UpSampling1D{Size: 3}, []int{1, 27, 2}},
		{layers.GlobalAveragePool1D{}, []int{1, 2}},
		{layers.GlobalAveragePool1D{KeepDims: true}, []int{1, 1, 2}},
		{layers.GlobalMaxPool1D{}, []int{1, 2}},
		{layers.GlobalMaxPool1D{KeepDims: true}, []int{1, 1, 2}},
	} {
		g := build(t, layers.Sequential{c.layer}, layers.Input{9, 2}, 1)
		if got := g.Outputs[0].Shape; !slices.Equal(got, c.want) {
			t.Errorf("%T %+v gives %v, want %v", c.layer, c.layer, got, c.want)
		}
	}
}

// TestConv1D compares the layer with its formula.
func TestConv1D(t *testing.T) {
	const length, channels, filters, kernel = 9, 2, 3, 4
	for _, c := range []struct {
		padding           layers.Padding
		strides, dilation int
	}{
		{layers.Valid, 1, 1}, {layers.Same, 1, 1}, {layers.Same, 3, 1}, {layers.Valid, 2, 1}, {layers.Same, 1, 2}, {layers.Valid, 1, 2},
	} {
		g := build(t, layers.Sequential{layers.Conv1D{
			Filters: filters, Kernel: kernel, Strides: c.strides, Dilation: c.dilation, Padding: c.padding, BiasInit: layers.GlorotUniform{},
		}}, layers.Input{length, channels}, 5)
		x := make([]float32, length*channels)
		for i := range x {
			x[i] = float32(i*i%17) - 8
		}
		ip, err := interp.New(g, interp.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := ip.RunFloat(x)
		if err != nil {
			t.Fatal(err)
		}
		p := g.Parameters()
		w, bias := p[0].Float32s(), p[1].Float32s()
		extent := (kernel-1)*c.dilation + 1
		steps, before := (length-extent)/c.strides+1, 0
		if c.padding == layers.Same {
			steps = (length + c.strides - 1) / c.strides
			before = max((steps-1)*c.strides+extent-length, 0) / 2
		}
		if len(got) != steps*filters {
			t.Fatalf("%+v: %d outputs, want %d", c, len(got), steps*filters)
		}
		for i := range steps {
			for o := range filters {
				want := float64(bias[o])
				for u := range kernel {
					at := i*c.strides + u*c.dilation - before
					for k := 0; at >= 0 && at < length && k < channels; k++ {
						want += float64(x[at*channels+k]) * float64(w[(o*kernel+u)*channels+k])
					}
				}
				if d := float64(got[i*filters+o]) - want; d > 1e-5 || d < -1e-5 { // sums of 8 products of at most 8*0.6
					t.Errorf("%+v: step %d, filter %d: %v, want %v", c, i, o, got[i*filters+o], want)
				}
			}
		}
	}
}
