package f32_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/quant"
)

// benchmark runs the kernel and its formula, if given, one after the other and reports the arithmetic speed of each, also as a share of
// what multiply-adds could reach on as many cores. GOMAXPROCS=1 in the environment gives the speed of one core: -cpu 1 does not,
// for the first of several benchmarks.
func benchmark(b *testing.B, name string, flops float64, fast, formula func()) {
	for _, c := range []struct {
		name string
		f    func()
	}{{"fast", fast}, {"formula", formula}} {
		if c.f == nil {
			continue
		}
		b.Run(name+"/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.f()
			}
			speed := flops * float64(b.N) / float64(b.Elapsed().Nanoseconds())
			b.ReportMetric(speed, "GFLOP/s")
			if most := peak() * float64(runtime.GOMAXPROCS(0)); most > 0 {
				b.ReportMetric(100*speed/most, "%peak")
			}
		})
	}
}

// peak measures one core for some milliseconds: clocks drift.
func peak() float64 {
	flops, began := 0.0, time.Now()
	for range 8 {
		flops += f32.Peak()
	}
	return flops / float64(time.Since(began).Nanoseconds())
}

// BenchmarkPeak measures what kernels can reach at most: multiply-adds that wait for nothing.
func BenchmarkPeak(b *testing.B) {
	flops := 0.0
	for b.Loop() {
		flops += f32.Peak()
	}
	b.ReportMetric(flops/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

// BenchmarkConv2D measures convolutions of small networks for Fashion-MNIST at batch 128: the two of one, the first of
// another, which strides, and one of single pixels.
func BenchmarkConv2D(b *testing.B) {
	for _, c := range []struct {
		name string
		g    f32.Conv
	}{
		{"conv1", f32.Conv{Window: same(28, 28, 3, one), Batch: 128, InC: 1, OutC: 16}},
		{"conv2", f32.Conv{Window: same(14, 14, 3, one), Batch: 128, InC: 16, OutC: 32}},
		{"stride2", f32.Conv{Window: same(28, 28, 3, [2]int{2, 2}), Batch: 128, InC: 1, OutC: 32}},
		{"stride2of4", f32.Conv{Window: same(28, 28, 3, [2]int{2, 2}), Batch: 128, InC: 4, OutC: 32}},
		{"1x1", f32.Conv{Window: same(14, 14, 1, one), Batch: 128, InC: 32, OutC: 32}},
	} {
		g := c.g
		r := rand.New(rand.NewPCG(1, 2))
		x, w, y, bias := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen()), random(r, g.OutC)
		flops := 2 * float64(g.OutputLen()) * float64(g.WeightsLen()/g.OutC)
		var ws f32.Workspace
		benchmark(b, c.name+"/forward", flops, func() { f32.Conv2D(&ws, g, y, x, w, bias, quant.Relu) },
			func() { kerneltest.Conv2D(g, y, x, w, bias, quant.Relu) })
		dw, dx := make([]float32, len(w)), make([]float32, len(x))
		benchmark(b, c.name+"/weights", flops, func() { f32.Conv2DGradWeights(&ws, g, dw, bias, x, y) },
			func() { kerneltest.Conv2DGradWeights(g, dw, bias, x, y) })
		benchmark(b, c.name+"/input", flops, func() { f32.Conv2DGradInput(&ws, g, dx, y, w) },
			func() { kerneltest.Conv2DGradInput(g, dx, y, w) })
		if g.Winograd() { // the speed is that of the formula's products
			benchmark(b, c.name+"/gradient", 2*flops, func() { f32.Conv2DGrad(&ws, g, dx, dw, nil, x, y, w) },
				func() { kerneltest.Conv2DGradWinograd(g, dx, dw, x, y, w) })
		}
	}
}

// BenchmarkTransposeConv2D measures the enlarging of feature maps to twice their sides, by 2x2 kernels that lie apart and by 3x3
// ones.
func BenchmarkTransposeConv2D(b *testing.B) {
	for _, side := range []int{2, 3} {
		g := f32.Conv{Window: same(28, 28, side, [2]int{2, 2}), Batch: 128, InC: 16, OutC: 32} // from y to x
		r := rand.New(rand.NewPCG(1, 2))
		x, w, y, bias := random(r, g.OutputLen()), random(r, g.WeightsLen()), random(r, g.InputLen()), random(r, g.InC)
		flops := 2 * float64(g.OutputLen()) * float64(g.WeightsLen()/g.OutC)
		var ws f32.Workspace
		name := fmt.Sprintf("%dx%d", side, side)
		benchmark(b, name+"/forward", flops, func() { f32.TransposeConv2D(&ws, g, y, x, w, bias, quant.Relu) },
			func() { kerneltest.TransposeConv2D(g, y, x, w, bias, quant.Relu) })
		dw, dx := make([]float32, len(w)), make([]float32, len(x))
		benchmark(b, name+"/weights", flops, func() { f32.TransposeConv2DGradWeights(&ws, g, dw, bias, x, y) },
			func() { kerneltest.TransposeConv2DGradWeights(g, dw, bias, x, y) })
		benchmark(b, name+"/input", flops, func() { f32.TransposeConv2DGradInput(&ws, g, dx, y, w) },
			func() { kerneltest.TransposeConv2DGradInput(g, dx, y, w) })
	}
}

// BenchmarkPooledConv measures the same convolutions with bias, relu and pool; the speed is that of the formula's products.
func BenchmarkPooledConv(b *testing.B) {
	for _, l := range []*f32.PooledConv{
		{Conv: f32.Conv{Window: same(28, 28, 3, one), Batch: 128, InC: 1, OutC: 16}, Training: true},
		{Conv: f32.Conv{Window: same(14, 14, 3, one), Batch: 128, InC: 16, OutC: 32}, Training: true},
	} {
		g := l.Conv
		l.Pool = f32.Pool{Window: same(g.Output[0], g.Output[1], 2, [2]int{2, 2}), Batch: g.Batch, Channels: g.OutC}
		r := rand.New(rand.NewPCG(1, 2))
		x, w, y, bias := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, l.Pool.OutputLen()), random(r, g.OutC)
		dw, winners, dx := make([]float32, len(w)), make([]int32, len(y)), []float32(nil)
		flops, gradients := 2*float64(g.OutputLen())*float64(g.WeightsLen()/g.OutC), 1.0
		if g.InC > 1 { // the first layer has no gradient of its input
			dx, gradients = make([]float32, len(x)), 2
		}
		between, mask := make([]float32, g.OutputLen()), make([]uint8, f32.MaskLen(g.OutputLen()))
		name := map[bool]string{true: "conv2", false: "conv1"}[g.InC > 1]
		var ws f32.Workspace
		var tail f32.Tail
		tail.Activate(quant.Relu)
		benchmark(b, name+"/forward", flops, func() { l.Forward(&ws, &tail, y, winners, x, w, bias) }, func() {
			f32.Conv2D(&ws, g, between, x, w, bias, quant.NoActivation)
			tail.Run(between, mask)
			f32.MaxPool2D(l.Pool, y, between, winners)
		})
		l.Forward(&ws, &tail, y, winners, x, w, bias)
		benchmark(b, name+"/gradient", gradients*flops, func() { l.Grad(&ws, dx, dw, bias, x, y, winners, w) }, func() {
			f32.MaxPool2DGrad(l.Pool, between, y, winners)
			f32.FakeQuantizeGrad(between, between, mask)
			f32.Conv2DGradWeights(&ws, g, dw, bias, x, between)
			if dx != nil {
				f32.Conv2DGradInput(&ws, g, dx, between, w)
			}
		})
	}
}

