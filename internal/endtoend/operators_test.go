package endtoend

import (
	"fmt"
	"math"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// mayDiffer has the operators whose codes LiteRT's optimized kernels (XNNPACK
// where it takes them) need not share with its reference kernels, by one step,
// and why. Every other operator must give the same codes on both.
var mayDiffer = map[string]string{
	"ADD":               "XNNPACK multiplies codes by 21-bit factors, adds and rounds once, half up; the reference raises both to one scale and rounds each, and the sum twice, in 31-bit fixed point",
	"MUL":               "XNNPACK multiplies the product by float32(s_a*s_b/s_y) and rounds half to even; the reference multiplies in fixed point and rounds twice",
	"SUB":               "as ADD",
	"DEPTHWISE_CONV_2D": "as CONV_2D",
	"CONV_2D":           "XNNPACK multiplies the sum by float32(s_x*s_w/s_y) and rounds half to even; the reference multiplies in fixed point and rounds twice",
	"FULLY_CONNECTED":   "XNNPACK multiplies the sum by float32(s_x*s_w/s_y) and rounds half to even; the reference multiplies in float64 and rounds half away from zero",
	"MEAN":              "XNNPACK multiplies the sum in float32 by s_x/(n*s_y), adds the zero point and rounds once, half to even; the reference multiplies in fixed point and rounds twice",
	"TRANSPOSE_CONV":    "as CONV_2D",
	"QUANTIZE":          "XNNPACK multiplies real values by float32(1/s) and rounds half to even, codes by s_x/s_y in 8 fractional bits and rounds half up; the reference divides, or multiplies in fixed point, and rounds half away from zero",
	"ELU":               "XNNPACK's table rounds half to even; LiteRT's own rounds half away from zero",
	"LEAKY_RELU":        "XNNPACK multiplies codes by s_x/s_y, times alpha below, in 8 fractional bits and rounds half up; the reference multiplies in fixed point and rounds twice",
}

// Every operator on int8, alone in a file: the interpreter's codes are those of
// LiteRT's reference kernels, for batches of 1 and 7 and inputs near the zero
// point, over a third of the codes and over all; the codes of LiteRT's default
// kernels are at most one step away.
func TestOperatorsEqualLiteRT(t *testing.T) {
	for _, op := range []struct {
		name  string
		cases func(*testing.T) []opCase
	}{
		{"ADD", func(t *testing.T) []opCase { return arithmetic(t, graph.Add{}) }},
		{"MUL", func(t *testing.T) []opCase { return arithmetic(t, graph.Mul{}) }},
		{"SUB", func(t *testing.T) []opCase { return arithmetic(t, graph.Sub{}) }},
		{"CONCATENATION", concatenations},
		{"CONV_2D", convolutions},
		{"DEPTHWISE_CONV_2D", depthwiseConvolutions},
		{"FULLY_CONNECTED", fullyConnected},
		{"MAX_POOL_2D", func(t *testing.T) []opCase {
			return pools(t, func(p graph.Pool) graph.Op { return graph.MaxPool2D{Pool: p} })
		}},
		{"AVERAGE_POOL_2D", func(t *testing.T) []opCase {
			return pools(t, func(p graph.Pool) graph.Op { return graph.AveragePool2D{Pool: p} })
		}},
		{"MEAN", means},
		{"PAD", pads},
		{"REDUCE_MAX", maxima},
		{"STRIDED_SLICE", slicesOf},
		{"TRANSPOSE", transposes},
		{"TRANSPOSE_CONV", transposedConvolutions},
		{"RESIZE_NEAREST_NEIGHBOR", resizes},
		{"RELU", func(t *testing.T) []opCase { return activations(t, graph.Relu{}) }},
		{"RELU6", func(t *testing.T) []opCase { return activations(t, graph.Relu6{}) }},
		{"LEAKY_RELU", nonlinears("LEAKY_RELU")},
		{"PRELU", prelus},
		{"ELU", nonlinears("ELU")},
		{"HARD_SWISH", nonlinears("HARD_SWISH")},
		{"LOGISTIC", nonlinears("LOGISTIC")},
		{"TANH", nonlinears("TANH")},
		{"SOFTMAX", softmaxes},
		{"RESHAPE", reshapes},
		{"QUANTIZE", quantizes},
		{"DEQUANTIZE", dequantizes},
	} {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			o := oracle.Start(t)
			var total difference
			for _, c := range op.cases(t) {
				total.add(c.compare(t, o, 1))
			}
			t.Logf("default kernels: %v", total)
			cause, may := mayDiffer[op.name]
			switch {
			case total.steps > 1 || total.differ > 0 && !may:
				t.Errorf("default kernels: %v", total)
			case may && total.differ == 0:
				t.Error("it may differ and does not: take it off the table")
			case may:
				t.Logf("cause: %s", cause)
			}
		})
	}
}

