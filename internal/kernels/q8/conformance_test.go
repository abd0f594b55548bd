package q8

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// This file holds the fast matrix kernels to the reference ones over random
// shapes with ragged edges, extreme codes included.

// drawCodes draws n codes, the extremes often.
func drawCodes(t *rapid.T, n int, name string) []int8 {
	pool := rapid.SampledFrom([]*rapid.Generator[int8]{
		rapid.Int8(), rapid.Just(int8(-128)), rapid.Just(int8(127)), rapid.SampledFrom([]int8{-128, 127}),
	}).Draw(t, name+" kind")
	// A few drawn codes, repeated: drawing thousands one by one is slow.
	seed := rapid.SliceOfN(pool, 1, 37).Draw(t, name)
	codes := make([]int8, n)
	for i := range codes {
		codes[i] = seed[(uint64(i)*uint64(i)/3+uint64(i))%uint64(len(seed))]
	}
	return codes
}

// drawBias draws n biases, or nil where an operator can do without.
func drawBias(t *rapid.T, n int, optional bool) []int32 {
	if optional && rapid.Bool().Draw(t, "without bias") {
		return nil
	}
	// Biases of any size make accumulators wrap; ordinary ones do not.
	kind := rapid.SampledFrom([]*rapid.Generator[int32]{rapid.Int32(), rapid.Int32Range(-1<<29, 1<<29), rapid.Int32Range(-9999, 9999)}).Draw(t, "kind of bias")
	return rapid.SliceOfN(kind, n, n).Draw(t, "bias")
}

// drawReals draws n real numbers of ordinary size, sometimes all zero.
func drawReals(t *rapid.T, n int, name string) []float32 {
	seed := rapid.SliceOfN(rapid.Float32Range(-3, 4), 1, 37).Draw(t, name)
	values := make([]float32, n)
	for i := range values {
		values[i] = seed[(i*i/3+i)%len(seed)]
	}
	return dropTiny(values)
}

// drawTensor draws per-tensor parameters.
func drawTensor(t *rapid.T, name string) quant.Params {
	zero := rapid.OneOf(rapid.Int8(), rapid.SampledFrom([]int8{-128, 127})).Draw(t, name+" zero")
	return quant.PerTensor(rapid.Float32Range(0.001, 2).Draw(t, name+" scale"), int32(zero))
}

// drawWeight draws symmetric parameters for n outputs.
func drawWeight(t *rapid.T, n int) quant.Params {
	if rapid.Bool().Draw(t, "per tensor") {
		return quant.PerTensor(rapid.Float32Range(0.0001, 1).Draw(t, "weight scale"), 0)
	}
	return quant.Params{
		Scale:     rapid.SliceOfN(rapid.Float32Range(0.0001, 1), n, n).Draw(t, "weight scales"),
		ZeroPoint: make([]int32, n),
	}
}

// drawChannels draws a number of channels up to 300, mostly few.
func drawChannels(t *rapid.T, name string) int {
	return rapid.SampledFrom([]*rapid.Generator[int]{rapid.IntRange(1, 9), rapid.IntRange(1, 70), rapid.IntRange(1, 300)}).Draw(t, "kind of "+name).Draw(t, name)
}

// drawWindow draws a window with everything that can differ between axes.
func drawWindow(t *rapid.T) Window {
	two := func(lo, hi int, name string) [2]int {
		return [2]int{rapid.IntRange(lo, hi).Draw(t, name+" height"), rapid.IntRange(lo, hi).Draw(t, name+" width")}
	}
	return Window{Window: window.Window{Input: two(1, 9, "input"), Output: two(1, 7, "output"), Kernel: two(1, 4, "kernel"), Stride: two(0, 3, "stride"), Dilation: two(0, 3, "dilation"), Pad: two(0, 3, "pad")}, Channels: drawChannels(t, "channels")}
}

var (
	activations = rapid.SampledFrom([]quant.Activation{quant.NoActivation, quant.Relu, quant.Relu6, quant.ReluN1To1})
	profiles    = rapid.SampledFrom([]Profile{LiteRT, TFLM, XNNPACK})
)

