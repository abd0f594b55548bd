package tflite_test

import (
	"testing"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// storage is how a test network stores its weights.
type storage int

const (
	float storage = iota
	half
	hybrid
	int8s
)

// net builds small networks for tests, with random weights. Its methods fail
// the test on error.
type net struct {
	t          testing.TB
	g          *graph.Graph
	r          *rng.Stream
	storage    storage
	perChannel bool
}

func newNet(t testing.TB, name string, s storage, perChannel bool) *net {
	return &net{t: t, g: &graph.Graph{Name: name}, r: rng.New(1), storage: s, perChannel: perChannel}
}

// params returns parameters for activations: scales differ from tensor to
// tensor and are no powers of two.
func (n *net) params() *quant.Params {
	p := quant.PerTensor(0.01+0.05*n.r.Float32(), int32(n.r.IntN(200)-100))
	return &p
}

// activation returns the type and parameters of activations.
func (n *net) activation() (graph.Type, *quant.Params) {
	if n.storage != int8s {
		return graph.Float32, nil
	}
	return graph.Int8, n.params()
}

func (n *net) input(t graph.Type, q *quant.Params, shape ...int) *graph.Tensor {
	x := n.g.AddInput("x", t, shape)
	x.Quant = q
	return x
}

// add appends a node whose output has the given type and parameters.
func (n *net) add(name string, op graph.Op, t graph.Type, q *quant.Params, in ...*graph.Tensor) *graph.Tensor {
	n.t.Helper()
	y, err := n.g.Add(name, op, in...)
	if err != nil {
		n.t.Fatal(err)
	}
	y.Type, y.Quant = t, q
	return y
}

// same appends a node that keeps type and parameters of its input.
func (n *net) same(name string, op graph.Op, x *graph.Tensor) *graph.Tensor {
	n.t.Helper()
	return n.add(name, op, x.Type, x.Quant, x)
}

// anchor appends an operator with random weights of the given shape and,
// unless bare, a bias.
func (n *net) anchor(name string, op graph.Op, x *graph.Tensor, bare bool, shape ...int) *graph.Tensor {
	n.t.Helper()
	axis := op.(graph.Anchored).ChannelAxis()
	inputs := []*graph.Tensor{x, n.weights(name+"/w", axis, shape)}
	if !bare {
		inputs = append(inputs, n.bias(name+"/b", shape[axis], x, inputs[1]))
	}
	t, q := n.activation()
	return n.add(name, op, t, q, inputs...)
}

func (n *net) weights(name string, axis int, shape []int) *graph.Tensor {
	if n.storage == float || n.storage == half {
		return n.floats(name, shape)
	}
	codes := make([]int8, graph.Elements(shape))
	for i := range codes {
		codes[i] = int8(n.r.IntN(255) - 127)
	}
	scales := 1
	if n.perChannel {
		scales = shape[axis]
	}
	q := &quant.Params{Axis: axis, ZeroPoint: make([]int32, scales)}
	for range scales {
		q.Scale = append(q.Scale, 0.001+0.002*n.r.Float32())
	}
	return &graph.Tensor{Name: name, Type: graph.Int8, Role: graph.Constant, Shape: shape, Data: codes, Quant: q}
}

// floats returns a float tensor, stored as float16 behind a Dequantize where
// the network is of that kind.
func (n *net) floats(name string, shape []int) *graph.Tensor {
	values := make([]float32, graph.Elements(shape))
	for i := range values {
		values[i] = float32(n.r.Normal()) / 8
	}
	if n.storage != half {
		return &graph.Tensor{Name: name, Role: graph.Constant, Shape: shape, Data: values}
	}
	bits := make([]uint16, len(values))
	for i, v := range values {
		bits[i] = float16.Fromfloat32(v).Bits()
	}
	stored := &graph.Tensor{Name: name + "/f16", Type: graph.Float16, Role: graph.Constant, Shape: shape, Data: bits}
	return n.add(name, graph.Dequantize{}, graph.Float32, nil, stored)
}

func (n *net) bias(name string, channels int, x, w *graph.Tensor) *graph.Tensor {
	if n.storage != int8s {
		return n.floats(name, []int{channels})
	}
	codes := make([]int32, channels)
	for i := range codes {
		codes[i] = int32(n.r.IntN(2001) - 1000)
	}
	q := &quant.Params{ZeroPoint: make([]int32, len(w.Quant.Scale))}
	for _, s := range w.Quant.Scale {
		q.Scale = append(q.Scale, x.Quant.Scale[0]*s)
	}
	return &graph.Tensor{Name: name, Type: graph.Int32, Role: graph.Constant, Shape: []int{channels}, Data: codes, Quant: q}
}

// done makes y the output of the network.
func (n *net) done(y ...*graph.Tensor) *graph.Graph {
	n.t.Helper()
	n.g.Outputs = y
	if err := n.g.Check(); err != nil {
		n.t.Fatal(err)
	}
	return n.g
}

func (n *net) softmax(x *graph.Tensor) *graph.Tensor {
	t, q := n.activation()
	if q != nil {
		fixed := quant.PerTensor(1.0/256, -128)
		q = &fixed
	}
	return n.add("probabilities", graph.Softmax{}, t, q, x)
}

func conv(p graph.Padding, a quant.Activation) graph.Conv2D {
	return graph.Conv2D{Padding: p, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: a}
}

func pool(size int) graph.Pool {
	return graph.Pool{FilterH: size, FilterW: size, StrideH: size, StrideW: size}
}

// cnn is the small image classifier that the project measures itself with:
// two convolutions with pooling and a dense layer, 20,490 parameters.
func cnn(t testing.TB, s storage, perChannel bool) *graph.Graph {
	n := newNet(t, "cnn", s, perChannel)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 28, 28, 1)
	x = n.anchor("conv1", conv(graph.Same, quant.Relu), x, false, 16, 3, 3, 1)
	x = n.same("pool1", graph.MaxPool2D{Pool: pool(2)}, x)
	x = n.anchor("conv2", conv(graph.Same, quant.Relu), x, false, 32, 3, 3, 16)
	x = n.same("pool2", graph.MaxPool2D{Pool: pool(2)}, x)
	x = n.same("flatten", graph.Reshape{Shape: []int{-1, 7 * 7 * 32}}, x)
	x = n.anchor("dense", graph.FullyConnected{AsymmetricInputs: s == hybrid}, x, false, 10, 7*7*32)
	return n.done(n.softmax(x))
}