// opCase is a file of one operator.
type opCase struct {
	name string
	*made
}

// difference counts codes that are not equal.
type difference struct{ codes, differ, steps int }

func (d *difference) add(e difference) {
	d.codes, d.differ, d.steps = d.codes+e.codes, d.differ+e.differ, max(d.steps, e.steps)
}

func (d difference) String() string {
	return fmt.Sprintf("%d of %d codes differ (%.4f %%), by at most %d", d.differ, d.codes, 100*float64(d.differ)/float64(max(d.codes, 1)), d.steps)
}

// magnitudes are how far input codes go from the zero point.
var magnitudes = []int{4, 42, 256}

// compare holds the interpreter to the reference kernels and returns how far the
// default ones are from them, most steps at most.
func (c opCase) compare(t *testing.T, o *oracle.Oracle, most int) (total difference) {
	t.Helper()
	y := c.graph.Outputs[0]
	for i, m := range magnitudes {
		const rows = 1 + 7
		var inputs []any
		for k, x := range c.graph.Inputs {
			inputs = append(inputs, operatorInput(x, uint64(i+len(magnitudes)*k), rows*x.Elements(), m, y))
		}
		want := c.runOracle(t, o, c.model(), inputs, rows)
		for _, kernels := range []bool{false, true} {
			ip, err := interp.New(c.graph, interp.Options{Batch: rows - 1, Reference: kernels})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			for _, r := range [][2]int{{0, 1}, {1, rows}} {
				part := make([]any, len(inputs))
				for k, x := range c.graph.Inputs {
					part[k] = section(inputs[k], r[0]*x.Elements(), r[1]*x.Elements())
				}
				if err := ip.Run(part...); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if err := sameElements(ip.Output(0), section(want, r[0]*y.Elements(), r[1]*y.Elements())); err != nil {
					t.Errorf("%s, magnitude %d, rows %v, reference %v: %v", c.name, m, r, kernels, err)
				}
			}
		}
		byDefault := c.runOracle(t, o, oracle.Default, inputs, rows)
		if err := byXNNPACK(c.graph, inputs, rows, byDefault); err != nil && !refusedByXNNPACK(err) {
			t.Errorf("%s, magnitude %d, XNNPACK: %v", c.name, m, err)
		}
		d := steps(byDefault, want)
		if d.steps > most {
			t.Errorf("%s, magnitude %d: default kernels: %v", c.name, m, d)
		}
		total.add(d)
	}
	return total
}

// runOracle returns the output of LiteRT.
func (c opCase) runOracle(t *testing.T, o *oracle.Oracle, r oracle.Resolver, inputs []any, rows int) any {
	t.Helper()
	var fed []oracle.Tensor
	for _, input := range inputs {
		fed = append(fed, inputTensor(t, input))
	}
	tensors, err := o.Run(c.bytes, oracle.Options{Resolver: r, Batch: rows}, fed)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	y := c.graph.Outputs[0]
	for _, tensor := range tensors {
		if tensor.Name == y.Name {
			values, err := elements(tensor, y.Type)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			return values
		}
	}
	t.Fatalf("%s: LiteRT has no output %q", c.name, y.Name)
	return nil
}

