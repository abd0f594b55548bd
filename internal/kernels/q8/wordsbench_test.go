package q8_test

import (
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// BenchmarkWords compares the kernels on codes of 16 bits with the formulas.
func BenchmarkWords(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const most = 640 * 128
	weights, codes, others, dst := make([]int8, most), make([]int16, most), make([]int16, most), make([]int16, most)
	for i := range weights {
		weights[i], codes[i], others[i] = int8(r.IntN(256)-128), int16(r.IntN(1<<16)-1<<15), int16(r.IntN(1<<16)-1<<15)
	}
	two := func(n int) [2]int { return [2]int{n, n} }
	same := func(size, kernel, channels int) q8.Window {
		return q8.Window{Window: window.Window{Input: two(size), Output: two(size), Kernel: two(kernel), Stride: two(1), Dilation: two(1), Pad: two(kernel / 2)}, Channels: channels}
	}
	scale := func(s float32) quant.Params { return quant.PerTensor(s, 0) }
	enlarging := window.Window{Input: two(16), Output: two(8), Kernel: two(3), Stride: two(2), Dilation: two(1)}
	for _, c := range []struct {
		name     string
		channels int
		macs     int
		prepare  func(l q16.Linear) (wordsRunner, error)
	}{
		{"conv3x3x32 16x16x32", 32, 16 * 16 * 9 * 32 * 32, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewConv2D(l, same(16, 3, 32), weights[:9*32*32], nil)
		}},
		{"conv1x1x64 16x16x64", 64, 16 * 16 * 64 * 64, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewConv2D(l, same(16, 1, 64), weights[:64*64], nil)
		}},
		{"conv3x3x3 16x16x16", 16, 16 * 16 * 9 * 3 * 16, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewConv2D(l, same(16, 3, 3), weights[:9*3*16], nil)
		}},
		{"depthwise3x3 16x16x64", 64, 16 * 16 * 9 * 64, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewDepthwiseConv2D(l, same(16, 3, 64), 1, weights[:9*64], nil)
		}},
		{"transposed3x3x16 16x16x16", 16, 16 * 16 * 9 * 16 * 16, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewTransposeConv(l, same(16, 3, 16).Window, 16, weights[:9*16*16], nil)
		}},
		{"transposed3x3x16 by 2 16x16x16", 16, 8 * 8 * 9 * 16 * 16, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewTransposeConv(l, enlarging, 16, weights[:9*16*16], nil)
		}},
		{"dense640x128", 128, 640 * 128, func(l q16.Linear) (wordsRunner, error) {
			return q16.NewFullyConnected(l, 640, q8.LiteRT, weights[:640*128], nil)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := q16.Linear{Outputs: c.channels, Input: scale(.001), Output: scale(.1), Weight: scale(.01)}
			q8.BenchmarkBoth(b, c.macs, func(k q8.Kernel) (func(), error) {
				l.Kernel = k
				op, err := c.prepare(l)
				return func() { op.Run(dst, codes, 1) }, err
			})
		})
	}
	pool := func(size int) q8.PoolSpec {
		w := q8.Window{Window: window.Window{Input: two(16), Output: two(16 / size), Kernel: two(size), Stride: two(size), Dilation: two(1)}, Channels: 64}
		return q8.PoolSpec{Window: w, Quantized: scale(.01)}
	}
	for _, c := range []struct {
		name string
		size int
		of   func(q8.PoolSpec) (*q16.Pool, error)
	}{
		{"max2x2 16x16x64", 2, q16.NewMaxPool2D}, {"average2x2 16x16x64", 2, q16.NewAveragePool2D}, {"average16x16x64", 16, q16.NewAveragePool2D},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := pool(c.size)
			q8.BenchmarkBoth(b, 0, func(k q8.Kernel) (func(), error) {
				s.Kernel = k
				op, err := c.of(s)
				return func() { op.Run(dst, codes, 1) }, err
			})
		})
	}
	const n = 16 * 16 * 64
	full := []int{256, 64}
	for _, c := range []struct {
		name  string
		of    func(q8.ArithmeticSpec) (*q16.Arithmetic, error)
		b     float32 // scale
		other []int   // its shape
	}{
		{"add16384", q16.NewAdd, .7, full}, {"add16384 of one scale", q16.NewAdd, 1, full}, {"sub16384", q16.NewSub, .7, full}, {"mul16384", q16.NewMul, .7, full},
		{"add256x64 by channel", q16.NewAdd, .7, []int{1, 64}}, {"mul256x64 by channel", q16.NewMul, .7, []int{1, 64}},
		{"add256x64 by row", q16.NewAdd, .7, []int{256, 1}}, {"mul16384 by one", q16.NewMul, .7, []int{1, 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := q8.ArithmeticSpec{A: scale(1), B: scale(c.b), Output: scale(1.5)}
			q8.BenchmarkBoth(b, 0, func(k q8.Kernel) (func(), error) {
				s.Kernel = k
				op, err := c.of(s)
				pair := axes.Broadcast(full, c.other)
				return func() { op.Run(pair, dst[:n], codes, others) }, err
			})
		})
	}
	b.Run("mean16x16x64", func(b *testing.B) {
		s := q8.MeanSpec{Count: 256, Inner: 64, Input: scale(1), Output: scale(1.1)}
		q8.BenchmarkBoth(b, 0, func(k q8.Kernel) (func(), error) {
			if k == q8.Reference {
				return func() { wordsMean(s, dst[:64], codes) }, nil
			}
			op, err := q16.NewMean(s)
			return func() { op.Run(dst, codes, 1) }, err
		})
	})
	// The formula of a table is what makes it, code by code.
	for name, maker := range map[string]func() (*q16.Table, error){
		"relu":       func() (*q16.Table, error) { return q16.NewRelu(quant.Relu, scale(1), scale(1.1), q8.LiteRT) },
		"leaky":      func() (*q16.Table, error) { return q16.NewLeakyRelu(.3, scale(1), scale(1.1)) },
		"requantize": func() (*q16.Table, error) { return q16.NewRequantize(scale(1), scale(1.1)) },
		"logistic":   func() (*q16.Table, error) { return q16.NewLogistic(.0003) },
		"tanh":       func() (*q16.Table, error) { return q16.NewTanh(.0003) },
	} {
		b.Run(name+"65536", func(b *testing.B) {
			q8.BenchmarkBoth(b, 0, func(k q8.Kernel) (func(), error) {
				op, err := maker()
				if k == q8.Reference {
					return func() { op, err = maker() }, err
				}
				return func() { op.Run(dst[:1<<16], codes[:1<<16]) }, err
			})
		})
	}
}
