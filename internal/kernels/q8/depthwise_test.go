package q8

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// drawDepthwiseWeight is drawWeight along the axis of depthwise channels.
func drawDepthwiseWeight(t *rapid.T, n int) quant.Params {
	p := drawWeight(t, n)
	if p.PerChannel() {
		p.Axis = 3
	}
	return p
}

func TestDepthwiseConv2DConformance(t *testing.T) { rapid.Check(t, depthwiseConforms) }

func FuzzDepthwiseConv2D(f *testing.F) { atEveryLevel(f, depthwiseConforms) }

func depthwiseConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := DepthwiseConv2DSpec{
		Window:     drawWindow(t),
		Multiplier: rapid.IntRange(1, 3).Draw(t, "multiplier"),
		Input:      drawTensor(t, "input"),
		Output:     drawTensor(t, "output"),
		Activation: activations.Draw(t, "activation"),
		Profile:    profiles.Draw(t, "profile"),
	}
	w := &spec.Window
	outputs := w.Channels * spec.Multiplier
	spec.Weight = drawDepthwiseWeight(t, outputs)
	weights := drawCodes(t, outputs*w.Taps(), "weights")
	bias := drawBias(t, outputs, spec.Profile != XNNPACK)
	src := drawCodes(t, batch*w.inputSize(), "input")
	run := func(k Kernel) []int8 {
		spec.Kernel = k
		c, err := NewDepthwiseConv2D(spec, weights, bias)
		mustTake(t, err)
		dst := make([]int8, batch*w.Positions()*outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

func TestHybridDepthwiseConv2DConformance(t *testing.T) { rapid.Check(t, hybridDepthwiseConforms) }

func FuzzHybridDepthwiseConv2D(f *testing.F) { atEveryLevel(f, hybridDepthwiseConforms) }

func hybridDepthwiseConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := HybridDepthwiseConv2DSpec{
		Window:     drawWindow(t),
		Multiplier: rapid.IntRange(1, 3).Draw(t, "multiplier"),
		Activation: activations.Draw(t, "activation"),
	}
	w := &spec.Window
	outputs := w.Channels * spec.Multiplier
	spec.Weight = drawDepthwiseWeight(t, outputs)
	weights := drawCodes(t, outputs*w.Taps(), "weights")
	bias := drawReals(t, outputs, "bias")
	src := drawReals(t, batch*w.inputSize(), "input")
	run := func(k Kernel) []float32 {
		spec.Kernel = k
		c, err := NewHybridDepthwiseConv2D(spec, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, batch*w.Positions()*outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

// TestDepthwiseByHand is small enough to check with a pencil: one pixel of two
// channels, two outputs each.
func TestDepthwiseByHand(t *testing.T) {
	one := Window{Window: window.Window{Input: [2]int{1, 1}, Output: [2]int{1, 1}, Kernel: [2]int{1, 1}}, Channels: 2}
	weights := []int8{1, 2, 3, -4}
	for _, kernel := range []Kernel{Fast, Reference} {
		c, err := NewDepthwiseConv2D(DepthwiseConv2DSpec{
			Window: one, Multiplier: 2, Kernel: kernel, Activation: quant.Relu,
			Input: quant.PerTensor(0.5, 3), Output: quant.PerTensor(1, -10),
			Weight: quant.Params{Scale: []float32{2, 2, 4, 4}, ZeroPoint: make([]int32, 4), Axis: 3},
		}, weights, []int32{0, 1, 10, 100})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, 4)
		c.Run(got, []int8{8, -2}, 1)
		// (8-3)*1, (8-3)*2+1; ((-2-3)*3+10)*2 and ((-2-3)*-4+100)*2; plus -10.
		if want := []int8{-5, 1, -10, 127}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		h, err := NewHybridDepthwiseConv2D(HybridDepthwiseConv2DSpec{
			Window: one, Multiplier: 2, Kernel: kernel, Activation: quant.Relu6, Weight: quant.PerTensor(0.5, 0),
		}, weights, []float32{0, 1, 200, 0})
		if err != nil {
			t.Fatal(err)
		}
		real := make([]float32, 4)
		h.Run(real, []float32{2, -253}, 1) // scale 1, zero point 125
		if want := []float32{1, 3, 0, 6}; !slices.Equal(real, want) {
			t.Errorf("hybrid: %v, want %v", real, want)
		}
	}
}

func TestDepthwiseRefuses(t *testing.T) {
	good := DepthwiseConv2DSpec{
		Window:     Window{Window: window.Window{Input: [2]int{2, 2}, Output: [2]int{1, 1}, Kernel: [2]int{2, 2}}, Channels: 3},
		Multiplier: 2, Input: quant.PerTensor(1, 0), Output: quant.PerTensor(1, 0), Weight: quant.PerTensor(1, 0),
	}
	if _, err := NewDepthwiseConv2D(good, make([]int8, 24), nil); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*DepthwiseConv2DSpec) (weights, biases int){
		"weights":      func(*DepthwiseConv2DSpec) (int, int) { return 23, 0 },
		"biases":       func(*DepthwiseConv2DSpec) (int, int) { return 24, 3 },
		"multiplier":   func(s *DepthwiseConv2DSpec) (int, int) { s.Multiplier = 0; return 24, 0 },
		"window":       func(s *DepthwiseConv2DSpec) (int, int) { s.Window.Output[0] = 0; return 24, 0 },
		"output scale": func(s *DepthwiseConv2DSpec) (int, int) { s.Output.Scale = []float32{0}; return 24, 0 },
		"weight zero":  func(s *DepthwiseConv2DSpec) (int, int) { s.Weight = quant.PerTensor(1, 1); return 24, 0 },
		"axis": func(s *DepthwiseConv2DSpec) (int, int) {
			s.Weight = quant.Params{Scale: []float32{1, 1, 1, 1, 1, 1}, ZeroPoint: make([]int32, 6)}
			return 24, 0
		},
	} {
		bad := good
		weights, biases := change(&bad)
		if _, err := NewDepthwiseConv2D(bad, make([]int8, weights), make([]int32, biases)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkDepthwiseConv2D measures the depthwise convolution of a DS-CNN on
// 14x14 images at batch 16.
func BenchmarkDepthwiseConv2D(b *testing.B) {
	const batch, channels = 16, 32
	w := Window{Window: window.Window{Input: [2]int{14, 14}, Output: [2]int{14, 14}, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}, Channels: channels}
	src, dst := make([]int8, batch*14*14*channels), make([]int8, batch*14*14*channels)
	for i := range src {
		src[i] = int8(i * 37)
	}
	benchmarkBoth(b, batch*14*14*9*channels, func(k Kernel) (func(), error) {
		c, err := NewDepthwiseConv2D(DepthwiseConv2DSpec{
			Window: w, Multiplier: 1, Input: quant.PerTensor(.1, 3), Output: quant.PerTensor(.2, 5), Weight: quant.PerTensor(.01, 0), Kernel: k,
		}, src[:9*channels], nil)
		return func() { c.Run(dst, src, batch) }, err
	})
}
