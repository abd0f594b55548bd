package interp_test

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// enlarged is a network with operators that make images larger, on float32, with
// int8 weights where hybrid, or on int8.
func enlarged(t testing.TB, typ graph.Type, hybrid bool) *graph.Graph {
	b := newBuilder(t, 6)
	var in, out *quant.Params
	if typ == graph.Int8 {
		in, out = ptr(0.02, -13), ptr(0.05, 4)
	}
	anchor := func(name string, op graph.TransposeConv, x *graph.Tensor, perChannel bool, shape ...int) *graph.Tensor {
		w := b.floats(name+"/w", shape...)
		if hybrid || typ == graph.Int8 {
			w = b.weights(name+"/w", perChannel, shape...)
		}
		inputs := []*graph.Tensor{x, w}
		if perChannel {
			bias := b.floats(name+"/b", shape[0])
			if typ == graph.Int8 {
				bias = b.bias(name+"/b", x, w)
			}
			inputs = append(inputs, bias)
		}
		return b.op(name, op, typ, out, inputs...)
	}
	x := b.input("x", typ, in, 1, 3, 4, 3)
	h := anchor("up", graph.TransposeConv{Padding: graph.Same, StrideH: 2, StrideW: 1, Activate: quant.Relu}, x, true, 5, 3, 2, 3)
	h = b.op("copies", graph.ResizeNearestNeighbor{Height: 12, Width: 6, HalfPixelCenters: true}, typ, out, h)
	return b.done(anchor("further", graph.TransposeConv{StrideH: 1, StrideW: 2}, h, false, 2, 2, 1, 5))
}

func TestLiteRTTransposeConv(t *testing.T) {
	for i, w := range windows {
		if w.dilation != [2]int{1, 1} {
			continue
		}
		for _, padding := range paddings {
			for _, perChannel := range []bool{false, true} {
				op := graph.TransposeConv{Padding: padding, StrideH: w.stride[0], StrideW: w.stride[1]}
				t.Run(fmt.Sprintf("%+v on %v per channel %v", op, w, perChannel), func(t *testing.T) {
					op.Activate = quant.Activation(i % 4)
					b := newBuilder(t, uint64(i))
					x := b.input("x", graph.Int8, ptr(0.0213, -7), 1, w.image[0], w.image[1], 3)
					k := b.weights("w", perChannel, 11, w.kernel[0], w.kernel[1], 3)
					sameAsLiteRT(t, b.done(b.op("y", op, graph.Int8, ptr(0.0311, 11), x, k, b.bias("b", x, k))))

					b = newBuilder(t, uint64(i))
					x = b.input("x", graph.Float32, nil, 1, w.image[0], w.image[1], 3)
					k = b.weights("w", perChannel, 11, w.kernel[0], w.kernel[1], 3)
					sameAsLiteRT(t, b.done(b.float(op, x, k, b.floats("b", 11)))) // hybrid, and yet bit by bit

					b = newBuilder(t, uint64(i))
					x = b.input("x", graph.Float32, nil, 1, w.image[0], w.image[1], 3)
					closeToLiteRT(t, b.done(b.float(op, x, b.floats("w", 11, w.kernel[0], w.kernel[1], 3), b.floats("b", 11))))
				})
			}
		}
	}
}

func TestLiteRTEnlarged(t *testing.T) {
	sameAsLiteRT(t, enlarged(t, graph.Int8, false))
	closeToLiteRT(t, enlarged(t, graph.Float32, false))
	closeToLiteRT(t, enlarged(t, graph.Float32, true))
}

// TestLiteRTResize: rows and columns are copied as LiteRT copies them, whatever the
// sizes and options.
func TestLiteRTResize(t *testing.T) {
	for _, corners := range []bool{false, true} {
		for _, centers := range []bool{false, true} {
			for _, size := range [][2]int{{10, 21}, {3, 4}, {1, 1}, {5, 7}, {7, 9}, {205, 7}, {17, 287}} {
				op := graph.ResizeNearestNeighbor{Height: size[0], Width: size[1], AlignCorners: corners, HalfPixelCenters: centers}
				t.Run(fmt.Sprintf("%+v", op), func(t *testing.T) {
					b, p := newBuilder(t, 1), ptr(0.0213, -7)
					sameAsLiteRT(t, b.done(b.op("y", op, graph.Int8, p, b.input("x", graph.Int8, p, 1, 5, 7, 2))))
					b = newBuilder(t, 1)
					sameAsLiteRT(t, b.done(b.float(op, b.input("x", graph.Float32, nil, 1, 5, 7, 2))))
				})
			}
		}
	}
}
