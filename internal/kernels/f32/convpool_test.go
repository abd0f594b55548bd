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
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// drawPool draws windows of up to most x most that are apart and cover an image.
func drawPool(t *rapid.T, input [2]int, most int) window.Window {
	size := [2]int{rapid.IntRange(1, most).Draw(t, "pool height"), rapid.IntRange(1, most).Draw(t, "pool width")}
	return window.Window{Input: input, Kernel: size, Stride: size, Dilation: one}.Complete(graph.Same.Window)
}

// checkPooledConv holds a convolution with tail and pool to the kernels that it replaces.
func checkPooledConv(t tester, ws *f32.Workspace, r *rand.Rand, l *f32.PooledConv, tail *f32.Tail, bias bool) {
	t.Helper()
	if !l.Possible() {
		t.Fatalf("%+v is not possible", *l)
	}
	g := l.Conv
	x, w, dy := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, l.Pool.OutputLen())
	numbers := r.IntN(4) > 0
	if !numbers {
		x[r.IntN(len(x))], x[r.IntN(len(x))] = float32(math.NaN()), float32(math.Inf(-1))
	}
	var b []float32
	if bias {
		b = random(r, g.OutC)
	}
	between, want, wantArg := dirty(g.OutputLen()), dirty(len(dy)), make([]int32, len(dy))
	mask := make([]uint8, f32.MaskLen(len(between)))
	f32.Conv2D(ws, g, between, x, w, b, quant.NoActivation)
	wantLo, wantHi, wantNaN := tail.Run(between, mask)
	f32.MaxPool2D(l.Pool, want, between, wantArg)
	got, winners := dirty(len(dy)), make([]int32, len(dy))
	lo, hi, nan := l.Forward(ws, tail, got, winners, x, w, b)
	equal(t, "y", got, want)
	equal(t, "bounds", []float32{lo, hi}, []float32{wantLo, wantHi})
	if nan != wantNaN {
		t.Fatalf("NaN: %v, want %v", nan, wantNaN)
	}

	for i := range dy { // zeros are for what does not pass
		if dy[i] == 0 {
			dy[i] = 1
		}
	}
	f32.MaxPool2DGrad(l.Pool, between, dy, wantArg)
	f32.FakeQuantizeGrad(between, between, mask)
	dx, dw, db := dirty(len(x)), dirty(len(w)), dirty(g.OutC)
	wantX, wantW, wantB := dirty(len(x)), dirty(len(w)), dirty(g.OutC)
	for _, input := range [][]float32{dx, nil} {
		l.Grad(ws, input, dw, db, x, dy, winners, w)
		kerneltest.Conv2DGradInput(g, wantX, between, w)
		kerneltest.Conv2DGradWeights(g, wantW, wantB, x, between)
		switch {
		case l.Sparse() && (input == nil || g.InC > 1):
			exactX, exactW := wantX, wantW
			wantX, wantW = dirty(len(x)), dirty(len(w))
			kerneltest.PooledConvGrad(l, wantX, wantW, wantB, x, between, w)
			if numbers {
				near32(t, "dx of the formula", wantX, exactX, float64(9*g.OutC))
				near32(t, "dw of the formula", wantW, exactW, float64(g.OutputLen()/g.OutC))
			}
		case input != nil:
			f32.Conv2DGrad(ws, g, wantX, wantW, wantB, x, between, w) // of which other tests say that it is right
		default: // sums over ranges of images
			n, wide := g.InputLen()/g.Batch, g.OutputLen()/g.Batch
			part, partB := dirty(len(w)), dirty(g.OutC)
			clear(wantW)
			clear(wantB)
			for c := range l.GradChunks() {
				from, to := parallel.Range(g.Batch, l.GradChunks(), c)
				some := g
				if some.Batch = to - from; some.GradChunks() > 1 {
					t.Fatalf("%d images are several chunks", some.Batch)
				}
				kerneltest.Conv2DGradWeights(some, part, partB, x[from*n:to*n], between[from*wide:to*wide])
				f32.AddTo(wantW, wantW, part)
				f32.AddTo(wantB, wantB, partB)
			}
		}
		equal(t, "dw", dw, wantW)
		equal(t, "dbias", db, wantB)
		if input != nil {
			equal(t, "dx", dx, wantX)
		}
	}
	clear(dx)
	l.GradInput(ws, dx, dy, winners, w)
	f32.Conv2DGradInput(ws, g, wantX, between, w)
	equal(t, "dx alone", dx, wantX)
}

