package interp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// builder makes graphs by hand, with pseudo-random constants.
type builder struct {
	testing.TB
	*graph.Graph
	rand *rand.Rand
}

func newBuilder(t testing.TB, seed uint64) builder {
	return builder{t, &graph.Graph{Name: "test"}, rand.New(rand.NewPCG(seed, 0))}
}

// ptr returns per-tensor parameters.
func ptr(scale float32, zero int32) *quant.Params {
	p := quant.PerTensor(scale, zero)
	return &p
}

// input adds an input; its quantization parameters may be nil.
func (b builder) input(name string, t graph.Type, p *quant.Params, shape ...int) *graph.Tensor {
	x := b.AddInput(name, t, shape)
	x.Quant = p
	return x
}

// op adds a node whose output has the given type and parameters.
func (b builder) op(name string, op graph.Op, t graph.Type, p *quant.Params, inputs ...*graph.Tensor) *graph.Tensor {
	b.Helper()
	y, err := b.Add(name, op, inputs...)
	if err != nil {
		b.Fatal(err)
	}
	y.Type, y.Quant = t, p
	return y
}

// float adds a node on float32 tensors.
func (b builder) float(op graph.Op, inputs ...*graph.Tensor) *graph.Tensor {
	b.Helper()
	return b.op(b.Unique(op.Name()), op, graph.Float32, nil, inputs...)
}

// floats returns a float32 constant of normal numbers.
func (b builder) floats(name string, shape ...int) *graph.Tensor {
	values := make([]float32, graph.Elements(shape))
	for i := range values {
		values[i] = float32(b.rand.NormFloat64())
	}
	return &graph.Tensor{Name: name, Role: graph.Constant, Shape: shape, Data: values}
}

// positive returns a float32 constant of numbers in [0.5, 2).
func (b builder) positive(name string, shape ...int) *graph.Tensor {
	t := b.floats(name, shape...)
	for i := range t.Float32s() {
		t.Float32s()[i] = 0.5 + 1.5*b.rand.Float32()
	}
	return t
}

// channelAxis is the axis of output channels of weights in these tests.
func channelAxis(shape []int) int {
	if len(shape) == 4 && shape[0] == 1 {
		return 3 // depthwise
	}
	return 0
}

// weights returns int8 weights in [-127, 127] with one scale, or one for each
// output channel.
func (b builder) weights(name string, perChannel bool, shape ...int) *graph.Tensor {
	codes := make([]int8, graph.Elements(shape))
	for i := range codes {
		codes[i] = int8(b.rand.IntN(255) - 127)
	}
	p := quant.PerTensor(0.004, 0)
	if perChannel {
		axis := channelAxis(shape)
		p = quant.Params{Scale: make([]float32, shape[axis]), ZeroPoint: make([]int32, shape[axis]), Axis: axis}
		for c := range p.Scale {
			p.Scale[c] = 0.002 + 0.004*b.rand.Float32()
		}
	}
	return &graph.Tensor{Name: name, Type: graph.Int8, Role: graph.Constant, Shape: shape, Data: codes, Quant: &p}
}

// bias returns an int32 bias for an anchor on x and w.
func (b builder) bias(name string, x, w *graph.Tensor) *graph.Tensor {
	codes := make([]int32, w.Shape[channelAxis(w.Shape)])
	for i := range codes {
		codes[i] = int32(b.rand.IntN(4001) - 2000)
	}
	p := quant.Params{Scale: make([]float32, len(w.Quant.Scale)), ZeroPoint: make([]int32, len(w.Quant.Scale))}
	for c, s := range w.Quant.Scale {
		p.Scale[c] = x.Quant.Scale[0] * s
	}
	return &graph.Tensor{Name: name, Type: graph.Int32, Role: graph.Constant, Shape: []int{len(codes)}, Data: codes, Quant: &p}
}

// done sets the outputs and checks the graph.
func (b builder) done(outputs ...*graph.Tensor) *graph.Graph {
	b.Helper()
	b.Outputs = outputs
	if err := b.Check(); err != nil {
		b.Fatal(err)
	}
	return b.Graph
}