// BenchmarkFullyConnected measures hidden layers and classifiers.
func BenchmarkFullyConnected(b *testing.B) {
	for _, c := range []struct {
		name           string
		batch, in, out int
	}{{"784x128", 128, 784, 128}, {"32of784x128", 32, 784, 128}, {"128x10", 128, 128, 10}, {"1568x10", 128, 1568, 10}} {
		batch := c.batch
		r := rand.New(rand.NewPCG(1, 2))
		x, w, y, bias := random(r, batch*c.in), random(r, c.in*c.out), random(r, batch*c.out), random(r, c.out)
		flops := 2 * float64(batch*c.in*c.out)
		var ws f32.Workspace
		benchmark(b, c.name+"/forward", flops, func() { f32.FullyConnected(&ws, batch, c.in, c.out, y, x, w, bias, quant.Relu) },
			func() { kerneltest.FullyConnected(batch, c.in, c.out, y, x, w, bias, quant.Relu) })
		dw, dx := make([]float32, len(w)), make([]float32, len(x))
		benchmark(b, c.name+"/weights", flops, func() { f32.FullyConnectedGradWeights(&ws, batch, c.in, c.out, dw, bias, x, y) },
			func() { kerneltest.FullyConnectedGradWeights(batch, c.in, c.out, dw, bias, x, y) })
		benchmark(b, c.name+"/input", flops, func() { f32.FullyConnectedGradInput(&ws, batch, c.in, c.out, dx, y, w) },
			func() { kerneltest.FullyConnectedGradInput(batch, c.in, c.out, dx, y, w) })
	}
}

