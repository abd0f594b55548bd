package q8_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// This file holds the fast kernels of package q16, which are [q8.Words], to the
// formulas there: here every level runs.

// drawInts draws n integers, the extremes often; a few drawn ones, repeated.
func drawInts[T int8 | int16](t *rapid.T, n int, lo, hi T, name string) []T {
	pool := rapid.SampledFrom([]*rapid.Generator[int]{
		rapid.IntRange(int(lo), int(hi)), rapid.Just(int(lo)), rapid.Just(int(hi)), rapid.SampledFrom([]int{int(lo), int(hi)}),
	}).Draw(t, name+" kind")
	seed := rapid.SliceOfN(pool, 1, 37).Draw(t, name)
	values := make([]T, n)
	for i := range values {
		values[i] = T(seed[(uint64(i)*uint64(i)/3+uint64(i))%uint64(len(seed))])
	}
	return values
}

// wordsCase is what operators on codes of 16 bits have in common.
type wordsCase struct {
	linear  q16.Linear
	weights []int8
	bias    []int64
}

func drawWordsCase(t *rapid.T, outputs, depth int) wordsCase {
	scale := func(name string) quant.Params {
		return quant.PerTensor(rapid.Float32Range(0.001, 2).Draw(t, name), 0)
	}
	c := wordsCase{
		linear: q16.Linear{
			Outputs: outputs, Input: scale("input"), Output: scale("output"), Weight: scale("weights"),
			Activation: rapid.SampledFrom([]quant.Activation{quant.NoActivation, quant.Relu, quant.Relu6, quant.ReluN1To1}).Draw(t, "activation"),
		},
		weights: drawInts[int8](t, outputs*depth, -128, 127, "weight codes"),
	}
	if rapid.Bool().Draw(t, "small factors") { // codes within the grid
		c.linear.Output.Scale[0] *= float32(1000 * depth)
	}
	if rapid.Bool().Draw(t, "per channel") {
		c.linear.Weight = quant.Params{Scale: rapid.SliceOfN(rapid.Float32Range(0.0001, 1), outputs, outputs).Draw(t, "scales"), ZeroPoint: make([]int32, outputs)}
	}
	if rapid.Bool().Draw(t, "bias") {
		most := rapid.SampledFrom([]int64{1 << 12, 1 << 30, 1 << 46}).Draw(t, "largest bias")
		c.bias = rapid.SliceOfN(rapid.Int64Range(-most, most), outputs, outputs).Draw(t, "biases")
	}
	return c
}

