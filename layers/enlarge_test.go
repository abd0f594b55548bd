package layers_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

// enlarged has the layers that make images larger.
func enlarged() layers.Sequential {
	return layers.Sequential{
		layers.Conv2DTranspose{Filters: 5, Kernel: [2]int{3, 2}, Strides: [2]int{2, 1}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.UpSampling2D{},
		layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{2, 4}, Strides: [2]int{3, 2}, Activation: layers.ActReLU6, Name: "up"},
		layers.UpSampling2D{Size: [2]int{1, 3}},
	}
}

// TestEnlarged: shapes for any batch, and the numbers of parameters that Keras
// has.
func TestEnlarged(t *testing.T) {
	in := layers.Input{3, 4, 2}
	g := build(t, enlarged(), in, 1)
	golden(t, "enlarged.graph", g.String())
	shapes, err := g.Shapes(7)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{7, 36, 54, 2}, shapes[g.Outputs[0]]); diff != "" {
		t.Errorf("output shape (-want +got):\n%s", diff)
	}
	text := summary(t, enlarged(), in)
	for _, want := range []string{
		"conv2d_transpose (Conv2DTranspose)       │ (None, 6, 4, 5)   │      60 │",
		"up_sampling2d (UpSampling2D)             │ (None, 12, 8, 5)  │       0 │",
		"up (Conv2DTranspose)                     │ (None, 36, 18, 2) │      82 │",
		"up_sampling2d_1 (UpSampling2D)           │ (None, 36, 54, 2) │       0 │",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestTransposedFan: Keras counts the fans of a transposed convolution as if its
// outputs went in.
func TestTransposedFan(t *testing.T) {
	const in, out, window = 40, 60, 5 * 5
	for init, fan := range map[layers.Initializer]float64{
		layers.GlorotUniform{}: (in + out) / 2., layers.HeNormal{}: out,
	} {
		limit := map[layers.Initializer]float64{layers.GlorotUniform{}: math.Sqrt(3), layers.HeNormal{}: 2 / 0.87962566}[init]
		s := layers.Sequential{layers.Conv2DTranspose{Filters: out, Kernel: [2]int{5, 5}, KernelInit: init}}
		variance := map[bool]float64{true: 1, false: 2}[init == layers.GlorotUniform{}] / (fan * window)
		checkMoments(t, init, build(t, s, layers.Input{9, 9, in}, 3).Parameters()[0].Float32s(), variance, limit)
	}
}

// TestUpSamplingIsExact: every pixel is repeated equally often, also by factors
// for which float32 needs the centers of pixels.
func TestUpSamplingIsExact(t *testing.T) {
	for _, size := range []int{1, 2, 3, 5, 7, 40, 41, 47, 55, 100, 123} {
		for _, in := range []int{1, 2, 3, 17, 96} {
			g := build(t, layers.Sequential{layers.UpSampling2D{Size: [2]int{size, 1}}}, layers.Input{in, 2, 1}, 1)
			op := g.Nodes[0].Op.(graph.ResizeNearestNeighbor)
			rows, _ := op.Sources(in, 2)
			for i, at := range rows {
				if at != i/size {
					t.Fatalf("%d rows by %d: row %d copies row %d", in, size, i, at)
				}
			}
			if op.HalfPixelCenters && size <= 40 {
				t.Errorf("%d rows by %d: %+v needs a newer runtime than it should", in, size, op)
			}
		}
	}
}

func TestEnlargeErrors(t *testing.T) {
	image, row := layers.Input{4, 4, 1}, layers.Input{6}
	up := layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{3, 3}}
	for _, c := range []struct {
		name  string
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{"no filters", image, layers.Conv2DTranspose{Kernel: [2]int{3, 3}}, `layer 0 (Conv2DTranspose "conv2d_transpose"): filters is 0`},
		{"no kernel", image, layers.Conv2DTranspose{Filters: 2}, `kernel is [0 0], want two positive numbers`},
		{"half a stride", image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{2, 0}}, `strides is [2 0]`},
		{"enormous stride", image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{1 << 16, 1}}, `must be between 1 and 32768`},
		{"large strides", image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{1 << 15, 1 << 15}}, `output: shape [1 131072 131072 2] has more than`},
		{"padding", image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}, Padding: 7}, `unknown padding 7`},
		{"unknown activation", image, layers.Conv2DTranspose{Filters: 2, Kernel: [2]int{1, 1}, Activation: 99}, `unknown activation 99`},
		{"rows", row, up, `node "conv2d_transpose" (TRANSPOSE_CONV): input 0 has shape [1 6], want an image`},
		{"upsampled rows", row, layers.UpSampling2D{}, `node "up_sampling2d" (RESIZE_NEAREST_NEIGHBOR): input 0 has shape [1 6], want an image`},
		{"half a size", image, layers.UpSampling2D{Size: [2]int{2, 0}}, `size is [2 0], want two positive numbers`},
		{"enormous size", image, layers.UpSampling2D{Size: [2]int{math.MaxInt, 2}}, `, which makes more than 536870911 elements of an image [1 4 4 1]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := layers.Sequential{c.layer}.Build(c.in, 1)
			wantError(t, err, c.want)
		})
	}
}