// BenchmarkRows measures what else a training step of that network runs, on its first activation [128, 28, 28, 16].
func BenchmarkRows(b *testing.B) {
	const rows, cols = 128 * 28 * 28, 16
	r := rand.New(rand.NewPCG(1, 2))
	x, dy, y := random(r, rows*cols), random(r, rows*cols), random(r, rows*cols)
	mean, variance, gamma, beta := random(r, cols), random(r, cols), random(r, cols), random(r, cols)
	invStd := make([]float32, cols)
	var ws f32.Workspace
	run := func(name string, passes float64, fast, formula func()) {
		benchmark(b, name, passes*rows*cols, fast, formula)
	}
	run("Moments", 4, func() { f32.Moments(&ws, rows, cols, mean, variance, x) }, func() { kerneltest.Moments(rows, cols, mean, variance, x) })
	f32.InvStd(invStd, variance, 1e-3)
	run("Normalize", 4, func() { f32.Normalize(&ws, rows, cols, y, x, mean, invStd, gamma, beta) },
		func() { kerneltest.Normalize(rows, cols, y, x, mean, invStd, gamma, beta) })
	run("NormalizeGrad", 12, func() { f32.NormalizeGrad(&ws, rows, cols, y, mean, beta, dy, nil, x, mean, invStd, gamma) },
		func() { kerneltest.NormalizeGrad(rows, cols, y, mean, beta, dy, x, mean, invStd, gamma) })
	run("Activate", 1, func() { f32.Activate(quant.Relu, y, x) }, func() { kerneltest.Activate(quant.Relu, y, x) })
	run("ActivateGrad", 1, func() { f32.ActivateGrad(quant.Relu, y, dy, x) }, func() { kerneltest.ActivateGrad(quant.Relu, y, dy, x) })
	g := f32.Pool{Window: same(28, 28, 2, [2]int{2, 2}), Batch: 128, Channels: 16}
	arg := make([]int32, g.OutputLen())
	run("MaxPool2D", 1, func() { f32.MaxPool2D(g, y, x, arg) }, func() { kerneltest.MaxPool2D(g, y, x, arg) })
	run("MaxPool2DGrad", 1, func() { f32.MaxPool2DGrad(g, x, dy, arg) }, func() { kerneltest.MaxPool2DGrad(g, x, dy, arg) })
	run("MinMax", 2, func() { f32.MinMax(dy) }, nil)
	mask, grid := make([]uint8, f32.MaskLen(len(x))), quant.Signed(8, false)
	run("FakeQuantize", 4, func() { f32.FakeQuantize(y, dy, mask, 0.02, 3, grid) }, func() {
		if err := quant.PerTensor(0.02, 3).FakeQuantize(y, dy, nil, []int{len(y)}, grid); err != nil {
			b.Fatal(err)
		}
	})
	run("FakeQuantizeGrad", 1, func() { f32.FakeQuantizeGrad(y, dy, mask) }, nil)
	run("AveragePool2D", 1, func() { f32.AveragePool2D(g, y, x) }, func() { kerneltest.AveragePool2D(g, y, x) })
	run("AveragePool2DGrad", 1, func() { f32.AveragePool2DGrad(g, x, dy) }, func() { kerneltest.AveragePool2DGrad(g, x, dy) })
	run("Softmax", 20, func() { f32.Softmax(rows, cols, y, dy) }, func() { kerneltest.Softmax(rows, cols, y, dy) })
	run("SoftmaxGrad", 4, func() { f32.SoftmaxGrad(rows, cols, y, dy, x) }, func() { kerneltest.SoftmaxGrad(rows, cols, y, dy, x) })
	run("LogSoftmax", 20, func() { f32.LogSoftmax(rows, cols, y, dy) }, func() { kerneltest.LogSoftmax(rows, cols, y, dy) })
	run("LeakyRelu", 1, func() { f32.LeakyReluTo(0.2, y, dy) }, nil)
	run("LeakyReluGrad", 1, func() { f32.LeakyReluGrad(0.2, y, dy, x) }, nil)
	channels := axes.Broadcast([]int{rows, cols}, []int{1, cols})
	run("Prelu", 1, func() { f32.Prelu(channels, y, dy, gamma) }, func() { kerneltest.Prelu(channels, y, dy, gamma) })
	run("PreluGrad", 1, func() { f32.PreluGrad(channels, y, dy, x, gamma) }, func() { kerneltest.PreluGrad(channels, y, dy, x, gamma) })
	run("Elu", 20, func() { f32.EluTo(y, dy) }, nil)
	run("EluGrad", 3, func() { f32.EluGrad(y, dy, x) }, nil)
	run("HardSwish", 4, func() { f32.HardSwishTo(y, dy) }, nil)
	run("Sigmoid", 20, func() { f32.SigmoidTo(y, dy) }, nil)
	run("SigmoidGrad", 3, func() { f32.SigmoidGrad(y, dy, x) }, nil)
	m, v := make([]float32, len(x)), make([]float32, len(x))
	run("SGD", 2, func() { f32.SGD(y, dy, 1e-9) }, func() { kerneltest.SGD(y, dy, 1e-9) })
	run("Momentum", 5, func() { f32.Momentum(y, dy, m, 1e-9, 0.9, false) }, func() { kerneltest.Momentum(y, dy, m, 1e-9, 0.9, false) })
	run("RMSprop", 9, func() { f32.RMSprop(y, dy, v, 0.9, 0.1, 1e-9, 1e-7) }, func() { kerneltest.RMSprop(y, dy, v, 0.9, 0.1, 1e-9, 1e-7) })
	run("Adam", 13, func() { f32.Adam(y, dy, m, v, 0.1, 0.001, 1e-3, 1e-7) },
		func() { kerneltest.Adam(y, dy, m, v, 0.1, 0.001, 1e-3, 1e-7) })
}
