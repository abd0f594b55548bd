package f32_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/internal/kernels/window"
)

// checkConvGrad compares the gradients of one geometry: bit by bit with the algorithm of Winograd, and that with the
// convolution's formula.
func checkConvGrad(t tester, ws *f32.Workspace, r *rand.Rand, g f32.Conv) {
	t.Helper()
	x, w, dy := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen())
	dx, dw, db := dirty(len(x)), dirty(len(w)), dirty(g.OutC)
	wantX, wantW, wantB := dirty(len(x)), dirty(len(w)), dirty(g.OutC)
	f32.Conv2DGrad(ws, g, dx, dw, db, x, dy, w)
	kerneltest.Conv2DGradInput(g, wantX, dy, w)
	kerneltest.Conv2DGradWeights(g, wantW, wantB, x, dy)
	equal(t, "dbias", db, wantB)
	if g.Winograd() {
		exactX, exactW := wantX, wantW
		wantX, wantW = dirty(len(x)), dirty(len(w))
		kerneltest.Conv2DGradWinograd(g, wantX, wantW, x, dy, w)
		near32(t, "dx", wantX, exactX, float64(9*g.OutC))
		near32(t, "dw", wantW, exactW, float64(g.OutputLen()/g.OutC))
	}
	equal(t, "dx", dx, wantX)
	equal(t, "dw", dw, wantW)
	f32.Conv2DGrad(ws, g, nil, dw, nil, x, dy, w)
	equal(t, "dw alone", dw, wantW)
}

// near32 allows sums of n products of normal numbers, of order sqrt(n), to differ by rounding. A chain of n additions
// carries an error of some sqrt(n) roundings of a sum of that order, so n*2^-24; the transforms add up to four numbers and
// four, which makes values and errors some times larger: 16 times as much is never reached.
func near32(t tester, what string, got, want []float32, n float64) {
	t.Helper()
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= 16*max(n, 16)*0x1p-24) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, got[i], w)
		}
	}
}

func TestConv2DGrad(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		w := window.Window{Input: [2]int{rapid.IntRange(3, 13).Draw(t, "height"), rapid.IntRange(3, 13).Draw(t, "width")},
			Kernel: [2]int{3, 3}, Stride: one, Dilation: one}
		padding := rapid.SampledFrom([]graph.Padding{graph.Same, graph.Valid}).Draw(t, "padding")
		g := f32.Conv{Window: w.Complete(padding.Window), Batch: mostly(t, "batch", 2, 12),
			InC: 8 * rapid.IntRange(1, 3).Draw(t, "input channels / 8"), OutC: 8 * rapid.IntRange(2, 4).Draw(t, "output channels / 8")}
		checkConvGrad(t, &ws, drawRand(t), g)
	})
	for i, g := range []f32.Conv{ // several chunks, and several blocks in each
		{Window: same(14, 14, 3, one), Batch: 9, InC: 16, OutC: 32},
		{Window: same(37, 40, 3, one), Batch: 2, InC: 24, OutC: 16},
	} {
		if !g.Winograd() || g.WinogradChunks() < 2 {
			t.Errorf("%+v: one part only", g)
		}
		checkConvGrad(t, &ws, rand.New(rand.NewPCG(5, uint64(i))), g)
	}
}
