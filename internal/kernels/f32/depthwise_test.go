package f32_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/quant"
)

// checkDepthwise compares the depthwise kernels on one geometry.
func checkDepthwise(t tester, ws *f32.Workspace, r *rand.Rand, g f32.Depthwise, bias bool, act quant.Activation) {
	t.Helper()
	x, w, dy := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen())
	var b []float32
	if bias {
		b = random(r, g.OutC())
	}
	got, want := dirty(g.OutputLen()), dirty(g.OutputLen())
	f32.DepthwiseConv2D(ws, g, got, x, w, b, act)
	kerneltest.DepthwiseConv2D(g, want, x, w, b, act)
	equal(t, "y", got, want)
	checkPacked(t, ws, f32.NewDepthwiseConv2D(g, w, b, act), g.Batch, x, want)

	got, want = dirty(g.InputLen()), dirty(g.InputLen())
	f32.DepthwiseConv2DGradInput(ws, g, got, dy, w)
	kerneltest.DepthwiseConv2DGradInput(g, want, dy, w)
	equal(t, "dx", got, want)

	got, want = dirty(g.WeightsLen()), dirty(g.WeightsLen())
	gotB, wantB := dirty(g.OutC()), dirty(g.OutC())
	f32.DepthwiseConv2DGradWeights(ws, g, got, gotB, x, dy)
	kerneltest.DepthwiseConv2DGradWeights(g, want, wantB, x, dy)
	equal(t, "dw", got, want)
	equal(t, "dbias", gotB, wantB)
	f32.DepthwiseConv2DGradWeights(ws, g, got, nil, x, dy)
	equal(t, "dw without dbias", got, want)
}

func TestDepthwiseConv2D(t *testing.T) {
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		g := f32.Depthwise{Window: drawWindow(t, 12, 5, 3, 3), Batch: mostly(t, "batch", 3, 12),
			Channels: mostly(t, "channels", 7, 30), Multiplier: mostly(t, "multiplier", 2, 5)}
		checkDepthwise(t, &ws, drawRand(t), g, rapid.Bool().Draw(t, "bias"), drawActivation(t))
	})
}

// TestDepthwiseConv2DLarge covers geometries with several parts on several threads.
func TestDepthwiseConv2DLarge(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	for i, g := range []f32.Depthwise{
		{Window: same(14, 14, 3, one), Batch: 11, Channels: 32, Multiplier: 1},
		{Window: same(15, 14, 3, [2]int{2, 2}), Batch: 33, Channels: 11, Multiplier: 3},
		{Window: same(40, 33, 7, [2]int{1, 2}), Batch: 9, Channels: 1, Multiplier: 8},
	} {
		if g.GradChunks() < 2 {
			t.Errorf("%+v: one part only", g)
		}
		checkDepthwise(t, &ws, rand.New(rand.NewPCG(1, uint64(i))), g, true, quant.Relu)
	}
}

// BenchmarkDepthwiseConv2D measures the depthwise convolution of a DS-CNN on 14x14 images at batch 128.
func BenchmarkDepthwiseConv2D(b *testing.B) {
	g := f32.Depthwise{Window: same(14, 14, 3, one), Batch: 128, Channels: 32, Multiplier: 1}
	r := rand.New(rand.NewPCG(1, 2))
	x, w, y, bias := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen()), random(r, g.OutC())
	flops := 2 * float64(g.OutputLen()) * float64(g.Taps())
	var ws f32.Workspace
	benchmark(b, "forward", flops, func() { f32.DepthwiseConv2D(&ws, g, y, x, w, bias, quant.Relu) },
		func() { kerneltest.DepthwiseConv2D(g, y, x, w, bias, quant.Relu) })
	dw, dx := make([]float32, len(w)), make([]float32, len(x))
	benchmark(b, "weights", flops, func() { f32.DepthwiseConv2DGradWeights(&ws, g, dw, bias, x, y) },
		func() { kerneltest.DepthwiseConv2DGradWeights(g, dw, bias, x, y) })
	benchmark(b, "input", flops, func() { f32.DepthwiseConv2DGradInput(&ws, g, dx, y, w) },
		func() { kerneltest.DepthwiseConv2DGradInput(g, dx, y, w) })
}
