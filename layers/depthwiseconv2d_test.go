package layers_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
)

// outputs runs a network on one example of small whole numbers.
func outputs(t *testing.T, g *graph.Graph) (x, y []float32) {
	t.Helper()
	x = make([]float32, g.Inputs[0].Elements())
	for i := range x {
		x[i] = float32(i*i%17) - 8
	}
	ip, err := interp.New(g, interp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	y, err = ip.RunFloat(x)
	if err != nil {
		t.Fatal(err)
	}
	return x, y
}

// TestDepthwiseConv2D compares the layer with Keras' definition: each channel by
// itself, its DepthMultiplier results next to each other.
func TestDepthwiseConv2D(t *testing.T) {
	const height, width, channels, multiplier = 7, 6, 2, 3
	for _, c := range []struct {
		padding           layers.Padding
		strides, dilation [2]int
	}{
		{layers.Valid, [2]int{1, 1}, [2]int{1, 1}}, {layers.Same, [2]int{2, 2}, [2]int{1, 1}},
		{layers.Same, [2]int{1, 1}, [2]int{2, 1}}, {layers.Valid, [2]int{2, 1}, [2]int{1, 2}},
	} {
		l := layers.DepthwiseConv2D{
			Kernel: [2]int{3, 2}, Strides: c.strides, Dilation: c.dilation, Padding: c.padding, DepthMultiplier: multiplier,
			BiasInit: layers.GlorotUniform{}, Activation: layers.ActReLU,
		}
		g := build(t, layers.Sequential{l}, layers.Input{height, width, channels}, 5)
		x, got := outputs(t, g)
		w, bias := g.Parameters()[0].Float32s(), g.Parameters()[1].Float32s()
		rows, top := c.padding.Window(height, 3, c.strides[0], c.dilation[0])
		cols, left := c.padding.Window(width, 2, c.strides[1], c.dilation[1])
		if len(got) != rows*cols*channels*multiplier {
			t.Fatalf("%+v: %d outputs", c, len(got))
		}
		for i, y := range got {
			o, col, row := i%(channels*multiplier), i/(channels*multiplier)%cols, i/(channels*multiplier)/cols
			want := float64(bias[o])
			for u := range 3 {
				for v := range 2 {
					r, s := row*c.strides[0]+u*c.dilation[0]-top, col*c.strides[1]+v*c.dilation[1]-left
					if r >= 0 && r < height && s >= 0 && s < width {
						want += float64(x[(r*width+s)*channels+o/multiplier]) * float64(w[(u*2+v)*channels*multiplier+o])
					}
				}
			}
			if d := float64(y) - max(want, 0); math.Abs(d) > 1e-5 { // sums of 6 products of at most 8*0.6
				t.Errorf("%+v: output %d: %v, want %v", c, i, y, want)
			}
		}
	}
}

// TestSeparableConv2D: a depthwise convolution without bias and a pointwise one,
// with the same weights.
func TestSeparableConv2D(t *testing.T) {
	in := layers.Input{5, 6, 3}
	g := build(t, layers.Sequential{layers.SeparableConv2D{
		Filters: 4, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, DepthMultiplier: 2, Activation: layers.ActReLU, BiasInit: layers.GlorotNormal{},
	}}, in, 5)
	two := build(t, layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, DepthMultiplier: 2, NoBias: true},
		layers.Conv2D{Filters: 4, Kernel: [2]int{1, 1}, Activation: layers.ActReLU},
	}, in, 6)
	var names []string
	for i, p := range g.Parameters() {
		copy(two.Parameters()[i].Float32s(), p.Float32s())
		names = append(names, p.String())
	}
	_, want := outputs(t, two)
	if _, got := outputs(t, g); !cmp.Equal(want, got) {
		t.Errorf("%v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{
		"separable_conv2d/depthwise_kernel float32[1 3 3 6]",
		"separable_conv2d/pointwise_kernel float32[4 1 1 6]",
		"separable_conv2d/bias float32[4]",
	}, names); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