// checkTraining holds the forward pass of a training step to the algorithm of Winograd, and that to the formula, or to the
// formula alone where there are no rows of whole tiles.
func checkTraining(t tester, ws *f32.Workspace, r *rand.Rand, l *f32.PooledConv, tail *f32.Tail) {
	t.Helper()
	g := l.Conv
	x, w, bias := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutC)
	sums, want, arg := dirty(g.OutputLen()), dirty(l.Pool.OutputLen()), make([]int32, l.Pool.OutputLen())
	kerneltest.Conv2D(g, sums, x, w, nil, quant.NoActivation)
	if g.Winograd() && l.Pool.Kernel[0]%2 == 0 && l.Pool.Pad[0] == 0 {
		exact := sums
		sums = dirty(len(sums))
		kerneltest.Conv2DWinograd(g, sums, x, w)
		near32(t, "sums", sums, exact, float64(9*g.InC))
	}
	for i := range sums {
		sums[i] += bias[i%g.OutC]
	}
	lo, hi, _ := tail.Run(sums, nil)
	f32.MaxPool2D(l.Pool, want, sums, arg)
	l.Training = true
	got := dirty(len(want))
	gotLo, gotHi, nan := l.Forward(ws, tail, got, arg, x, w, bias)
	equal(t, "y in training", got, want)
	equal(t, "bounds in training", []float32{gotLo, gotHi}, []float32{lo, hi})
	if nan {
		t.Fatalf("NaN in training")
	}
}

func TestPooledConv(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	var tail f32.Tail
	rapid.Check(t, func(t *rapid.T) {
		g := f32.Conv{Window: drawWindow(t, 12, 3, 2, 2), Batch: mostly(t, "batch", 3, 9),
			InC: mostly(t, "input channels", 3, 20), OutC: mostly(t, "output channels", 18, 40)}
		most := 3
		if rapid.IntRange(0, 3).Draw(t, "transformed") == 0 {
			most = 2
			g.Window = same(mostly(t, "height", 12, 40)+3, mostly(t, "width", 12, 40)+3, 3, one)
			g.InC, g.OutC = 8*rapid.IntRange(1, 4).Draw(t, "input channels / 8"), 8*rapid.IntRange(1, 9).Draw(t, "output channels / 8")
		}
		l := &f32.PooledConv{Conv: g, Pool: f32.Pool{Window: drawPool(t, g.Output, most), Batch: g.Batch, Channels: g.OutC}}
		tail.Activate(drawActivation(t))
		tail.Pass()
		if rapid.Bool().Draw(t, "rounds") {
			tail.Round(0.02, 3, quant.Signed(8, false))
		}
		checkPooledConv(t, &ws, drawRand(t), l, &tail, rapid.Bool().Draw(t, "bias"))
		checkTraining(t, &ws, drawRand(t), l, &tail)
	})
	for i, g := range []f32.Conv{ // several parts, and several blocks of an image
		{Window: same(28, 28, 3, one), Batch: 11, InC: 1, OutC: 16},
		{Window: window.Window{Input: [2]int{28, 28}, Kernel: [2]int{3, 3}, Stride: one, Dilation: one}.Complete(graph.Valid.Window), Batch: 11, InC: 1, OutC: 13},
		{Window: same(14, 14, 3, one), Batch: 7, InC: 16, OutC: 32},
		{Window: same(45, 31, 3, one), Batch: 3, InC: 3, OutC: 12},
	} {
		l := &f32.PooledConv{Conv: g, Pool: f32.Pool{Window: same(g.Output[0], g.Output[1], 2, [2]int{2, 2}), Batch: g.Batch, Channels: g.OutC}}
		if l.GradChunks() < 2 {
			t.Errorf("%+v: one part only", g)
		}
		tail.Activate(quant.Relu)
		tail.Round(0.02, -128, quant.Signed(8, false))
		checkPooledConv(t, &ws, rand.New(rand.NewPCG(6, uint64(i))), l, &tail, true)
		checkTraining(t, &ws, rand.New(rand.NewPCG(7, uint64(i))), l, &tail)
	}
}