// odd has what cnn has not: valid padding, strides, dilation, no biases,
// other activations, average pooling, kept axes, two outputs.
func odd(t testing.TB, s storage, perChannel bool) *graph.Graph {
	n := newNet(t, "odd", s, perChannel)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 9, 7, 3)
	c := graph.Conv2D{StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2, Activate: quant.ReluN1To1}
	x = n.anchor("strided", c, x, true, 4, 3, 2, 3)
	typ, q = n.activation()
	x = n.add("relu", graph.Relu{}, typ, q, x)
	x = n.same("mean", graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 2, FilterW: 3, StrideH: 1, StrideW: 2}}, x)
	first := n.anchor("kept", graph.FullyConnected{KeepDims: true, Activate: quant.Relu6}, x, false, 5, 4)
	x = n.same("flatten", graph.Reshape{Shape: []int{-1, graph.Elements(x.Shape)}}, x)
	x = n.anchor("bare", graph.FullyConnected{}, x, true, 2, x.Shape[1])
	typ, q = n.activation()
	return n.done(first, n.add("relu6", graph.Relu6{}, typ, q, x))
}

// depthwise is a depthwise convolution of stride 1.
func depthwise(multiplier int, a quant.Activation) graph.DepthwiseConv2D {
	return graph.DepthwiseConv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: multiplier, Activate: a}
}

