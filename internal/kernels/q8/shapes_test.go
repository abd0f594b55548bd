package q8

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// shape is a layer of the MLPerf Tiny networks, for benchmarks.
type shape struct {
	height, width, in int
	kernel            [2]int
	stride, out       int // no outputs: depthwise
}

func (s shape) String() string {
	if s.dense() {
		return fmt.Sprintf("dense-%d-%d", s.in, s.out)
	}
	if s.out == 0 {
		return fmt.Sprintf("depthwise%dx%ds%d-%dx%dx%d", s.kernel[0], s.kernel[1], s.stride, s.height, s.width, s.in)
	}
	return fmt.Sprintf("conv%dx%ds%d-%dx%dx%d-%d", s.kernel[0], s.kernel[1], s.stride, s.height, s.width, s.in, s.out)
}

func (s shape) dense() bool { return s.height*s.width == 1 }

// window is padded as SAME is.
func (s shape) window() Window {
	w := window.Window{Input: [2]int{s.height, s.width}, Kernel: s.kernel, Stride: [2]int{s.stride, s.stride}, Dilation: [2]int{1, 1}}
	return Window{Window: w.Complete(func(in, kernel, stride, _ int) (out, before int) {
		out = (in + stride - 1) / stride
		return out, max((out-1)*stride+kernel-in, 0) / 2
	}), Channels: s.in}
}

// tinyShapes are the layers of ResNet8, DS-CNN, MobileNet and the autoencoder.
var tinyShapes = []shape{
	{32, 32, 3, [2]int{3, 3}, 1, 16}, {32, 32, 16, [2]int{3, 3}, 1, 16}, {32, 32, 16, [2]int{3, 3}, 2, 32}, {16, 16, 32, [2]int{3, 3}, 1, 32},
	{32, 32, 16, [2]int{1, 1}, 2, 32}, {16, 16, 32, [2]int{3, 3}, 2, 64}, {8, 8, 64, [2]int{3, 3}, 1, 64},
	{49, 10, 1, [2]int{10, 4}, 2, 64}, {25, 5, 64, [2]int{1, 1}, 1, 64},
	{96, 96, 3, [2]int{3, 3}, 2, 8}, {48, 48, 8, [2]int{1, 1}, 1, 16}, {24, 24, 32, [2]int{1, 1}, 1, 32}, {12, 12, 64, [2]int{1, 1}, 1, 64},
	{6, 6, 128, [2]int{1, 1}, 1, 128}, {3, 3, 256, [2]int{1, 1}, 1, 256},
	{1, 1, 640, [2]int{1, 1}, 1, 128}, {1, 1, 128, [2]int{1, 1}, 1, 128}, {1, 1, 128, [2]int{1, 1}, 1, 8}, {1, 1, 8, [2]int{1, 1}, 1, 128}, {1, 1, 128, [2]int{1, 1}, 1, 640},
	{25, 5, 64, [2]int{3, 3}, 1, 0}, {48, 48, 8, [2]int{3, 3}, 1, 0}, {48, 48, 16, [2]int{3, 3}, 2, 0}, {24, 24, 32, [2]int{3, 3}, 1, 0},
	{12, 12, 64, [2]int{3, 3}, 1, 0}, {6, 6, 128, [2]int{3, 3}, 1, 0}, {3, 3, 256, [2]int{3, 3}, 1, 0},
}

// operator returns an operator with random weights, an input, room for the output
// and the number of products.
func (s shape) operator(t testing.TB) (op interface {
	Run(dst, src []int8, batch int)
}, src, dst []int8, products int) {
	r := rand.New(rand.NewPCG(1, 2))
	codes := func(n int) []int8 {
		c := make([]int8, n)
		for i := range c {
			c[i] = int8(r.Uint32N(255)) - 127 // as weights are
		}
		return c
	}
	in, weight, out := quant.PerTensor(.05, -3), quant.PerTensor(.01, 0), quant.PerTensor(.1, -128)
	w, outputs := s.window(), s.out
	weights := codes(max(s.out, 1) * w.depth())
	var err error
	switch {
	case s.dense():
		op, err = NewFullyConnected(FullyConnectedSpec{Inputs: s.in, Outputs: s.out, Input: in, Weight: weight, Output: out, Activation: quant.Relu}, weights, nil)
	case s.out == 0:
		outputs = s.in
		op, err = NewDepthwiseConv2D(DepthwiseConv2DSpec{Window: w, Multiplier: 1, Input: in, Weight: weight, Output: out, Activation: quant.Relu}, weights, nil)
	default:
		op, err = NewConv2D(Conv2DSpec{Window: w, Outputs: s.out, Input: in, Weight: weight, Output: out, Activation: quant.Relu}, weights, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return op, codes(w.inputSize()), make([]int8, w.Positions()*outputs), w.Positions() * len(weights)
}

func BenchmarkShapes(b *testing.B) {
	for _, s := range tinyShapes {
		op, src, dst, products := s.operator(b)
		b.Run(s.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				op.Run(dst, src, 1)
			}
			b.ReportMetric(float64(products)*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GMAC/s")
		})
	}
}
