package interp_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// litert runs g on Google's runtime, with its reference kernels, and returns
// every tensor that holds elements.
func litert(t *testing.T, g *graph.Graph, batch int, input any) map[*graph.Tensor]any {
	t.Helper()
	o := oracle.Start(t)
	file, err := tflite.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := o.Run(file, oracle.Options{Batch: batch}, []oracle.Tensor{toOracle(t, input)})
	if err != nil {
		t.Fatal(err)
	}
	shapes, err := g.Shapes(batch)
	if err != nil {
		t.Fatal(err)
	}
	values := map[*graph.Tensor]any{}
	for _, x := range g.Tensors() {
		i := slices.IndexFunc(tensors, func(o oracle.Tensor) bool { return o.Name == x.Name })
		if i < 0 {
			t.Fatalf("the file has no tensor %q", x.Name)
		}
		data, err := fromOracle(tensors[i], x.Type)
		if err != nil {
			t.Fatal(err)
		}
		// What is computed from constants comes once for each example.
		n := reflect.ValueOf(data).Len()
		values[x] = rows(data, n, 0, graph.Elements(shapes[x]))
	}
	return values
}

func toOracle(t *testing.T, data any) oracle.Tensor {
	switch d := data.(type) {
	case []float32:
		return oracle.Input(d)
	case []int8:
		return oracle.Input(d)
	case []uint8:
		return oracle.Input(d)
	}
	t.Fatalf("no input of type %T", data)
	return oracle.Tensor{}
}

func fromOracle(t oracle.Tensor, typ graph.Type) (any, error) {
	switch typ {
	case graph.Float32:
		return oracle.Values[float32](t)
	case graph.Float16:
		return oracle.Values[uint16](t)
	case graph.Int8:
		return oracle.Values[int8](t)
	case graph.UInt8:
		return oracle.Values[uint8](t)
	}
	return oracle.Values[int32](t)
}

// sameAsLiteRT compares every tensor of a run, element by element, for batches of
// 1 and 7.
func sameAsLiteRT(t *testing.T, g *graph.Graph) {
	for _, n := range []int{1, batch} {
		b := newBuilder(t, uint64(n))
		input := b.data(g.Inputs[0], n)
		want := litert(t, g, n, input)
		for _, reference := range []bool{false, true} {
			ip := start(t, g, interp.Options{Batch: n, KeepAll: true, Reference: reference})
			run(t, ip, input)
			for _, x := range g.Tensors() {
				equal(t, fmt.Sprintf("batch %d, tensor %q, reference %v", n, x.Name, reference), ip.Tensor(x), want[x])
			}
		}
	}
}

// closeToLiteRT compares every node on the very inputs that it had in LiteRT.
func closeToLiteRT(t *testing.T, g *graph.Graph) {
	for _, n := range []int{1, batch} {
		b := newBuilder(t, uint64(n))
		want := litert(t, g, n, b.data(g.Inputs[0], n))
		for _, node := range g.Nodes {
			given := map[*graph.Tensor]any{}
			for _, x := range node.Inputs {
				if x != nil && x.Role == graph.Activation {
					given[x] = want[x]
				}
			}
			got, err := interp.RunNode(g, node, given, interp.Options{Batch: n})
			if err != nil {
				t.Fatal(err)
			}
			close32(t, fmt.Sprintf("batch %d, %s", n, node.Name), got.([]float32), want[node.Output].([]float32))
		}
	}
}

// windows are geometries with ragged edges.
var windows = []struct {
	image, kernel, stride, dilation [2]int
}{
	{[2]int{5, 7}, [2]int{3, 3}, [2]int{1, 1}, [2]int{1, 1}},
	{[2]int{9, 6}, [2]int{3, 2}, [2]int{2, 2}, [2]int{1, 1}},
	{[2]int{8, 7}, [2]int{3, 3}, [2]int{1, 1}, [2]int{2, 2}},
	{[2]int{7, 9}, [2]int{2, 3}, [2]int{2, 1}, [2]int{2, 1}},
	{[2]int{3, 1}, [2]int{1, 1}, [2]int{1, 3}, [2]int{1, 1}},
}

var paddings = []graph.Padding{graph.Valid, graph.Same}

func TestLiteRTConv2D(t *testing.T) {
	for i, w := range windows {
		for _, padding := range paddings {
			for _, perChannel := range []bool{false, true} {
				act := quant.Activation(i % 4)
				op := graph.Conv2D{Padding: padding, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], Activate: act}
				t.Run(fmt.Sprintf("%+v per channel %v", op, perChannel), func(t *testing.T) {
					b := newBuilder(t, uint64(i))
					x := b.input("x", graph.Int8, ptr(0.0213, -7), 1, w.image[0], w.image[1], 3)
					weights := b.weights("w", perChannel, 10, w.kernel[0], w.kernel[1], 3)
					sameAsLiteRT(t, b.done(b.op("y", op, graph.Int8, ptr(0.0311, 11), x, weights, b.bias("b", x, weights))))
				})
			}
		}
	}
}