// operatorInput returns codes up to a magnitude away from the zero point of x, or
// for float32 real values on, between and exactly halfway between the codes of y.
func operatorInput(x *graph.Tensor, seed uint64, n, magnitude int, y *graph.Tensor) any {
	random := newRandom(seed)
	if x.Type == graph.Int16 || y.Type == graph.Int16 {
		magnitude *= 128
	}
	away := func() int { return random.IntN(2*magnitude+1) - magnitude }
	switch x.Type {
	case graph.Float32:
		list := make([]float32, n)
		for i := range list {
			offset := []float32{0, 0.5, random.Float32()}[i%3]
			list[i] = (float32(away()) + offset) * y.Quant.Scale[0]
		}
		return list
	case graph.UInt8:
		list := make([]uint8, n)
		for i := range list {
			list[i] = uint8(min(max(int(x.Quant.ZeroPoint[0])+away(), 0), math.MaxUint8))
		}
		return list
	}
	if x.Type == graph.Int16 {
		list := make([]int16, n)
		for i := range list {
			list[i] = int16(min(max(away(), math.MinInt16), math.MaxInt16))
		}
		return list
	}
	list := make([]int8, n)
	for i := range list {
		list[i] = int8(min(max(int(x.Quant.ZeroPoint[0])+away(), math.MinInt8), math.MaxInt8))
	}
	return list
}

// section returns elements [lo, hi) of a slice.
func section(data any, lo, hi int) any {
	switch d := data.(type) {
	case []float32:
		return d[lo:hi]
	case []int8:
		return d[lo:hi]
	case []uint8:
		return d[lo:hi]
	case []int16:
		return d[lo:hi]
	}
	return nil
}

// steps compares codes; float32 values that differ count as two steps apart,
// since no operator that gives them rounds.
func steps(got, want any) (d difference) {
	count := func(n int, apart func(i int) int) {
		d.codes = n
		for i := range n {
			if s := apart(i); s != 0 {
				d.differ, d.steps = d.differ+1, max(d.steps, s, -s)
			}
		}
	}
	switch w := want.(type) {
	case []int8:
		g := got.([]int8)
		count(len(w), func(i int) int { return int(g[i]) - int(w[i]) })
	case []uint8:
		g := got.([]uint8)
		count(len(w), func(i int) int { return int(g[i]) - int(w[i]) })
	case []int16:
		g := got.([]int16)
		count(len(w), func(i int) int { return int(g[i]) - int(w[i]) })
	case []float32:
		g := got.([]float32)
		count(len(w), func(i int) int {
			if g[i] != w[i] {
				return 2
			}
			return 0
		})
	}
	return d
}

// windows are geometries with odd sizes and ragged edges.
var windows = []struct{ image, kernel, stride, dilation [2]int }{
	{[2]int{5, 7}, [2]int{3, 3}, [2]int{1, 1}, [2]int{1, 1}},
	{[2]int{9, 6}, [2]int{3, 2}, [2]int{2, 2}, [2]int{1, 1}},
	{[2]int{8, 7}, [2]int{3, 3}, [2]int{1, 1}, [2]int{2, 2}},
	{[2]int{7, 9}, [2]int{2, 3}, [2]int{2, 1}, [2]int{1, 1}},
	{[2]int{7, 11}, [2]int{2, 3}, [2]int{1, 1}, [2]int{3, 1}},
	{[2]int{3, 1}, [2]int{1, 1}, [2]int{1, 2}, [2]int{1, 1}},
}

var paddings = []graph.Padding{graph.Valid, graph.Same}

// fused are the activations of an anchor.
var fused = []quant.Activation{quant.NoActivation, quant.Relu, quant.Relu6, quant.ReluN1To1}