// mustTake ends the test on an error, or skips what XNNPACK does not take.
func mustTake(t interface {
	Skip(...any)
	Fatal(...any)
}, err error) {
	if err != nil && strings.Contains(err.Error(), "XNNPACK takes") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFullyConnectedConformance(t *testing.T) { rapid.Check(t, fullyConnectedConforms) }

func FuzzFullyConnected(f *testing.F) { atEveryLevel(f, fullyConnectedConforms) }

func fullyConnectedConforms(t *rapid.T) {
	rows := rapid.IntRange(1, 70).Draw(t, "rows")
	spec := FullyConnectedSpec{
		Inputs:     drawChannels(t, "inputs"),
		Outputs:    drawChannels(t, "outputs"),
		Input:      drawTensor(t, "input"),
		Output:     drawTensor(t, "output"),
		Activation: activations.Draw(t, "activation"),
		Profile:    profiles.Draw(t, "profile"),
	}
	spec.Weight = drawWeight(t, spec.Outputs)
	if !spec.Weight.PerChannel() && spec.Profile != XNNPACK && rapid.Bool().Draw(t, "weights with zero point") {
		spec.Weight.ZeroPoint[0] = int32(rapid.Int8().Draw(t, "weight zero"))
	}
	weights := drawCodes(t, spec.Inputs*spec.Outputs, "weights")
	bias := drawBias(t, spec.Outputs, true)
	src := drawCodes(t, rows*spec.Inputs, "input")
	run := func(k Kernel) []int8 {
		spec.Kernel = k
		f, err := NewFullyConnected(spec, weights, bias)
		mustTake(t, err)
		dst := make([]int8, rows*spec.Outputs)
		f.Run(dst, src, rows)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

func TestConv2DConformance(t *testing.T) { rapid.Check(t, conv2DConforms) }

func FuzzConv2D(f *testing.F) { atEveryLevel(f, conv2DConforms) }

func conv2DConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := Conv2DSpec{
		Window:     drawWindow(t),
		Outputs:    drawChannels(t, "outputs"),
		Input:      drawTensor(t, "input"),
		Output:     drawTensor(t, "output"),
		Activation: activations.Draw(t, "activation"),
		Profile:    profiles.Draw(t, "profile"),
	}
	w := &spec.Window
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Outputs*w.depth(), "weights")
	bias := drawBias(t, spec.Outputs, spec.Profile != XNNPACK)
	src := drawCodes(t, batch*w.inputSize(), "input")
	run := func(k Kernel) []int8 {
		spec.Kernel = k
		c, err := NewConv2D(spec, weights, bias)
		mustTake(t, err)
		dst := make([]int8, batch*w.Positions()*spec.Outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

func TestHybridFullyConnectedConformance(t *testing.T) { rapid.Check(t, hybridFullyConnectedConforms) }

func FuzzHybridFullyConnected(f *testing.F) { atEveryLevel(f, hybridFullyConnectedConforms) }

func hybridFullyConnectedConforms(t *rapid.T) {
	rows := rapid.IntRange(1, 40).Draw(t, "rows")
	spec := HybridFullyConnectedSpec{
		Inputs:     drawChannels(t, "inputs"),
		Outputs:    drawChannels(t, "outputs"),
		Asymmetric: rapid.Bool().Draw(t, "asymmetric"),
		Activation: activations.Draw(t, "activation"),
	}
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Inputs*spec.Outputs, "weights")
	bias := drawReals(t, spec.Outputs, "bias")
	src := drawReals(t, rows*spec.Inputs, "input")
	run := func(k Kernel) []float32 {
		spec.Kernel = k
		f, err := NewHybridFullyConnected(spec, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, rows*spec.Outputs)
		f.Run(dst, src, rows)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

func TestHybridConv2DConformance(t *testing.T) { rapid.Check(t, hybridConv2DConforms) }

func FuzzHybridConv2D(f *testing.F) { atEveryLevel(f, hybridConv2DConforms) }

func hybridConv2DConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := HybridConv2DSpec{
		Window:     drawWindow(t),
		Outputs:    drawChannels(t, "outputs"),
		Activation: activations.Draw(t, "activation"),
	}
	w := &spec.Window
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Outputs*w.depth(), "weights")
	bias := drawReals(t, spec.Outputs, "bias")
	src := drawReals(t, batch*w.inputSize(), "input")
	run := func(k Kernel) []float32 {
		spec.Kernel = k
		c, err := NewHybridConv2D(spec, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, batch*w.Positions()*spec.Outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

// TestDeepSums fills the lanes of the fast kernels to their limits: every product
// is the largest, or the most negative, for depths around the spill.
func TestDeepSums(t *testing.T) {
	deepSums(t, []int8{-128, 127}, []int{1, 4094, 4095, 4096, 9000}, func(acc []int32, rows []int8, weights []int8, outputs, depth int) {
		newMatrix(weights, outputs, depth).multiply(acc, rows, len(rows)/depth)
	})
	deepSums(t, []int16{-32768, 32767}, []int{1, 14, 15, 16, 1000}, func(acc []int64, rows []int16, weights []int8, outputs, depth int) {
		p := packWeights(weights, outputs, depth, 16)
		multiplyPacked(&p, acc, rows, len(rows)/depth)
	})
}

func deepSums[X int8 | int16, S int32 | int64](t *testing.T, extremes []X, depths []int, multiply func(acc []S, rows []X, weights []int8, outputs, depth int)) {
	const outputs, rows = 7, 3
	for _, depth := range depths {
		for _, x := range extremes {
			for _, w := range []int8{-128, 127} {
				codes, weights := make([]X, rows*depth), make([]int8, depth*outputs)
				fill(codes, x)
				fill(weights, w)
				fill(weights[depth:][:depth], -w-1) // neighbours of opposite sign borrow from each other
				acc := make([]S, rows*outputs)
				multiply(acc, codes, weights, outputs, depth)
				for i, got := range acc {
					if want := S(depth) * S(x) * S(weights[i%outputs*depth]); got != want {
						t.Errorf("depth %d, %d * %d, sum %d: %d, want %d", depth, x, w, i, got, want)
					}
				}
			}
		}
	}
}

// TestAccumulatorWraps shows that both kernels wrap around at 2^31 alike.
func TestAccumulatorWraps(t *testing.T) {
	spec := FullyConnectedSpec{
		Inputs: 100, Outputs: 1,
		Input: quant.PerTensor(1, 0), Weight: quant.PerTensor(1, 0), Output: quant.PerTensor(1<<24, 0),
	}
	codes := make([]int8, 100)
	fill(codes, 127)
	for _, k := range []Kernel{Fast, Reference} {
		spec.Kernel = k
		f, err := NewFullyConnected(spec, codes, []int32{math.MaxInt32})
		if err != nil {
			t.Fatal(err)
		}
		var got [1]int8
		f.Run(got[:], codes, 1)
		if got[0] != -128 { // -2^31 + 100*127*127 - 1 in steps of 2^24: -127.9
			t.Errorf("kernel %d: %d, want -128", k, got[0])
		}
	}
}

// TestManyParts runs shapes large enough to be split among goroutines.
func TestManyParts(t *testing.T) {
	codes := func(n int) []int8 {
		c := make([]int8, n)
		for i := range c {
			c[i] = int8(i*i/7 + 3*i)
		}
		return c
	}
	fc := FullyConnectedSpec{
		Inputs: 301, Outputs: 65,
		Input: quant.PerTensor(.03, 5), Weight: quant.PerTensor(.01, 0), Output: quant.PerTensor(.5, -9),
	}
	conv := Conv2DSpec{
		Window:  Window{Window: window.Window{Input: [2]int{31, 29}, Output: [2]int{16, 15}, Kernel: [2]int{3, 5}, Stride: [2]int{2, 2}, Pad: [2]int{1, 2}}, Channels: 7},
		Outputs: 23, Input: fc.Input, Weight: fc.Weight, Output: fc.Output,
	}
	const rows, batch = 101, 5
	outputs := map[Kernel][2][]int8{}
	for _, k := range []Kernel{Fast, Reference} {
		fc.Kernel, conv.Kernel = k, k
		f, err := NewFullyConnected(fc, codes(fc.Inputs*fc.Outputs), nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewConv2D(conv, codes(conv.Outputs*conv.Window.depth()), nil)
		if err != nil {
			t.Fatal(err)
		}
		y, z := make([]int8, rows*fc.Outputs), make([]int8, batch*conv.Window.Positions()*conv.Outputs)
		f.Run(y, codes(rows*fc.Inputs), rows)
		c.Run(z, codes(batch*conv.Window.inputSize()), batch)
		outputs[k] = [2][]int8{y, z}
	}
	for i, name := range []string{"fully connected", "convolution"} {
		if !slices.Equal(outputs[Fast][i], outputs[Reference][i]) {
			t.Errorf("%s: kernels differ", name)
		}
	}
}

// TestLargeParts runs single images and many rows that routines share among
// goroutines, in several calls each.
func TestLargeParts(t *testing.T) {
	in, weight, out := quant.PerTensor(.03, 5), quant.PerTensor(.01, 0), quant.PerTensor(.5, -9)
	r := rand.New(rand.NewPCG(1, 2))
	codes := func(n int) []int8 {
		c := make([]int8, n)
		for i := range c {
			c[i] = int8(r.Uint32())
		}
		return c
	}
	type operator interface {
		Run(dst, src []int8, batch int)
	}
	conv, deep := shape{64, 64, 16, [2]int{5, 3}, 1, 48}.window(), shape{96, 96, 32, [2]int{3, 3}, 1, 0}.window()
	convWeights, deepWeights, denseWeights := codes(48*conv.depth()), codes(deep.depth()), codes(301*65)
	for _, c := range []struct {
		name        string
		dst, src, n int
		make        func(Kernel) (operator, error)
	}{
		{"convolution", conv.Positions() * 48, conv.inputSize(), 1, func(k Kernel) (operator, error) {
			return NewConv2D(Conv2DSpec{Window: conv, Outputs: 48, Input: in, Weight: weight, Output: out, Kernel: k}, convWeights, nil)
		}},
		{"depthwise", deep.Positions() * 32, deep.inputSize(), 1, func(k Kernel) (operator, error) {
			return NewDepthwiseConv2D(DepthwiseConv2DSpec{Window: deep, Multiplier: 1, Input: in, Weight: weight, Output: out, Kernel: k}, deepWeights, nil)
		}},
		{"fully connected", 1001 * 65, 1001 * 301, 1001, func(k Kernel) (operator, error) {
			return NewFullyConnected(FullyConnectedSpec{Inputs: 301, Outputs: 65, Input: in, Weight: weight, Output: out, Kernel: k}, denseWeights, nil)
		}},
	} {
		src := codes(c.src)
		var results [2][]int8
		for i, k := range []Kernel{Fast, Reference} {
			op, err := c.make(k)
			if err != nil {
				t.Fatal(err)
			}
			results[i] = make([]int8, c.dst)
			op.Run(results[i], src, c.n)
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("%s: kernels differ", c.name)
		}
	}
}

func BenchmarkConv2D(b *testing.B) {
	for _, s := range []struct{ size, in, out int }{{28, 1, 16}, {14, 16, 32}} {
		b.Run(fmt.Sprintf("%dx%dx%d-%d", s.size, s.size, s.in, s.out), func(b *testing.B) {
			spec := Conv2DSpec{
				Window:  Window{Window: window.Window{Input: [2]int{s.size, s.size}, Output: [2]int{s.size, s.size}, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}, Channels: s.in},
				Outputs: s.out,
				Input:   quant.PerTensor(.05, -128), Weight: quant.PerTensor(.01, 0), Output: quant.PerTensor(.1, -128),
			}
			const batch = 16
			weights := make([]int8, 9*s.in*s.out)
			src, dst := make([]int8, batch*s.size*s.size*s.in), make([]int8, batch*s.size*s.size*s.out)
			benchmarkBoth(b, batch*s.size*s.size*len(weights), func(k Kernel) (func(), error) {
				spec.Kernel = k
				c, err := NewConv2D(spec, weights, nil)
				return func() { c.Run(dst, src, batch) }, err
			})
		})
	}
}

func BenchmarkFullyConnected(b *testing.B) {
	for _, rows := range []int{1, 64} {
		b.Run(fmt.Sprintf("%dx784-128", rows), func(b *testing.B) {
			spec := FullyConnectedSpec{
				Inputs: 784, Outputs: 128,
				Input: quant.PerTensor(.05, -128), Weight: quant.PerTensor(.01, 0), Output: quant.PerTensor(.1, -128),
			}
			weights := make([]int8, spec.Inputs*spec.Outputs)
			src, dst := make([]int8, rows*spec.Inputs), make([]int8, rows*spec.Outputs)
			benchmarkBoth(b, rows*len(weights), func(k Kernel) (func(), error) {
				spec.Kernel = k
				f, err := NewFullyConnected(spec, weights, nil)
				return func() { f.Run(dst, src, rows) }, err
			})
		})
	}
}

// TestNoAllocation: running an operator takes no memory once it has run.
func TestNoAllocation(t *testing.T) {
	if level.lanes == 0 || testing.Short() {
		t.Skip("not in plain Go, nor for the race detector, which empties pools")
	}
	for _, s := range tinyShapes {
		op, src, dst, _ := s.operator(t)
		if n := testing.AllocsPerRun(20, func() { op.Run(dst, src, 1) }); n > 0 {
			t.Errorf("%v: %v allocations", s, n)
		}
	}
}
