package interp_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// checksum is the CRC-32 of int8 codes as bytes.
func checksum(codes any) uint32 {
	var raw []byte
	for _, c := range codes.([]int8) {
		raw = append(raw, byte(c))
	}
	return crc32.ChecksumIEEE(raw)
}

// codes returns n codes by a rule modulo 256.
func codes(n int, rule func(i int) int) []int8 {
	c := make([]int8, n)
	for i := range c {
		c[i] = int8(rule(i)&255 - 128)
	}
	return c
}

// The checksums were computed with the reference kernels of tflite-micro,
// compiled from its sources; LiteRT's sources have the same formulas.
func TestGoldens(t *testing.T) {
	type golden struct {
		op      graph.Op
		in, out *quant.Params
		shape   []int
		batch   int
		codes   []int8
		want    uint32
	}
	matrix := codes(256, func(i int) int { return 73*(i/16) + 29*(i%16)*(i/16+1) })
	probability := ptr(1.0/256, -128)
	all := codes(256, func(i int) int { return i })
	average := graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 3, FilterW: 3, StrideH: 2, StrideW: 2}}
	for _, c := range []golden{
		{graph.Softmax{}, ptr(.02, 0), probability, []int{1, 16}, 16, matrix, 0xbe9aeb31},
		{graph.Softmax{}, ptr(.047, 5), probability, []int{1, 16}, 16, matrix, 0x5242665d},
		{graph.Softmax{}, ptr(.1, 0), probability, []int{1, 4, 16}, 4, matrix, 0xda7e3c62},
		{graph.Softmax{}, ptr(.5, 0), probability, []int{1, 16, 16}, 1, matrix, 0x57a1fcc8},
		{graph.Quantize{}, ptr(.05, -3), ptr(.07, -11), []int{1, 64}, 4, all, 0x7629af86},
		{average, ptr(.05, -3), ptr(.05, -3), []int{1, 5, 5, 4}, 1, codes(100, func(i int) int { return 53*i + 7 }), 0x4a897bc2},
	} {
		for _, profile := range []interp.Profile{interp.LiteRT, interp.TFLM} {
			b := newBuilder(t, 1)
			g := b.done(b.op("y", c.op, graph.Int8, c.out, b.input("x", graph.Int8, c.in, c.shape...)))
			ip := start(t, g, interp.Options{Profile: profile, Batch: c.batch})
			if got := checksum(run(t, ip, c.codes)); got != c.want {
				t.Errorf("%s of scale %v, %v: checksum %08x, want %08x", c.op.Name(), c.in.Scale, profile, got, c.want)
			}
		}
	}
}

// dense returns y = x*w + b for one weight of code and scale 1.
func dense(t *testing.T, xScale float32, bias []int32) *graph.Graph {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Int8, ptr(xScale, 0), 1, 1)
	w := b.weights("w", false, len(bias), 1)
	w.Quant = ptr(1, 0)
	clear(w.Int8s())
	c := b.bias("b", x, w)
	copy(c.Int32s(), bias)
	return b.done(b.op("y", graph.FullyConnected{}, graph.Int8, ptr(1, 0), x, w, c))
}

// 213 * 0.0023456789 is 0.4996: one rounding gives 0, two give 0.5 and 1.
func TestProfilesRoundFullyConnectedDifferently(t *testing.T) {
	g := dense(t, 0.0023456789, []int32{213, -213, 12345})
	for profile, want := range map[interp.Profile][]int8{
		interp.LiteRT:  {0, 0, 29},
		interp.TFLM:    {1, -1, 29},
		interp.XNNPACK: {0, 0, 29},
	} {
		equal(t, profile.String(), run(t, start(t, g, interp.Options{Profile: profile}), []int8{0}), want)
	}
}

func TestProfilesTreatRelu6Differently(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Int8, ptr(0.1, 0), 1, 4)
	g := b.done(b.op("y", graph.Relu6{}, graph.Int8, ptr(0.05, -10), x))
	for profile, want := range map[interp.Profile][]int8{
		interp.LiteRT: {-10, 10, 90, 110}, // (x-0)*2 - 10, at most 6/0.05 - 10
		interp.TFLM:   {0, 10, 50, 60},    // x, at most 6/0.1
	} {
		equal(t, profile.String(), run(t, start(t, g, interp.Options{Profile: profile}), []int8{-20, 10, 50, 100}), want)
	}
}