func convolutions(t *testing.T) (list []opCase) {
	const channels, outputs = 3, 11
	for _, w := range windows {
		for _, p := range paddings {
			for _, s := range scalings {
				for _, act := range fused {
					op := graph.Conv2D{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], Activate: act}
					m := anchor(t, op, s, []int{1, w.image[0], w.image[1], channels}, []int{outputs, w.kernel[0], w.kernel[1], channels}, true)
					list = append(list, opCase{fmt.Sprintf("%+v on %v, %s", op, w, s), m})
				}
			}
		}
	}
	return list
}

func fullyConnected(t *testing.T) (list []opCase) {
	for _, c := range []struct {
		shape   []int
		outputs int
		bias    bool
	}{
		{[]int{1, 1}, 1, true}, {[]int{1, 64}, 10, true}, {[]int{1, 131}, 7, false}, {[]int{1, 3, 33}, 5, true},
	} {
		for _, s := range scalings {
			for _, act := range fused {
				op := graph.FullyConnected{KeepDims: len(c.shape) > 2, Activate: act}
				m := anchor(t, op, s, c.shape, []int{c.outputs, c.shape[len(c.shape)-1]}, c.bias)
				list = append(list, opCase{fmt.Sprintf("%+v on %v, %s", op, c.shape, s), m})
			}
		}
	}
	return list
}

// scaling is how an anchor's scales are chosen.
type scaling string

const (
	perTensor  scaling = "per tensor"
	perChannel scaling = "per channel"
	// ties have scales that are powers of two, and outputs that clip all but the
	// smallest inputs: many sums lie halfway between codes, where rounding rules show.
	ties scaling = "ties"
	// lowest and highest have zero points at the ends of the codes.
	lowest  scaling = "zero points at -128"
	highest scaling = "zero points at 127"
)

var scalings = []scaling{perTensor, perChannel, ties, lowest, highest}

// anchor is a file of one operator with weights, whose output covers its codes at
// the largest magnitude.
func anchor(t *testing.T, op graph.Op, s scaling, shape, weights []int, bias bool) *made {
	b := newBuilder(t)
	axis := op.(graph.Anchored).ChannelAxis()
	channels := weights[axis]
	depth := float64(graph.Elements(weights) / channels)
	const spread = 73 * 74 / 60 // codes of weights and inputs, against codes of outputs, one standard deviation each
	const step, least = 0.05, 0.002
	in := float32(step / (0.004 * spread * math.Sqrt(depth)))
	zero, y := int32(-7), per(step, -20)
	switch s {
	case ties:
		in, y = float32(math.Exp2(5+math.Round(math.Log2(float64(in))))), per(0.0625, 5)
	case lowest:
		zero, y = -128, per(step, -128)
	case highest:
		zero, y = 127, per(step, 127)
	}
	x := b.input(graph.Int8, per(in, zero), shape...)
	w := b.weights("w", weights...)
	switch s {
	default:
		w.Quant = per(0.004, 0)
	case ties:
		w.Quant = per(0x1p-8, 0)
	case perChannel:
		w.Quant = &quant.Params{Scale: make([]float32, channels), ZeroPoint: make([]int32, channels), Axis: axis}
		for c := range w.Quant.Scale {
			w.Quant.Scale[c] = least + 0.004*b.random.Float32()
		}
	}
	inputs := []*graph.Tensor{x, w}
	if bias {
		inputs = append(inputs, b.bias(x, w, channels, int(30*spread*math.Sqrt(depth))))
	}
	return b.done(b.op(op, graph.Int8, y, inputs...))
}

func pools(t *testing.T, op func(graph.Pool) graph.Op) (list []opCase) {
	for _, w := range windows {
		for _, p := range paddings {
			for _, params := range []*quant.Params{per(0.0213, -7), per(0.05, -128), per(0.05, 127)} {
				b := newBuilder(t)
				pool := op(graph.Pool{Padding: p, FilterH: w.kernel[0], FilterW: w.kernel[1], StrideH: w.stride[0], StrideW: w.stride[1]})
				x := b.input(graph.Int8, params, 1, w.image[0], w.image[1], 5)
				list = append(list, opCase{fmt.Sprintf("%+v on %v, %v", pool, w.image, params), b.done(b.op(pool, graph.Int8, params, x))})
			}
		}
	}
	return list
}