// Scales that are powers of two make ties, where rounding rules differ most.
func TestLiteRTTies(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Int8, ptr(0.125, 3), 1, 6, 6, 2)
	w := b.weights("w", false, 5, 3, 3, 2)
	w.Quant = ptr(0x1p-8, 0)
	h := b.op("conv", graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, graph.Int8, ptr(0.25, -1), x, w, b.bias("b", x, w))
	h = b.op("flat", graph.Reshape{Shape: []int{-1, 80}}, graph.Int8, h.Quant, h)
	w2 := b.weights("w2", true, 9, 80)
	for c := range w2.Quant.Scale {
		w2.Quant.Scale[c] = 0x1p-8
	}
	h = b.op("dense", graph.FullyConnected{}, graph.Int8, ptr(1, 2), h, w2, b.bias("b2", h, w2))
	h = b.op("relu", graph.Relu{}, graph.Int8, ptr(2, -4), h)
	sameAsLiteRT(t, b.done(b.op("again", graph.Quantize{}, graph.Int8, ptr(4, -4), h)))
}

func TestLiteRTFullyConnected(t *testing.T) {
	for _, c := range []struct {
		shape   []int
		outputs int
		op      graph.FullyConnected
		bare    bool
	}{
		{[]int{1, 1}, 1, graph.FullyConnected{}, false},
		{[]int{1, 64}, 10, graph.FullyConnected{Activate: quant.Relu}, false},
		{[]int{1, 131}, 7, graph.FullyConnected{Activate: quant.Relu6}, true},
		{[]int{1, 3, 33}, 5, graph.FullyConnected{KeepDims: true, Activate: quant.ReluN1To1}, false},
	} {
		for _, perChannel := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v per channel %v", c.shape, perChannel), func(t *testing.T) {
				b := newBuilder(t, 1)
				x := b.input("x", graph.Int8, ptr(0.0213, -7), c.shape...)
				w := b.weights("w", perChannel, c.outputs, c.shape[len(c.shape)-1])
				inputs := []*graph.Tensor{x, w}
				if !c.bare {
					inputs = append(inputs, b.bias("b", x, w))
				}
				sameAsLiteRT(t, b.done(b.op("y", c.op, graph.Int8, ptr(0.0311, 11), inputs...)))
			})
		}
	}
}

func TestLiteRTPools(t *testing.T) {
	for _, w := range windows {
		for _, padding := range paddings {
			pool := graph.Pool{Padding: padding, FilterH: w.kernel[0], FilterW: w.kernel[1], StrideH: w.stride[0], StrideW: w.stride[1]}
			for _, op := range []graph.Op{graph.MaxPool2D{Pool: pool}, graph.AveragePool2D{Pool: pool}} {
				t.Run(fmt.Sprintf("%s %+v", op.Name(), pool), func(t *testing.T) {
					b, p := newBuilder(t, 1), ptr(0.0213, -7)
					sameAsLiteRT(t, b.done(b.op("y", op, graph.Int8, p, b.input("x", graph.Int8, p, 1, w.image[0], w.image[1], 5))))
				})
			}
		}
	}
}

