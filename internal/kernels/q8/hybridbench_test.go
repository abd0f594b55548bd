package q8

import (
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// BenchmarkHybrid compares the kernels on real activations with the formulas.
func BenchmarkHybrid(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const most = 640 * 128
	weights, src := make([]int8, most), make([]float32, most)
	for i := range weights {
		weights[i], src[i] = int8(r.IntN(256)-128), float32(r.NormFloat64())
	}
	two := func(n int) [2]int { return [2]int{n, n} }
	same := func(kernel int) window.Window {
		return window.Window{Input: two(16), Output: two(16), Kernel: two(kernel), Stride: two(1), Dilation: two(1), Pad: two(kernel / 2)}
	}
	scales := func(n int) quant.Params {
		p := quant.Params{Scale: make([]float32, n), ZeroPoint: make([]int32, n)}
		for i := range p.Scale {
			p.Scale[i] = float32(i+1) / 1000
		}
		return p
	}
	type runner interface {
		Run(dst, src []float32, batch int)
	}
	for _, c := range []struct {
		name    string
		macs    int
		in, out int
		prepare func(k Kernel) (runner, error)
	}{
		{"conv3x3x32", 16 * 16 * 9 * 32 * 32, 16 * 16 * 32, 16 * 16 * 32, func(k Kernel) (runner, error) {
			return NewHybridConv2D(HybridConv2DSpec{Window: Window{same(3), 32}, Outputs: 32, Weight: scales(32), Kernel: k}, weights[:9*32*32], nil)
		}},
		{"conv1x1x64 symmetric", 16 * 16 * 64 * 64, 16 * 16 * 64, 16 * 16 * 64, func(k Kernel) (runner, error) {
			return NewHybridConv2D(HybridConv2DSpec{Window: Window{same(1), 64}, Outputs: 64, Weight: quant.PerTensor(.01, 0), Kernel: k}, weights[:64*64], nil)
		}},
		{"depthwise3x3x64", 16 * 16 * 9 * 64, 16 * 16 * 64, 16 * 16 * 64, func(k Kernel) (runner, error) {
			p := scales(64)
			p.Axis = 3
			return NewHybridDepthwiseConv2D(HybridDepthwiseConv2DSpec{Window: Window{same(3), 64}, Multiplier: 1, Weight: p, Kernel: k}, weights[:9*64], nil)
		}},
		{"transposed3x3x16", 16 * 16 * 9 * 16 * 16, 16 * 16 * 16, 16 * 16 * 16, func(k Kernel) (runner, error) {
			return NewHybridTransposeConv(HybridTransposeConvSpec{Window: same(3), Inputs: 16, Outputs: 16, Weight: scales(16), Kernel: k}, weights[:9*16*16], nil)
		}},
		{"dense640x128", 640 * 128, 640, 128, func(k Kernel) (runner, error) {
			return NewHybridFullyConnected(HybridFullyConnectedSpec{Inputs: 640, Outputs: 128, Weight: scales(128), Kernel: k}, weights[:640*128], nil)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst := make([]float32, c.out)
			benchmarkBoth(b, c.macs, func(k Kernel) (func(), error) {
				op, err := c.prepare(k)
				return func() { op.Run(dst, src[:c.in], 1) }, err
			})
		})
	}
}
