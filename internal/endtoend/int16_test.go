package endtoend

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/quant"
)

// wideSimulations are the networks with activations of 16 bits, all that
// fakequant.Insert takes: calibrated, and one of them trained.
var wideSimulations = func() (list []source) {
	r := quant.Int16x8()
	for _, n := range networks {
		g, err := n.layers.Build(n.input, 7)
		if err != nil {
			continue // which other tests report
		}
		if _, err := fakequant.Insert(g, r); err != nil {
			continue
		}
		list = append(list, source{n, r.Name + " ptq", sync.OnceValues(func() (*graph.Graph, error) { return n.calibrated(r) })})
		if n.name == "gammas" {
			list = append(list, source{n, r.Name + " qat", sync.OnceValues(func() (*graph.Graph, error) { return n.fineTuned(r) })})
		}
	}
	return list
}()

var wideFiles = integerFilesOf(wideSimulations, graph.Float32, graph.Int16)

// Every tensor of int16x8 files is what LiteRT's reference kernels give it.
func TestInt16FilesEqualLiteRT(t *testing.T) {
	if len(wideSimulations) < 8 {
		t.Errorf("only %d of the networks have activations of 16 bits", len(wideSimulations))
	}
	equalLiteRT(t, wideFiles)
}

// wideSteps are how far the simulation of other operators is from int16. The
// kernels of three are tables that are farther from the function than a step; how
// far that of SOFTMAX, 2 for each output, is derived in package q16. An average of
// codes beyond 2^14 is known in float32 to 2^-9 of a code, and a tie may be missed.
var wideSteps = map[string]int{"LOGISTIC": 2, "TANH": 3, "AVERAGE_POOL_2D": 1}

// As [TestSimulationPredictsIntegers], for codes of 16 bits.
func TestSimulationPredictsInt16(t *testing.T) { predictIntegers(t, wideSimulations) }

// Every operator on int16 alone in a file, as [TestOperatorsEqualLiteRT]; LiteRT's
// default kernels may differ in those of the table only.
func TestInt16OperatorsEqualLiteRT(t *testing.T) {
	for _, op := range []struct {
		name  string
		cases func(*testing.T) []opCase
	}{
		{"ADD", func(t *testing.T) []opCase { return wideArithmetic(t, graph.Add{}) }},
		{"SUB", func(t *testing.T) []opCase { return wideArithmetic(t, graph.Sub{}) }},
		{"MUL", func(t *testing.T) []opCase { return wideArithmetic(t, graph.Mul{}) }},
		{"CONV_2D", wideConvolutions},
		{"DEPTHWISE_CONV_2D", wideDepthwise},
		{"FULLY_CONNECTED", wideFullyConnected},
		{"TRANSPOSE_CONV", wideTransposed},
		{"POOLS", widePools},
		{"MEAN", wideMeans},
		{"COPIES", wideCopies},
		{"RELU", func(t *testing.T) []opCase { return wideElementwise(t, graph.Relu{}, 0.0003) }},
		{"RELU6", func(t *testing.T) []opCase { return wideElementwise(t, graph.Relu6{}, 0.0003) }},
		{"LEAKY_RELU", func(t *testing.T) []opCase {
			return slices.Concat(wideElementwise(t, graph.LeakyRelu{Alpha: 0.1}, 0.0003), wideElementwise(t, graph.LeakyRelu{Alpha: -0.7}, 0.0003))
		}},
		{"LOGISTIC", func(t *testing.T) []opCase { return wideElementwise(t, graph.Logistic{}, 1.0/32768) }},
		{"TANH", func(t *testing.T) []opCase { return wideElementwise(t, graph.Tanh{}, 1.0/32768) }},
		{"SOFTMAX", wideSoftmaxes},
		{"QUANTIZE", wideBorders},
	} {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			o := oracle.Start(t)
			may := wideMayDiffer[op.name]
			var total difference
			for _, c := range op.cases(t) {
				total.add(c.compare(t, o, may.steps))
			}
			t.Logf("default kernels: %v", total)
			switch {
			case total.steps > may.steps:
				t.Errorf("default kernels: %v", total)
			case may.steps > 0 && total.differ == 0:
				t.Error("it may differ and does not: take it off the table")
			case may.steps > 0:
				t.Logf("cause: %s", may.cause)
			}
		})
	}
}