// data returns pseudo-random elements for a batch of t.
func (b builder) data(t *graph.Tensor, batch int) any {
	n := batch * t.Elements()
	switch t.Type {
	case graph.Float32:
		return b.floats("", n).Data
	case graph.Int8:
		codes := make([]int8, n)
		for i := range codes {
			codes[i] = int8(b.rand.IntN(256) - 128)
		}
		return codes
	case graph.Int16:
		codes := make([]int16, n)
		for i := range codes {
			codes[i] = int16(b.rand.IntN(1<<16) - 1<<15)
		}
		return codes
	case graph.UInt8:
		codes := make([]uint8, n)
		for i := range codes {
			codes[i] = uint8(b.rand.IntN(256))
		}
		return codes
	}
	b.Fatalf("no data of type %v", t.Type)
	return nil
}

// floatNet is a network with every float32 operator, training ones included.
func floatNet(t testing.TB) *graph.Graph {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 9, 7, 3)
	h := b.float(graph.Conv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2}, x, b.floats("w1", 5, 3, 3, 3), b.floats("b1", 5))
	h = b.float(graph.BatchNorm{Epsilon: 1e-3, Momentum: 0.99}, h, b.floats("gamma", 5), b.floats("beta", 5), b.floats("mean", 5), b.positive("variance", 5))
	h = b.float(graph.Affine{}, h, b.floats("factor", 5), b.floats("shift", 5))
	h = b.float(graph.Relu{}, h)
	h = b.float(graph.Dropout{Rate: 0.5}, h)
	h = b.float(graph.MaxPool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 2}}, h)
	h = b.float(graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 3, FilterW: 3, StrideH: 2, StrideW: 2}}, h)
	w := b.float(graph.FoldWeights{Epsilon: 1e-3}, b.floats("w2", 4, 2, 1, 5), b.floats("gamma2", 4), b.positive("variance2", 4))
	bias := b.float(graph.FoldBias{Epsilon: 1e-3}, b.Tensors()[b.index("gamma2")], b.Tensors()[b.index("variance2")], b.floats("beta2", 4), b.floats("mean2", 4), nil)
	h = b.float(graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: quant.ReluN1To1}, h, w, bias)
	h = b.float(graph.Relu6{}, h)
	h = b.float(graph.Reshape{Shape: []int{-1, h.Elements()}}, h)
	h = b.float(graph.FullyConnected{}, h, b.floats("w3", 6, h.Shape[1]))
	return b.done(b.float(graph.Softmax{}, h))
}

// index returns the position of a tensor among those of the graph.
func (b builder) index(name string) int {
	for i, t := range b.Tensors() {
		if t.Name == name {
			return i
		}
	}
	b.Fatalf("no tensor %q", name)
	return 0
}

// int8Net is a network with every integer operator, between uint8 and float32.
func int8Net(t testing.TB, perChannel bool) *graph.Graph {
	b := newBuilder(t, 2)
	in := b.input("in", graph.UInt8, ptr(0.02, 115), 1, 9, 7, 3)
	x := b.op("x", graph.Quantize{}, graph.Int8, ptr(0.02, -13), in)
	w := b.weights("w1", perChannel, 8, 3, 3, 3)
	h := b.op("conv", graph.Conv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2, Activate: quant.Relu6}, graph.Int8, ptr(0.025, -128), x, w, b.bias("b1", x, w))
	h = b.op("max", graph.MaxPool2D{Pool: graph.Pool{FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 1}}, graph.Int8, h.Quant, h)
	w = b.weights("w2", perChannel, 5, 2, 2, 8)
	h = b.op("conv2", graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, graph.Int8, ptr(0.05, 7), h, w)
	h = b.op("relu", graph.Relu{}, graph.Int8, ptr(0.031, -128), h)
	h = b.op("relu6", graph.Relu6{}, graph.Int8, ptr(0.0235, -128), h)
	h = b.op("average", graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 3, FilterW: 3, StrideH: 2, StrideW: 2}}, graph.Int8, h.Quant, h)
	h = b.op("flat", graph.Reshape{Shape: []int{-1, h.Elements()}}, graph.Int8, h.Quant, h)
	w = b.weights("w3", perChannel, 10, h.Shape[1])
	h = b.op("dense", graph.FullyConnected{}, graph.Int8, ptr(0.07, 3), h, w, b.bias("b3", h, w))
	h = b.op("again", graph.Quantize{}, graph.Int8, ptr(0.1, -5), h)
	h = b.op("softmax", graph.Softmax{}, graph.Int8, ptr(1.0/256, -128), h)
	return b.done(b.op("out", graph.Dequantize{}, graph.Float32, nil, h))
}

