package interp_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// depthwiseNet has two depthwise convolutions, on float32 or int8 activations
// with float32 or int8 weights.
func depthwiseNet(t testing.TB, activations, weights graph.Type, perChannel bool) *graph.Graph {
	b := newBuilder(t, 6)
	var in, out *quant.Params
	if activations == graph.Int8 {
		in, out = ptr(0.02, -13), ptr(0.25, 20)
	}
	h := b.input("x", activations, in, 1, 9, 6, 3)
	for _, l := range []struct {
		name  string
		op    graph.DepthwiseConv2D
		shape []int
	}{
		{"one", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2, DepthMultiplier: 2, Activate: quant.Relu}, []int{1, 3, 2, 6}},
		{"two", graph.DepthwiseConv2D{StrideH: 1, StrideW: 2, DilationH: 2, DilationW: 1, DepthMultiplier: 1}, []int{1, 2, 3, 6}},
	} {
		inputs := []*graph.Tensor{h, b.floats(l.name+"/w", l.shape...)}
		if weights == graph.Int8 {
			inputs[1] = b.weights(l.name+"/w", perChannel, l.shape...)
		}
		switch {
		case l.name == "two":
		case activations == graph.Int8:
			inputs = append(inputs, b.bias(l.name+"/b", h, inputs[1]))
		default:
			inputs = append(inputs, b.floats(l.name+"/b", l.shape[3]))
		}
		h = b.op(l.name, l.op, activations, out, inputs...)
	}
	return b.done(h)
}

func TestDepthwiseConv2DIsItsFormula(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		image, kernel, stride, dilation, padding := geometry(rt)
		b := newBuilder(t, rapid.Uint64().Draw(rt, "seed"))
		multiplier := rapid.IntRange(1, 3).Draw(rt, "multiplier")
		act := quant.Activation(rapid.IntRange(0, 3).Draw(rt, "activation"))
		batch := rapid.IntRange(1, 3).Draw(rt, "batch")
		op := graph.DepthwiseConv2D{Padding: padding, StrideH: stride[0], StrideW: stride[1], DilationH: dilation[0], DilationW: dilation[1], DepthMultiplier: multiplier, Activate: act}
		outputs := image[3] * multiplier
		in := b.input("x", graph.Float32, nil, image...)
		w, bias := b.floats("w", 1, kernel[0], kernel[1], outputs), b.floats("b", outputs)
		x, y, shape := compute(t, b, batch, op, in, w, bias)
		window(batch, image, shape, kernel, stride, dilation, padding, func(n, i, j int, taps func(func(u, v, row, col int))) {
			for o := range outputs {
				var sum float32
				taps(func(u, v, row, col int) {
					sum += float32(x[((n*image[1]+row)*image[2]+col)*image[3]+o/multiplier] * w.Float32s()[(u*kernel[1]+v)*outputs+o])
				})
				at := ((n*shape[1]+i)*shape[2]+j)*outputs + o
				if want := clamp(act, sum+bias.Float32s()[o]); y[at] != want {
					rt.Fatalf("element %d is %v, want %v", at, y[at], want)
				}
			}
		})
	})
}

// A pointwise depthwise convolution is what a BatchNorm does by itself: one
// factor and one addend for each channel.
func TestDepthwiseScalesChannels(t *testing.T) {
	b := newBuilder(t, 1)
	in := b.input("x", graph.Float32, nil, 1, 2, 3, 5)
	w, bias := b.floats("w", 1, 1, 1, 5), b.floats("b", 5)
	x, y, _ := compute(t, b, 2, graph.DepthwiseConv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1}, in, w, bias)
	want := make([]float32, len(x))
	f32.Normalize(new(f32.Workspace), len(x)/5, 5, want, x, make([]float32, 5), []float32{1, 1, 1, 1, 1}, w.Float32s(), bias.Float32s())
	equal(t, "scaled channels", y, want)
}