// check compares what the fast and the reference kernel make of src.
func (c wordsCase) check(t *rapid.T, size, batch int, src []int16, prepare func(l q16.Linear) (interface {
	Run(dst, src []int16, batch int)
}, error)) {
	run := func(k q8.Kernel) []int16 {
		c.linear.Kernel = k
		op, err := prepare(c.linear)
		if err != nil {
			t.Skip(err) // factors beyond what the runtimes take
		}
		dst := make([]int16, size)
		op.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(q8.Fast), run(q8.Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

// drawGeometry draws a window.
func drawGeometry(t *rapid.T) q8.Window {
	two := func(lo, hi int, name string) [2]int {
		return [2]int{rapid.IntRange(lo, hi).Draw(t, name+" height"), rapid.IntRange(lo, hi).Draw(t, name+" width")}
	}
	w := window.Window{Input: two(1, 9, "input"), Output: two(1, 7, "output"), Kernel: two(1, 4, "kernel"), Stride: two(1, 3, "stride"), Dilation: two(1, 3, "dilation"), Pad: two(0, 3, "pad")}
	if rapid.Bool().Draw(t, "pointwise") {
		one := [2]int{1, 1}
		w.Kernel, w.Stride, w.Pad, w.Output = one, one, [2]int{}, w.Input
	}
	channels := rapid.SampledFrom([]int{9, 70, 300}).Draw(t, "most channels")
	return q8.Window{Window: w, Channels: rapid.IntRange(1, channels).Draw(t, "channels")}
}

type wordsRunner = interface {
	Run(dst, src []int16, batch int)
}

func TestWordsConv2D(t *testing.T) { rapid.Check(t, wordsConv2DConforms) }

func FuzzWordsConv2D(f *testing.F) { q8.AtEveryLevel(f, wordsConv2DConforms) }

func wordsConv2DConforms(t *rapid.T) {
	w, outputs, batch := drawGeometry(t), rapid.IntRange(1, 90).Draw(t, "outputs"), rapid.IntRange(1, 3).Draw(t, "batch")
	c := drawWordsCase(t, outputs, w.Taps()*w.Channels)
	src := drawInts[int16](t, batch*w.Pixels()*w.Channels, -32768, 32767, "codes")
	c.check(t, batch*w.Positions()*outputs, batch, src, func(l q16.Linear) (wordsRunner, error) {
		return q16.NewConv2D(l, w, c.weights, c.bias)
	})
}

func TestWordsDepthwiseConv2D(t *testing.T) { rapid.Check(t, wordsDepthwiseConv2DConforms) }

func FuzzWordsDepthwiseConv2D(f *testing.F) { q8.AtEveryLevel(f, wordsDepthwiseConv2DConforms) }

func wordsDepthwiseConv2DConforms(t *rapid.T) {
	w, multiplier, batch := drawGeometry(t), rapid.IntRange(1, 3).Draw(t, "multiplier"), rapid.IntRange(1, 3).Draw(t, "batch")
	outputs := w.Channels * multiplier
	c := drawWordsCase(t, outputs, w.Taps())
	src := drawInts[int16](t, batch*w.Pixels()*w.Channels, -32768, 32767, "codes")
	c.check(t, batch*w.Positions()*outputs, batch, src, func(l q16.Linear) (wordsRunner, error) {
		return q16.NewDepthwiseConv2D(l, w, multiplier, c.weights, c.bias)
	})
}

func TestWordsTransposeConv(t *testing.T) { rapid.Check(t, wordsTransposeConvConforms) }

func FuzzWordsTransposeConv(f *testing.F) { q8.AtEveryLevel(f, wordsTransposeConvConforms) }

func wordsTransposeConvConforms(t *rapid.T) {
	w, outputs, batch := drawGeometry(t), rapid.IntRange(1, 20).Draw(t, "outputs"), rapid.IntRange(1, 3).Draw(t, "batch")
	c := drawWordsCase(t, outputs, w.Taps()*w.Channels)
	src := drawInts[int16](t, batch*w.Positions()*w.Channels, -32768, 32767, "codes")
	c.check(t, batch*w.Pixels()*outputs, batch, src, func(l q16.Linear) (wordsRunner, error) {
		return q16.NewTransposeConv(l, w.Window, w.Channels, c.weights, c.bias)
	})
}

func TestWordsFullyConnected(t *testing.T) { rapid.Check(t, wordsFullyConnectedConforms) }

func FuzzWordsFullyConnected(f *testing.F) { q8.AtEveryLevel(f, wordsFullyConnectedConforms) }

func wordsFullyConnectedConforms(t *rapid.T) {
	inputs := rapid.IntRange(1, rapid.SampledFrom([]int{9, 300, 3000}).Draw(t, "most inputs")).Draw(t, "inputs")
	outputs, rows := rapid.IntRange(1, 90).Draw(t, "outputs"), rapid.IntRange(1, 50).Draw(t, "rows")
	profile := rapid.SampledFrom([]q8.Profile{q8.LiteRT, q8.TFLM}).Draw(t, "profile")
	c := drawWordsCase(t, outputs, inputs)
	src := drawInts[int16](t, rows*inputs, -32768, 32767, "codes")
	c.check(t, rows*outputs, rows, src, func(l q16.Linear) (wordsRunner, error) {
		return q16.NewFullyConnected(l, inputs, profile, c.weights, c.bias)
	})
}

func TestWordsPools(t *testing.T) { rapid.Check(t, wordsPoolsConform) }

func FuzzWordsPools(f *testing.F) { q8.AtEveryLevel(f, wordsPoolsConform) }

func wordsPoolsConform(t *rapid.T) {
	w, batch := drawGeometry(t), rapid.IntRange(1, 3).Draw(t, "batch")
	w.Dilation = [2]int{1, 1}
	for axis := range 2 {
		w.Pad[axis] = min(w.Pad[axis], w.Kernel[axis]-1)
		w.Output[axis] = min(w.Output[axis], (w.Input[axis]-1+w.Pad[axis])/w.Stride[axis]+1)
	}
	spec := q8.PoolSpec{Window: w, Quantized: quant.PerTensor(rapid.Float32Range(1e-5, .01).Draw(t, "scale"), 0), Activation: quant.ReluN1To1}
	src := drawInts[int16](t, batch*w.Pixels()*w.Channels, -32768, 32767, "codes")
	for _, maker := range []func(q8.PoolSpec) (*q16.Pool, error){q16.NewMaxPool2D, q16.NewAveragePool2D} {
		run := func(k q8.Kernel) []int16 {
			spec.Kernel = k
			p, err := maker(spec)
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]int16, batch*w.Positions()*w.Channels)
			p.Run(dst, src, batch)
			return dst
		}
		if fast, want := run(q8.Fast), run(q8.Reference); !slices.Equal(fast, want) {
			t.Fatalf("fast      %v\nreference %v", fast, want)
		}
	}
}

func TestWordsArithmetic(t *testing.T) { rapid.Check(t, wordsArithmeticConform) }

func FuzzWordsArithmetic(f *testing.F) { q8.AtEveryLevel(f, wordsArithmeticConform) }

func wordsArithmeticConform(t *rapid.T) {
	scale := func(name string) quant.Params {
		return quant.PerTensor(rapid.SampledFrom([]float32{1, .5, .3, 1e-4}).Draw(t, name+" unit")*rapid.Float32Range(0.1, 1).Draw(t, name), 0)
	}
	spec := q8.ArithmeticSpec{
		A: scale("a"), B: scale("b"), Output: scale("output"),
		Profile:    rapid.SampledFrom([]q8.Profile{q8.LiteRT, q8.TFLM}).Draw(t, "profile"),
		Activation: rapid.SampledFrom([]quant.Activation{quant.NoActivation, quant.Relu, quant.ReluN1To1}).Draw(t, "activation"),
	}
	if rapid.Bool().Draw(t, "equal scales") {
		spec.B, spec.Output = spec.A, spec.A
	}
	rows, n := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 300).Draw(t, "elements")
	shape := []int{rows, n}
	other := rapid.SampledFrom([][]int{shape, {1, n}, {rows, 1}, {1, 1}}).Draw(t, "second shape")
	a := drawInts[int16](t, rows*n, -32768, 32767, "codes of a")
	b := drawInts[int16](t, other[0]*other[1], -32768, 32767, "codes of b")
	for name, maker := range map[string]func(q8.ArithmeticSpec) (*q16.Arithmetic, error){"add": q16.NewAdd, "sub": q16.NewSub, "mul": q16.NewMul} {
		run := func(k q8.Kernel) []int16 {
			spec.Kernel = k
			o, err := maker(spec)
			if err != nil {
				return nil // factors of 1 and more
			}
			dst := make([]int16, rows*n)
			o.Run(axes.Broadcast(shape, other), dst, a, b)
			return dst
		}
		if fast, want := run(q8.Fast), run(q8.Reference); !slices.Equal(fast, want) {
			t.Fatalf("%s\nfast      %v\nreference %v", name, fast, want)
		}
	}
}