func TestLiteRTElementwise(t *testing.T) {
	probability := ptr(1.0/256, -128)
	for _, c := range []struct {
		op      graph.Op
		in, out *quant.Params
		x, y    graph.Type
		shape   []int
	}{
		{graph.Softmax{}, ptr(0.02, 0), probability, graph.Int8, graph.Int8, []int{1, 10}},
		{graph.Softmax{}, ptr(0.1, -13), probability, graph.Int8, graph.Int8, []int{1, 3, 17}},
		{graph.Softmax{}, ptr(1.5, 7), probability, graph.Int8, graph.Int8, []int{1, 1}},
		{graph.Relu{}, ptr(0.05, -3), ptr(0.031, -128), graph.Int8, graph.Int8, []int{1, 500}},
		{graph.Relu{}, ptr(0.05, -3), ptr(0.071, 20), graph.Int8, graph.Int8, []int{1, 500}},
		{graph.Relu6{}, ptr(0.05, -3), ptr(0.0235, -128), graph.Int8, graph.Int8, []int{1, 500}},
		{graph.Relu6{}, ptr(0.05, -3), ptr(0.05, -3), graph.Int8, graph.Int8, []int{1, 500}},
		{graph.Quantize{}, nil, ptr(0.0213, -7), graph.Float32, graph.Int8, []int{1, 500}},
		{graph.Quantize{}, nil, ptr(0.0213, 121), graph.Float32, graph.UInt8, []int{1, 500}},
		{graph.Quantize{}, ptr(0.05, -3), ptr(0.07, -11), graph.Int8, graph.Int8, []int{1, 500}},
		{graph.Quantize{}, ptr(0.05, -3), ptr(0.05, 125), graph.Int8, graph.UInt8, []int{1, 500}},
		{graph.Quantize{}, ptr(0.05, 125), ptr(0.05, -3), graph.UInt8, graph.Int8, []int{1, 500}},
		{graph.Quantize{}, ptr(0.05, 125), ptr(0.03, -5), graph.UInt8, graph.Int8, []int{1, 500}},
		{graph.Quantize{}, ptr(0.05, 125), ptr(0.03, 100), graph.UInt8, graph.UInt8, []int{1, 500}},
		{graph.Dequantize{}, ptr(0.0213, -7), nil, graph.Int8, graph.Float32, []int{1, 500}},
		{graph.Dequantize{}, ptr(0.0213, 121), nil, graph.UInt8, graph.Float32, []int{1, 500}},
		{graph.Reshape{Shape: []int{-1, 5, 100}}, ptr(0.0213, -7), ptr(0.0213, -7), graph.Int8, graph.Int8, []int{1, 500}},
	} {
		t.Run(fmt.Sprintf("%s %v %v %v", c.op.Name(), c.x, c.y, c.shape), func(t *testing.T) {
			b := newBuilder(t, 1)
			sameAsLiteRT(t, b.done(b.op("y", c.op, c.y, c.out, b.input("x", c.x, c.in, c.shape...))))
		})
	}
}

func TestLiteRTNetworks(t *testing.T) {
	for _, perChannel := range []bool{false, true} {
		t.Run(fmt.Sprintf("int8 per channel %v", perChannel), func(t *testing.T) { sameAsLiteRT(t, int8Net(t, perChannel)) })
		t.Run(fmt.Sprintf("depthwise per channel %v", perChannel), func(t *testing.T) { sameAsLiteRT(t, depthwiseNet(t, graph.Int8, graph.Int8, perChannel)) })
		t.Run(fmt.Sprintf("hybrid per channel %v", perChannel), func(t *testing.T) { closeToLiteRT(t, hybridNet(t, perChannel)) })
	}
	t.Run("depthwise hybrid", func(t *testing.T) { closeToLiteRT(t, depthwiseNet(t, graph.Float32, graph.Int8, true)) })
	t.Run("depthwise float32", func(t *testing.T) { closeToLiteRT(t, depthwiseNet(t, graph.Float32, graph.Float32, false)) })
	t.Run("float16", func(t *testing.T) { closeToLiteRT(t, float16Net(t)) })
}

func TestLiteRTHybrid(t *testing.T) {
	for i, w := range windows {
		for _, padding := range paddings {
			for _, perChannel := range []bool{false, true} {
				op := graph.Conv2D{Padding: padding, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1]}
				t.Run(fmt.Sprintf("%+v per channel %v", op, perChannel), func(t *testing.T) {
					b := newBuilder(t, uint64(i))
					x := b.input("x", graph.Float32, nil, 1, w.image[0], w.image[1], 3)
					closeToLiteRT(t, b.done(b.float(op, x, b.weights("w", perChannel, 10, w.kernel[0], w.kernel[1], 3), b.floats("b", 10))))
				})
			}
		}
	}
	for _, asymmetric := range []bool{false, true} {
		for _, perChannel := range []bool{false, true} {
			t.Run(fmt.Sprintf("asymmetric %v per channel %v", asymmetric, perChannel), func(t *testing.T) {
				b := newBuilder(t, 1)
				op := graph.FullyConnected{AsymmetricInputs: asymmetric, Activate: quant.Relu}
				closeToLiteRT(t, b.done(b.float(op, b.input("x", graph.Float32, nil, 1, 131), b.weights("w", perChannel, 7, 131), b.floats("b", 7))))
			})
		}
	}
}

func TestLiteRTFloat(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 9, 7, 3)
	h := b.float(graph.Conv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2}, x, b.floats("w1", 5, 3, 3, 3), b.floats("b1", 5))
	h = b.float(graph.Relu{}, h)
	h = b.float(graph.MaxPool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 2}}, h)
	h = b.float(graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 3, FilterW: 3, StrideH: 2, StrideW: 2}}, h)
	h = b.float(graph.Relu6{}, h)
	h = b.float(graph.Reshape{Shape: []int{-1, h.Elements()}}, h)
	h = b.float(graph.FullyConnected{Activate: quant.ReluN1To1}, h, b.floats("w3", 6, h.Shape[1]), b.floats("b3", 6))
	closeToLiteRT(t, b.done(b.float(graph.Softmax{}, h)))
}