// wideMayDiffer is mayDiffer for int16, with the steps by which codes differ.
var wideMayDiffer = map[string]struct {
	steps int
	cause string
}{
	"FULLY_CONNECTED": {1, "without a bias LiteRT's default kernel multiplies in fixed point and rounds twice, the reference in float64; with one, as exported models have, it is the reference"},
	"LOGISTIC":        {6, "for scales that are powers of two the default kernel computes in gemmlowp's fixed point of 16 bits, the reference by its table and interpolation"},
	"QUANTIZE":        {1, "the default kernel divides real values in float64, the reference in float32, where more quotients lie halfway between codes"},
	"TANH":            {11, "as LOGISTIC"},
}

// wideAnchor is a file of one operator with int8 weights on int16.
func wideAnchor(t *testing.T, op graph.Op, perChannel, bias bool, shape, weights []int) *made {
	b := newBuilder(t)
	axis := op.(graph.Anchored).ChannelAxis()
	channels := weights[axis]
	depth := float64(graph.Elements(weights) / channels)
	const in, step = 0.00031, 0.0004
	x, w := b.input(graph.Int16, per(in, 0), shape...), b.weights("w", weights...)
	scale := float32(step * 9000 / (in * 18000 * 74 * math.Sqrt(depth))) // outputs over half of the codes
	w.Quant = per(scale, 0)
	if perChannel {
		w.Quant = &quant.Params{Scale: make([]float32, channels), ZeroPoint: make([]int32, channels), Axis: axis}
		for c := range w.Quant.Scale {
			w.Quant.Scale[c] = scale * (0.5 + b.random.Float32())
		}
	}
	inputs := []*graph.Tensor{x, w}
	if bias {
		limit := int(4 / (in * scale))
		codes := make([]int64, channels)
		for i := range codes {
			codes[i] = int64(b.random.IntN(2*limit+1) - limit)
		}
		narrow := b.bias(x, w, channels, 1)
		inputs = append(inputs, &graph.Tensor{Name: "b", Type: graph.Int64, Role: graph.Constant, Shape: []int{channels}, Data: codes, Quant: narrow.Quant})
	}
	return b.done(b.op(op, graph.Int16, per(step, 0), inputs...))
}

func wideConvolutions(t *testing.T) (list []opCase) {
	for _, w := range windows {
		for _, p := range paddings {
			for i, act := range fused {
				op := graph.Conv2D{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], Activate: act}
				list = append(list, opCase{fmt.Sprintf("%+v on %v", op, w), wideAnchor(t, op, i%2 == 0, true, []int{1, w.image[0], w.image[1], 3}, []int{5, w.kernel[0], w.kernel[1], 3})})
			}
		}
	}
	return list
}

func wideDepthwise(t *testing.T) (list []opCase) {
	for _, w := range windows {
		for i, p := range paddings {
			op := graph.DepthwiseConv2D{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], DepthMultiplier: 2, Activate: fused[i]}
			for _, perChannel := range []bool{true, false} {
				list = append(list, opCase{fmt.Sprintf("%+v on %v", op, w), wideAnchor(t, op, perChannel, true, []int{1, w.image[0], w.image[1], 3}, []int{1, w.kernel[0], w.kernel[1], 6})})
			}
		}
	}
	return list
}

func wideFullyConnected(t *testing.T) (list []opCase) {
	for _, inputs := range []int{1, 33, 131} {
		for i, act := range fused {
			for _, perChannel := range []bool{true, false} {
				op := graph.FullyConnected{Activate: act}
				list = append(list, opCase{fmt.Sprintf("%+v of %d", op, inputs), wideAnchor(t, op, perChannel, i != 3, []int{1, inputs}, []int{7, inputs})})
			}
		}
	}
	return list
}

func wideTransposed(t *testing.T) (list []opCase) {
	for _, p := range paddings {
		for _, act := range fused[:3] {
			for _, perChannel := range []bool{true, false} {
				op := graph.TransposeConv{Padding: p, StrideH: 2, StrideW: 1, Activate: act}
				list = append(list, opCase{fmt.Sprintf("%+v", op), wideAnchor(t, op, perChannel, true, []int{1, 4, 3, 5}, []int{3, 3, 2, 5})})
			}
		}
	}
	return list
}

// wideUnary is a file of one operator on int16.
func wideUnary(t *testing.T, op graph.Op, in, out float32, shape ...int) opCase {
	return elementwise(t, op, graph.Int16, graph.Int16, per(in, 0), per(out, 0), shape...)
}