// TestDepthwiseFan: Keras computes the fan of a depthwise kernel [KH, KW, C, M]
// as of any convolution's: in KH*KW*C, out KH*KW*M.
func TestDepthwiseFan(t *testing.T) {
	const channels, multiplier, window = 30, 80, 5 * 5 // 60,000 weights
	for _, c := range []struct {
		init     layers.Initializer
		variance float64
		limit    float64
	}{
		{nil, 2. / (window * (channels + multiplier)), math.Sqrt(3)},
		{layers.HeNormal{}, 2. / (window * channels), 2 / 0.87962566},
	} {
		for _, l := range []layers.Layer{
			layers.DepthwiseConv2D{Kernel: [2]int{5, 5}, DepthMultiplier: multiplier, DepthwiseInit: c.init},
			layers.SeparableConv2D{Kernel: [2]int{5, 5}, DepthMultiplier: multiplier, DepthwiseInit: c.init, Filters: 1},
		} {
			g := build(t, layers.Sequential{l}, layers.Input{5, 5, channels}, 3)
			checkMoments(t, c.init, g.Parameters()[0].Float32s(), c.variance, c.limit)
		}
	}
}

// TestDepthwiseSummary: the numbers that Keras prints.
func TestDepthwiseSummary(t *testing.T) {
	text := summary(t, layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Padding: layers.Same},
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, DepthMultiplier: 2, NoBias: true},
		layers.SeparableConv2D{Filters: 10, Kernel: [2]int{3, 3}},
	}, layers.Input{8, 8, 4})
	for _, want := range []string{
		"depthwise_conv2d (DepthwiseConv2D)   │ (None, 8, 8, 4)  │   40 │",
		"depthwise_conv2d_1 (DepthwiseConv2D) │ (None, 6, 6, 8)  │   72 │",
		"separable_conv2d (SeparableConv2D)   │ (None, 4, 4, 10) │  162 │",
		"Total params: 274",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestDepthwiseRules(t *testing.T) {
	g := build(t, layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{1, 1}, DepthwiseRegularizer: layers.L2{}, BiasConstraint: layers.NonNeg{}},
		layers.SeparableConv2D{Filters: 2, Kernel: [2]int{1, 1}, DepthwiseConstraint: layers.UnitNorm{}, PointwiseRegularizer: layers.L1{}, BiasRegularizer: layers.L2{L2: 3}},
	}, layers.Input{3, 3, 2}, 1)
	got := map[string]graph.Tensor{}
	for _, p := range g.Parameters() {
		got[p.Name] = graph.Tensor{Penalty: p.Penalty, Constraint: p.Constraint}
	}
	want := map[string]graph.Tensor{
		"depthwise_conv2d/kernel":           {Penalty: graph.Penalty{L2: 0.01}},
		"depthwise_conv2d/bias":             {Constraint: graph.Constraint{Bound: graph.NonNeg}},
		"separable_conv2d/depthwise_kernel": {Constraint: graph.Constraint{Bound: graph.UnitNorm}},
		"separable_conv2d/pointwise_kernel": {Penalty: graph.Penalty{L1: 0.01}},
		"separable_conv2d/bias":             {Penalty: graph.Penalty{L2: 3}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDepthwiseErrors(t *testing.T) {
	image := layers.Input{4, 4, 1}
	three := [2]int{3, 3}
	for _, c := range []struct {
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{image, layers.DepthwiseConv2D{}, `layer 0 (DepthwiseConv2D "depthwise_conv2d"): kernel is [0 0], want two positive numbers`},
		{image, layers.DepthwiseConv2D{Kernel: three, DepthMultiplier: -1}, `depth multiplier is -1`},
		{image, layers.DepthwiseConv2D{Kernel: three, Strides: [2]int{2, 0}}, `strides is [2 0]`},
		{image, layers.DepthwiseConv2D{Kernel: three, Dilation: [2]int{-1, 1}}, `dilation is [-1 1]`},
		{image, layers.DepthwiseConv2D{Kernel: three, Padding: 9}, `unknown padding 9`},
		{image, layers.DepthwiseConv2D{Kernel: three, Dilation: [2]int{2, 2}}, `(DEPTHWISE_CONV_2D): input 0 has shape [1 4 4 1], want an image that holds a 5x5 window`},
		{layers.Input{4}, layers.DepthwiseConv2D{Kernel: three}, `(DEPTHWISE_CONV_2D): input 0 has shape [1 4], want an image`},
		{image, layers.SeparableConv2D{Kernel: three}, `layer 0 (SeparableConv2D "separable_conv2d"): filters is 0`},
		{image, layers.SeparableConv2D{Filters: 1}, `kernel is [0 0]`},
		{image, layers.SeparableConv2D{Filters: 1, Kernel: [2]int{5, 1}}, `node "separable_conv2d/depthwise" (DEPTHWISE_CONV_2D): input 0`},
	} {
		_, err := layers.Sequential{c.layer}.Build(c.in, 1)
		wantError(t, err, c.want)
	}
}