// nets are networks that between them have every operator in every form.
func nets(t testing.TB) map[string]*graph.Graph {
	return map[string]*graph.Graph{
		"float32":                   floatNet(t),
		"int8 per tensor":           int8Net(t, false),
		"int8 per channel":          int8Net(t, true),
		"hybrid":                    hybridNet(t, true),
		"hybrid per tensor":         hybridNet(t, false),
		"float16":                   float16Net(t),
		"fake quantized":            fakeNet(t),
		"depthwise float32":         depthwiseNet(t, graph.Float32, graph.Float32, false),
		"depthwise int8":            depthwiseNet(t, graph.Int8, graph.Int8, true),
		"depthwise int8 per tensor": depthwiseNet(t, graph.Int8, graph.Int8, false),
		"depthwise hybrid":          depthwiseNet(t, graph.Float32, graph.Int8, true),
		"float32 branches":          branchNet(t, graph.Float32),
		"int8 branches":             branchNet(t, graph.Int8),
		"rearranged":                rearranged(t, graph.Float32),
		"rearranged int8":           rearranged(t, graph.Int8),
		"float32 nonlinear":         nonlinearNet(t, graph.Float32),
		"int8 nonlinear":            nonlinearNet(t, graph.Int8),
		"enlarged":                  enlarged(t, graph.Float32, false),
		"enlarged int8":             enlarged(t, graph.Int8, false),
		"enlarged hybrid":           enlarged(t, graph.Float32, true),
	}
}

// hybridNet has float32 activations and int8 weights.
func hybridNet(t testing.TB, perChannel bool) *graph.Graph {
	b := newBuilder(t, 3)
	x := b.input("x", graph.Float32, nil, 1, 6, 5, 2)
	h := b.float(graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 2, DilationH: 2, DilationW: 1, Activate: quant.Relu}, x, b.weights("w1", perChannel, 4, 3, 3, 2), b.floats("b1", 4))
	h = b.float(graph.Reshape{Shape: []int{-1, 6, h.Elements() / 6}}, h)
	h = b.float(graph.FullyConnected{KeepDims: true, AsymmetricInputs: perChannel}, h, b.weights("w2", perChannel, 7, h.Shape[2]))
	return b.done(h)
}

// float16Net has float16 weights, widened by nodes.
func float16Net(t testing.TB) *graph.Graph {
	b := newBuilder(t, 4)
	half := func(name string, shape ...int) *graph.Tensor {
		bits := make([]uint16, graph.Elements(shape))
		for i := range bits {
			bits[i] = uint16(b.rand.IntN(2)<<15 | b.rand.IntN(0x4000)) // |v| < 2
		}
		return b.float(graph.Dequantize{}, &graph.Tensor{Name: name, Type: graph.Float16, Role: graph.Constant, Shape: shape, Data: bits})
	}
	x := b.input("x", graph.Float32, nil, 1, 5)
	return b.done(b.float(graph.FullyConnected{Activate: quant.Relu6}, x, half("w", 3, 5), half("b", 3)))
}

// fakeNet has a FakeQuant node of each source.
func fakeNet(t testing.TB) *graph.Graph {
	b := newBuilder(t, 5)
	fake := func(x *graph.Tensor, q *graph.Quantizer) *graph.Tensor {
		q.Name = x.Name
		return b.float(graph.FakeQuant{Quantizer: q}, x)
	}
	observed := graph.NewObserved("x", quant.Int8().Activations, 0.99)
	observed.SetRange(quant.Range{Min: -1.5, Max: 2, Weight: 1})
	weights := func(name string, axis int, shape ...int) *graph.Tensor {
		return fake(b.floats(name, shape...), &graph.Quantizer{Bits: 8, Symmetric: true, Narrow: true, Axis: axis, Source: graph.LastValue})
	}
	h := fake(b.input("x", graph.Float32, nil, 1, 4, 6), observed)
	h = b.float(graph.FullyConnected{KeepDims: true}, h, weights("w1", 0, 5, 6), b.floats("b1", 5))
	h = fake(h, &graph.Quantizer{Bits: 8, Axis: 1, Source: graph.Dynamic})
	h = b.float(graph.FullyConnected{KeepDims: true}, h, weights("w2", -1, 3, 5))
	h = fake(h, &graph.Quantizer{Bits: 8, Axis: 0, Symmetric: true, Source: graph.Dynamic})
	h = b.float(graph.Softmax{}, h)
	return b.done(fake(h, &graph.Quantizer{Bits: 8, Axis: -1, Source: graph.Fixed, FixedParams: ptr(1.0/256, -128)}))
}

// equal fails the test where two slices differ.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%T %v", got, got), fmt.Sprintf("%T %v", want, want); g != w {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}