func widePools(t *testing.T) (list []opCase) {
	for _, w := range windows {
		for _, p := range paddings {
			pool := graph.Pool{Padding: p, FilterH: w.kernel[0], FilterW: w.kernel[1], StrideH: w.stride[0], StrideW: w.stride[1]}
			for _, op := range []graph.Op{graph.MaxPool2D{Pool: pool}, graph.AveragePool2D{Pool: pool}} {
				list = append(list, wideUnary(t, op, 0.0003, 0.0003, 1, w.image[0], w.image[1], 5))
			}
		}
	}
	return list
}

func wideMeans(t *testing.T) (list []opCase) {
	for _, shape := range [][]int{{1, 3, 3, 5}, {1, 7, 7, 4}, {1, 8, 8, 3}} {
		for _, keep := range []bool{true, false} {
			op := graph.Mean{Reducer: graph.Reducer{Axes: []int{1, 2}, KeepDims: keep}}
			list = append(list, wideUnary(t, op, 0.0003, 0.0003, shape...), wideUnary(t, op, 0.0003, 0.00021, shape...), wideUnary(t, op, 0.0003, 0.0011, shape...))
		}
	}
	return list
}

func wideCopies(t *testing.T) (list []opCase) {
	for _, op := range []graph.Op{
		graph.Reshape{Shape: []int{-1, 60}},
		graph.Pad{Paddings: [][2]int{{0, 0}, {1, 2}, {0, 3}, {0, 0}}},
		graph.StridedSlice{Begin: []int{0, 1, 0, 0}, End: []int{1, 4, 3, 5}, Strides: []int{1, 2, 1, 3}, BeginMask: 1, EndMask: 1},
		graph.Transpose{Perm: []int{0, 3, 1, 2}},
		graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{1, 2}}},
		graph.ResizeNearestNeighbor{Height: 8, Width: 7},
	} {
		list = append(list, wideUnary(t, op, 0.0003, 0.0003, 1, 4, 3, 5))
	}
	b := newBuilder(t)
	p := per(0.0003, 0)
	x, y := b.input(graph.Int16, p, 1, 3, 5), b.input(graph.Int16, p, 1, 3, 2)
	return append(list, opCase{"concatenation", b.done(b.op(graph.Concat{Axis: 2}, graph.Int16, p, x, y))})
}

func wideElementwise(t *testing.T, op graph.Op, out float32) (list []opCase) {
	for _, in := range []float32{1.0 / 4096, 1.0 / 2048, 0.0003, 0.0011, 0.00004} {
		list = append(list, wideUnary(t, op, in, out, 1, 50, 7))
	}
	return list
}

func wideSoftmaxes(t *testing.T) (list []opCase) {
	for _, in := range []float32{0.0001, 0.0005, 0.00031, 0.002} {
		for _, shape := range [][]int{{1, 10}, {1, 3, 17}, {1, 1}, {1, 5, 100}} {
			list = append(list, wideUnary(t, graph.Softmax{}, in, 1.0/32768, shape...))
		}
	}
	return list
}

func wideBorders(t *testing.T) []opCase {
	return []opCase{
		elementwise(t, graph.Quantize{}, graph.Float32, graph.Int16, nil, per(0.0003, 0), 1, 50, 7),
		elementwise(t, graph.Dequantize{}, graph.Int16, graph.Float32, per(0.0003, 0), nil, 1, 50, 7),
		wideUnary(t, graph.Quantize{}, 0.0003, 0.0003, 1, 50, 7),
		wideUnary(t, graph.Quantize{}, 0.0003, 0.0011, 1, 50, 7),
		wideUnary(t, graph.Quantize{}, 0.0003, 0.0001, 1, 50, 7),
	}
}

func wideArithmetic(t *testing.T, op graph.Fusing) (list []opCase) {
	for _, shapes := range [][2][]int{{{1, 5, 7}, {1, 5, 7}}, {{1, 4, 3, 5}, {1, 1, 3, 1}}} {
		for _, s := range [][3]float32{{0.0003, 0.0003, 0.0005}, {0.0003, 0.0011, 0.0009}, {0.00002, 0.0003, 0.0003}, {1.0 / 4096, 1.0 / 8192, 1.0 / 4096}} {
			for _, act := range fused {
				if op.Name() == "MUL" {
					s[2] = 0.0005
				}
				b := newBuilder(t)
				x, y := b.input(graph.Int16, per(s[0], 0), shapes[0]...), b.input(graph.Int16, per(s[1], 0), shapes[1]...)
				list = append(list, opCase{fmt.Sprintf("%s of %v, %v, %v", op.Name(), shapes, s, act), b.done(b.op(op.Fuse(act), graph.Int16, per(s[2], 0), x, y))})
			}
		}
	}
	return list
}