// Fed the same codes, no other operator differs between the profiles.
func TestProfilesAgreeOtherwise(t *testing.T) {
	for _, perChannel := range []bool{false, true} {
		g := int8Net(t, perChannel)
		inputs := map[*graph.Tensor]any{}
		ip := start(t, g, interp.Options{Batch: 64, Tap: func(x *graph.Tensor, _ []int, data any) { inputs[x] = clone(data) }})
		run(t, ip, newBuilder(t, 9).data(g.Inputs[0], 64))
		for _, n := range g.Nodes {
			given := map[*graph.Tensor]any{n.Inputs[0]: inputs[n.Inputs[0]]}
			got, err := interp.RunNode(g, n, given, interp.Options{Batch: 64, Profile: interp.TFLM})
			if err != nil {
				t.Fatal(err)
			}
			want := inputs[n.Output]
			switch n.Op.(type) {
			case graph.FullyConnected:
				for i, q := range got.([]int8) {
					if d := int(q) - int(want.([]int8)[i]); d < -1 || d > 1 { // two roundings against one
						t.Fatalf("code %d is %d in TFLM, %d in LiteRT", i, q, want.([]int8)[i])
					}
				}
			case graph.Relu6:
			default:
				equal(t, n.Name, got, want)
			}
		}
	}
}