// separable has depthwise convolutions with every option.
func separable(t testing.TB, s storage, perChannel bool) *graph.Graph {
	n := newNet(t, "separable", s, perChannel)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 9, 8, 3)
	x = n.anchor("one", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 3, DepthMultiplier: 2, Activate: quant.Relu6}, x, false, 1, 3, 2, 6)
	x = n.anchor("mix", conv(graph.Valid, quant.Relu), x, false, 4, 1, 1, 6)
	return n.done(n.anchor("two", depthwise(1, quant.NoActivation), x, true, 1, 3, 3, 4))
}

// borders is an int8 dense layer between values of another type.
func borders(t testing.TB, outside graph.Type) *graph.Graph {
	n := newNet(t, "borders", int8s, true)
	typ, q := n.activation()
	edge := func() *quant.Params {
		if outside == graph.Float32 {
			return nil
		}
		p := quant.PerTensor(0.03, 100)
		return &p
	}
	x := n.input(outside, edge(), 1, 6)
	x = n.add("enter", graph.Quantize{}, typ, q, x)
	x = n.anchor("dense", graph.FullyConnected{}, x, false, 3, 6)
	if outside == graph.Float32 {
		return n.done(n.add("leave", graph.Dequantize{}, graph.Float32, nil, x))
	}
	return n.done(n.add("leave", graph.Quantize{}, outside, edge(), x))
}

// models are the kinds of network that files carry.
var models = []struct {
	name  string
	build func(testing.TB) *graph.Graph
}{
	{"float", func(t testing.TB) *graph.Graph { return cnn(t, float, false) }},
	{"float odd", func(t testing.TB) *graph.Graph { return odd(t, float, false) }},
	{"float16", func(t testing.TB) *graph.Graph { return cnn(t, half, false) }},
	{"float16 odd", func(t testing.TB) *graph.Graph { return odd(t, half, false) }},
	{"hybrid", func(t testing.TB) *graph.Graph { return cnn(t, hybrid, false) }},
	{"hybrid per channel", func(t testing.TB) *graph.Graph { return cnn(t, hybrid, true) }},
	{"hybrid odd", func(t testing.TB) *graph.Graph { return odd(t, hybrid, true) }},
	{"int8", func(t testing.TB) *graph.Graph { return cnn(t, int8s, false) }},
	{"int8 per channel", func(t testing.TB) *graph.Graph { return cnn(t, int8s, true) }},
	{"int8 odd", func(t testing.TB) *graph.Graph { return odd(t, int8s, true) }},
	{"float enlarging", func(t testing.TB) *graph.Graph { return enlarging(t, float, false) }},
	{"float16 enlarging", func(t testing.TB) *graph.Graph { return enlarging(t, half, false) }},
	// Per channel: LiteRT repeats a single scale of these weights in memory.
	{"hybrid enlarging", func(t testing.TB) *graph.Graph { return enlarging(t, hybrid, true) }},
	{"int8 enlarging", func(t testing.TB) *graph.Graph { return enlarging(t, int8s, true) }},
	{"depthwise float", func(t testing.TB) *graph.Graph { return separable(t, float, false) }},
	{"depthwise float16", func(t testing.TB) *graph.Graph { return separable(t, half, false) }},
	{"depthwise hybrid", func(t testing.TB) *graph.Graph { return separable(t, hybrid, true) }},
	{"depthwise int8", func(t testing.TB) *graph.Graph { return separable(t, int8s, false) }},
	{"depthwise int8 per channel", func(t testing.TB) *graph.Graph { return separable(t, int8s, true) }},
	{"branches float", func(t testing.TB) *graph.Graph { return branches(t, float) }},
	{"branches float16", func(t testing.TB) *graph.Graph { return branches(t, half) }},
	{"branches int8", func(t testing.TB) *graph.Graph { return branches(t, int8s) }},
	{"squashing float", func(t testing.TB) *graph.Graph { return squashing(t, float) }},
	{"squashing float16", func(t testing.TB) *graph.Graph { return squashing(t, half) }},
	{"squashing int8", func(t testing.TB) *graph.Graph { return squashing(t, int8s) }},
	{"float borders", func(t testing.TB) *graph.Graph { return borders(t, graph.Float32) }},
	{"uint8 borders", func(t testing.TB) *graph.Graph { return borders(t, graph.UInt8) }},
}