func TestWordsMean(t *testing.T) { rapid.Check(t, wordsMeanConform) }

func FuzzWordsMean(f *testing.F) { q8.AtEveryLevel(f, wordsMeanConform) }

func wordsMeanConform(t *rapid.T) {
	spec := q8.MeanSpec{
		Count: rapid.IntRange(1, 40).Draw(t, "count"), Inner: rapid.IntRange(1, 30).Draw(t, "inner"),
		Input: quant.PerTensor(rapid.Float32Range(0.1, 1).Draw(t, "input"), 0), Output: quant.PerTensor(rapid.Float32Range(0.1, 1).Draw(t, "output"), 0),
	}
	rows := rapid.IntRange(1, 3).Draw(t, "rows")
	src := drawInts[int16](t, rows*spec.Count*spec.Inner, -32768, 32767, "codes")
	m, err := q16.NewMean(spec)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]int16, rows*spec.Inner), make([]int16, rows*spec.Inner)
	m.Run(got, src, rows)
	wordsMean(spec, want, src)
	if !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

// wordsMean is the formula of q16.Mean.
func wordsMean(spec q8.MeanSpec, dst, src []int16) {
	factor := quant.MeanMultiplier(spec.Input.Scale[0], spec.Output.Scale[0], spec.Count)
	for i := range dst {
		sum := int32(0)
		for n := range spec.Count {
			sum += int32(src[(i/spec.Inner*spec.Count+n)*spec.Inner+i%spec.Inner])
		}
		dst[i] = int16(q16.Grid.Clamp(factor.Apply(sum)))
	}
}