func TestTFLMHasNoHybridKernels(t *testing.T) {
	for _, c := range []struct {
		g    *graph.Graph
		want []string
	}{
		{hybridNet(t, true), []string{"(CONV_2D): no kernel for inputs [float32 int8 float32] and output float32 in profile TFLM", "(FULLY_CONNECTED): no kernel"}},
		{float16Net(t), []string{"(DEQUANTIZE): no kernel for inputs [float16]"}},
	} {
		_, err := interp.New(c.g, interp.Options{Profile: interp.TFLM})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}

// foreign is an operator that no interpreter knows; named as another one, it
// provokes a panic.
type foreign struct{ name string }

func (f foreign) Name() string                  { return f.name }
func (foreign) Class() graph.Class              { return graph.Requantize }
func (foreign) Infer(in [][]int) ([]int, error) { return in[0], nil }

func TestNewErrors(t *testing.T) {
	conv := graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	pool := graph.Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}
	p, other := ptr(0.1, 3), ptr(0.1, 4)
	image := func(b builder, p *quant.Params) *graph.Tensor { return b.input("x", graph.Int8, p, 1, 4, 4, 2) }
	onWeights := func(change func(w, bias *graph.Tensor)) func(b builder) *graph.Tensor {
		return func(b builder) *graph.Tensor {
			x := image(b, p)
			w := b.weights("w", true, 3, 2, 2, 2)
			bias := b.bias("b", x, w)
			change(w, bias)
			return b.op("y", conv, graph.Int8, p, x, w, bias)
		}
	}
	unary := func(op graph.Op, t graph.Type, in, out *quant.Params) func(b builder) *graph.Tensor {
		return func(b builder) *graph.Tensor { return b.op("y", op, t, out, image(b, in)) }
	}
	for _, c := range []struct {
		name  string
		build func(b builder) *graph.Tensor
		want  string
	}{
		{"unknown operator", unary(foreign{"GELU"}, graph.Int8, p, p), `interp: node "y": operator GELU is not implemented`},
		{"impostor", unary(foreign{"RELU"}, graph.Int8, p, p), `interp: node "y" (RELU): internal fault: interface conversion`},
		{"input without parameters", unary(graph.Relu{}, graph.Int8, nil, p), `interp: node "y" (RELU): tensor "x" is int8 without scale and zero point`},
		{"output without parameters", unary(graph.Relu6{}, graph.Int8, p, nil), `node "y" (RELU6): tensor "y" is int8 without`},
		{"zero point outside the type", unary(graph.Relu{}, graph.Int8, p, ptr(1, 200)), `tensor "y": zero point 200 is outside [-128, 127]`},
		{"activation per channel", unary(graph.Dequantize{}, graph.Float32, nil, nil), `tensor "x" is int8 without`},
		{"quantize to float", unary(graph.Quantize{}, graph.Float32, p, nil), `tensor "y" is float32 without`},
		{"quantize to int32", unary(graph.Quantize{}, graph.Int32, p, p), `tensor "y": int32 codes are not supported`},
		{"dequantize to int8", unary(graph.Dequantize{}, graph.Int8, p, p), `no kernel for inputs [int8] and output int8`},
		{"max pool", unary(graph.MaxPool2D{Pool: pool}, graph.Int8, p, other), `tensors "x" and "y" must have equal scale and zero point, not 0.1, 3 and 0.1, 4`},
		{"average pool", unary(graph.AveragePool2D{Pool: pool}, graph.Int8, p, ptr(0.2, 3)), `must have equal scale`},
		{"pool without parameters", unary(graph.MaxPool2D{Pool: pool}, graph.Int8, nil, nil), `tensor "x" is int8 without`},
		{"reshape", unary(graph.Reshape{Shape: []int{-1, 32}}, graph.Int8, p, other), `must have equal scale`},
		{"reshape to float", unary(graph.Reshape{Shape: []int{-1, 32}}, graph.Float32, p, nil), `no kernel`},
		{"softmax", unary(graph.Softmax{}, graph.Int8, p, p), `want 1/256 and -128`},
		{"batch norm of codes", func(b builder) *graph.Tensor {
			return b.op("y", graph.BatchNorm{}, graph.Int8, p, image(b, p), b.floats("g", 2), b.floats("b", 2), b.floats("m", 2), b.positive("v", 2))
		}, `no kernel for inputs [int8 float32 float32 float32 float32] and output int8`},
		{"weight zero point", onWeights(func(w, _ *graph.Tensor) { w.Quant.ZeroPoint[2] = 1 }), `(CONV_2D): q8: convolution: zero point 2 of the weights is 1`},
		{"weights without parameters", onWeights(func(w, _ *graph.Tensor) { w.Quant = nil }), `tensor "w" is int8 without`},
		{"bias type", onWeights(func(_, bias *graph.Tensor) { bias.Type, bias.Data = graph.Float32, make([]float32, 3) }), `tensor "b" holds []float32, want data of type []int32`},
		{"weights per input channel", onWeights(func(w, _ *graph.Tensor) {
			q := quant.Params{Scale: []float32{1, 1}, ZeroPoint: []int32{0, 0}, Axis: 3}
			w.Quant = &q
		}), `tensor "w": scales run along axis 3, want 0`},
		{"computed weights", func(b builder) *graph.Tensor {
			w := b.op("w", graph.Quantize{}, graph.Int8, p, b.floats("v", 3, 2, 2, 2))
			return b.op("y", conv, graph.Int8, p, image(b, p), w)
		}, `weights "w" are computed: they must be data`},
		{"float output", func(b builder) *graph.Tensor {
			return b.op("y", conv, graph.Float32, nil, image(b, p), b.weights("w", true, 3, 2, 2, 2))
		}, `(CONV_2D): no kernel for inputs [int8 int8] and output float32 in profile LiteRT`},
	} {
		b := newBuilder(t, 1)
		y := c.build(b)
		if len(b.Inputs) == 0 {
			t.Fatalf("%s: no input", c.name)
		}
		_, err := interp.New(b.done(y), interp.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestNewCollectsFaults(t *testing.T) {
	b := newBuilder(t, 1)
	x := b.input("x", graph.Float32, nil, 1, 2)
	g := b.done(b.op("second", foreign{"B"}, graph.Float32, nil, b.op("first", foreign{"A"}, graph.Float32, nil, x)))
	_, err := interp.New(g, interp.Options{})
	equal(t, "error", fmt.Sprint(err), "interp: node \"first\": operator A is not implemented\ninterp: node \"second\": operator B is not implemented")

	for _, c := range []struct {
		o    interp.Options
		want string
	}{
		{interp.Options{Batch: -1}, "interp: batch -1 is negative"},
		{interp.Options{Profile: 7}, "interp: unknown profile 7"},
	} {
		if _, err := interp.New(g, c.o); fmt.Sprint(err) != c.want {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	b = newBuilder(t, 1)
	fixed := b.done(b.float(graph.Reshape{Shape: []int{1, 2}}, b.input("x", graph.Float32, nil, 1, 2)))
	var shape *graph.ShapeError
	if _, err := interp.New(fixed, interp.Options{Batch: 3}); !errors.As(err, &shape) {
		t.Errorf("a shape for one row only: %v", err)
	}
	if _, err := interp.New(&graph.Graph{}, interp.Options{}); err == nil || !strings.Contains(err.Error(), "interp: graph: no inputs") {
		t.Errorf("got %v", err)
	}
}