// elementwise is a file of one operator on 35 elements.
func elementwise(t *testing.T, op graph.Op, from, to graph.Type, in, out *quant.Params, shape ...int) opCase {
	b := newBuilder(t)
	m := b.done(b.op(op, to, out, b.input(from, in, shape...)))
	return opCase{fmt.Sprintf("%s of %v %v to %v %v", op.Name(), from, in, to, out), m}
}

func activations(t *testing.T, op graph.Op) (list []opCase) {
	for _, p := range [][2]*quant.Params{
		{per(0.05, -3), per(0.05, -3)}, {per(0.05, -3), per(0.0235, -128)}, {per(0.05, -3), per(0.071, 20)},
		{per(0.0213, 11), per(0.0213, -128)}, {per(0.25, 4), per(0.5, -100)}, {per(0.004, -128), per(0.03, -128)},
	} {
		list = append(list, elementwise(t, op, graph.Int8, graph.Int8, p[0], p[1], 1, 5, 7))
	}
	return list
}

func softmaxes(t *testing.T) (list []opCase) {
	out := per(1.0/256, -128)
	for _, p := range []*quant.Params{per(0.003, 0), per(0.02, 0), per(0.0437, -90), per(0.1, -13), per(0.25, 100), per(1.5, 7)} {
		for _, shape := range [][]int{{1, 10}, {1, 3, 17}, {1, 40, 2}, {1, 1}, {1, 5, 100}, {1, 3, 4, 7}} {
			list = append(list, elementwise(t, graph.Softmax{}, graph.Int8, graph.Int8, p, out, shape...))
		}
	}
	return list
}

func reshapes(t *testing.T) (list []opCase) {
	p := per(0.0213, -7)
	for _, shape := range [][]int{{-1, 35}, {-1, 7, 5}, {-1, 5, 1, 7}} {
		list = append(list, elementwise(t, graph.Reshape{Shape: shape}, graph.Int8, graph.Int8, p, p, 1, 5, 7))
	}
	return list
}

func quantizes(t *testing.T) (list []opCase) {
	for _, c := range []struct {
		from, to graph.Type
		in, out  *quant.Params
	}{
		{graph.Float32, graph.Int8, nil, per(0.0213, -7)},
		{graph.Float32, graph.Int8, nil, per(0.25, 3)},
		{graph.Float32, graph.UInt8, nil, per(0.0213, 121)},
		{graph.Int8, graph.Int8, per(0.05, -3), per(0.07, -11)},
		{graph.Int8, graph.Int8, per(0.05, -3), per(0.031, 30)},
		{graph.Int8, graph.Int8, per(0.25, 0), per(1, 3)},
		{graph.Int8, graph.UInt8, per(0.05, -3), per(0.05, 125)},
		{graph.UInt8, graph.Int8, per(0.05, 125), per(0.05, -3)},
		{graph.UInt8, graph.Int8, per(0.05, 125), per(0.03, -5)},
		{graph.Int8, graph.UInt8, per(0.05, -3), per(0.04, 100)},
		{graph.UInt8, graph.UInt8, per(0.05, 125), per(0.03, 100)},
	} {
		list = append(list, elementwise(t, graph.Quantize{}, c.from, c.to, c.in, c.out, 1, 5, 7))
	}
	return list
}

func dequantizes(t *testing.T) []opCase {
	return []opCase{
		elementwise(t, graph.Dequantize{}, graph.Int8, graph.Float32, per(0.0213, -7), nil, 1, 5, 7),
		elementwise(t, graph.Dequantize{}, graph.UInt8, graph.Float32, per(0.0213, 121), nil, 1, 5, 7),
	}
}
