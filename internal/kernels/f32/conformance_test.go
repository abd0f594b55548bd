package f32_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// The tests in this file hold every kernel to its formula in kerneltest, bit by bit (NaN equals NaN): both add in the
// same documented order, so there is nothing to tolerate.

// random returns n values from a normal distribution; one in four is rounded to a multiple of 1/64, so that equal values
// and zeros occur.
func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		if x[i] = float32(r.NormFloat64()); r.IntN(4) == 0 {
			x[i] = float32(math.Round(float64(x[i])*64)) / 64
		}
	}
	return x
}

// dirty returns n values that a kernel must overwrite.
func dirty(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = -12345
	}
	return x
}

type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

func equal(t tester, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if math.Float32bits(got[i]) != math.Float32bits(w) && (got[i] == got[i] || w == w) {
			t.Fatalf("%s[%d] = %g (%08x), want %g (%08x)", what, i, got[i], math.Float32bits(got[i]), w, math.Float32bits(w))
		}
	}
}

func drawRand(t *rapid.T) *rand.Rand { return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)) }

func drawActivation(t *rapid.T) quant.Activation {
	return quant.Activation(rapid.IntRange(int(quant.NoActivation), int(quant.ReluN1To1)).Draw(t, "activation"))
}

// mostly draws small sizes, and now and then one that fills several tiles, blocks or parts.
func mostly(t *rapid.T, name string, small, large int) int {
	if rapid.IntRange(0, 7).Draw(t, name+" large") == 0 {
		small = large
	}
	return rapid.IntRange(1, small).Draw(t, name)
}

var one = [2]int{1, 1}

// drawWindow draws a geometry: valid where the kernel fits and the draw says so, otherwise same.
func drawWindow(t *rapid.T, image, kernel, stride, dilation int) window.Window {
	two := func(name string, hi int) [2]int {
		return [2]int{rapid.IntRange(1, hi).Draw(t, name+" height"), rapid.IntRange(1, hi).Draw(t, name+" width")}
	}
	w := window.Window{Input: two("image", image), Kernel: two("kernel", kernel), Stride: two("stride", stride), Dilation: two("dilation", dilation)}
	w = w.Complete(rapid.SampledFrom([]graph.Padding{graph.Same, graph.Valid}).Draw(t, "padding").Window)
	if min(w.Output[0], w.Output[1]) < 1 {
		w = w.Complete(graph.Same.Window)
	}
	return w
}

// same is a square kernel with the given stride that keeps the size of the image, but for the stride.
func same(height, width, kernel int, stride [2]int) window.Window {
	return window.Window{Input: [2]int{height, width}, Kernel: [2]int{kernel, kernel}, Stride: stride, Dilation: one}.Complete(graph.Same.Window)
}

// checkConv compares the convolution kernels on one geometry; ws is not fresh, as in a training loop.
func checkConv(t tester, ws *f32.Workspace, r *rand.Rand, g f32.Conv, bias bool, act quant.Activation) {
	t.Helper()
	x, w, dy := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen())
	var b []float32
	if bias {
		b = random(r, g.OutC)
	}
	got, want := dirty(g.OutputLen()), dirty(g.OutputLen())
	f32.Conv2D(ws, g, got, x, w, b, act)
	kerneltest.Conv2D(g, want, x, w, b, act)
	equal(t, "y", got, want)
	checkPacked(t, ws, f32.NewConv2D(g, w, b, act), g.Batch, x, want)

	got, want = dirty(g.InputLen()), dirty(g.InputLen())
	f32.Conv2DGradInput(ws, g, got, dy, w)
	kerneltest.Conv2DGradInput(g, want, dy, w)
	equal(t, "dx", got, want)

	got, want = dirty(g.WeightsLen()), dirty(g.WeightsLen())
	gotB, wantB := dirty(g.OutC), dirty(g.OutC)
	f32.Conv2DGradWeights(ws, g, got, gotB, x, dy)
	kerneltest.Conv2DGradWeights(g, want, wantB, x, dy)
	equal(t, "dw", got, want)
	equal(t, "dbias", gotB, wantB)
	f32.Conv2DGradWeights(ws, g, got, nil, x, dy)
	equal(t, "dw without dbias", got, want)
	checkTransposeConv(t, ws, r, g, bias, act)
}

// checkTransposeConv compares the kernels of the transposed convolution from the output of g to its input.
func checkTransposeConv(t tester, ws *f32.Workspace, r *rand.Rand, g f32.Conv, bias bool, act quant.Activation) {
	t.Helper()
	x, w, dy := random(r, g.OutputLen()), random(r, g.WeightsLen()), random(r, g.InputLen())
	var b []float32
	if bias {
		b = random(r, g.InC)
	}
	got, want := dirty(g.InputLen()), dirty(g.InputLen())
	f32.TransposeConv2D(ws, g, got, x, w, b, act)
	kerneltest.TransposeConv2D(g, want, x, w, b, act)
	equal(t, "transposed y", got, want)

	got, want = dirty(g.OutputLen()), dirty(g.OutputLen())
	f32.TransposeConv2DGradInput(ws, g, got, dy, w)
	kerneltest.TransposeConv2DGradInput(g, want, dy, w)
	equal(t, "transposed dx", got, want)

	got, want = dirty(g.WeightsLen()), dirty(g.WeightsLen())
	gotB, wantB := dirty(g.InC), dirty(g.InC)
	f32.TransposeConv2DGradWeights(ws, g, got, gotB, x, dy)
	kerneltest.TransposeConv2DGradWeights(g, want, wantB, x, dy)
	equal(t, "transposed dw", got, want)
	equal(t, "transposed dbias", gotB, wantB)
	f32.TransposeConv2DGradWeights(ws, g, got, nil, x, dy)
	equal(t, "transposed dw without dbias", got, want)
}

func TestConv2D(t *testing.T) {
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		g := f32.Conv{Window: drawWindow(t, 12, 5, 3, 3), Batch: mostly(t, "batch", 3, 12),
			InC: mostly(t, "input channels", 5, 20), OutC: mostly(t, "output channels", 7, 20)}
		checkConv(t, &ws, drawRand(t), g, rapid.Bool().Draw(t, "bias"), drawActivation(t))
	})
}

// TestConv2DLarge covers geometries with several parts on several threads, among them the two convolutions of the
// Fashion-MNIST network.
func TestConv2DLarge(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	for i, g := range []f32.Conv{
		{Window: same(28, 28, 3, one), Batch: 16, InC: 1, OutC: 16},
		{Window: same(14, 14, 3, one), Batch: 5, InC: 16, OutC: 32},
		{Window: same(15, 14, 3, [2]int{2, 2}), Batch: 7, InC: 11, OutC: 30},
		{Window: same(17, 14, 1, one), Batch: 3, InC: 40, OutC: 24},
		{Window: same(17, 19, 1, [2]int{2, 3}), Batch: 3, InC: 40, OutC: 24},
	} {
		if i < 4 && g.GradChunks() < 2 {
			t.Errorf("%+v: one part only", g)
		}
		checkConv(t, &ws, rand.New(rand.NewPCG(1, uint64(i))), g, true, quant.Relu)
	}
}

func checkFullyConnected(t tester, ws *f32.Workspace, r *rand.Rand, batch, in, out int, bias bool, act quant.Activation) {
	t.Helper()
	x, w, dy := random(r, batch*in), random(r, out*in), random(r, batch*out)
	var b []float32
	if bias {
		b = random(r, out)
	}
	got, want := dirty(batch*out), dirty(batch*out)
	f32.FullyConnected(ws, batch, in, out, got, x, w, b, act)
	kerneltest.FullyConnected(batch, in, out, want, x, w, b, act)
	equal(t, "y", got, want)
	checkPacked(t, ws, f32.NewFullyConnected(in, out, w, b, act), batch, x, want)

	got, want = dirty(batch*in), dirty(batch*in)
	f32.FullyConnectedGradInput(ws, batch, in, out, got, dy, w)
	kerneltest.FullyConnectedGradInput(batch, in, out, want, dy, w)
	equal(t, "dx", got, want)

	got, want = dirty(out*in), dirty(out*in)
	gotB, wantB := dirty(out), dirty(out)
	f32.FullyConnectedGradWeights(ws, batch, in, out, got, gotB, x, dy)
	kerneltest.FullyConnectedGradWeights(batch, in, out, want, wantB, x, dy)
	equal(t, "dw", got, want)
	equal(t, "dbias", gotB, wantB)
	f32.FullyConnectedGradWeights(ws, batch, in, out, got, nil, x, dy)
	equal(t, "dw without dbias", got, want)
}

func TestFullyConnected(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		batch, in, out := mostly(t, "batch", 9, 130), mostly(t, "in", 20, 200), mostly(t, "out", 20, 200)
		checkFullyConnected(t, &ws, drawRand(t), batch, in, out, rapid.Bool().Draw(t, "bias"), drawActivation(t))
	})
	for _, s := range [][3]int{{128, 10, 1568}, {128, 1568, 10}, {1, 1568, 400}} { // several parts along either side
		checkFullyConnected(t, &ws, rand.New(rand.NewPCG(2, 0)), s[0], s[1], s[2], true, quant.Relu6)
	}
}

func TestPool2D(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		g := f32.Pool{Window: drawWindow(t, 14, 4, 4, 1), Batch: mostly(t, "batch", 3, 40), Channels: mostly(t, "channels", 5, 40)}
		r := drawRand(t)
		x, dy := random(r, g.InputLen()), random(r, g.OutputLen())
		for i := range x {
			if x[i] == 0 {
				x[i] = 0 // no -0: the sign of a zero maximum is unspecified
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "NaN") == 0 {
			x[r.IntN(len(x))], x[r.IntN(len(x))] = float32(math.NaN()), float32(math.Inf(1))
		}
		got, want := dirty(g.OutputLen()), dirty(g.OutputLen())
		gotArg, wantArg := make([]int32, len(got)), make([]int32, len(got))
		f32.MaxPool2D(g, got, x, gotArg)
		kerneltest.MaxPool2D(g, want, x, wantArg)
		equal(t, "maximum", got, want)
		for i, a := range wantArg {
			if gotArg[i] != a {
				t.Fatalf("argmax[%d] = %d, want %d", i, gotArg[i], a)
			}
		}
		f32.MaxPool2D(g, got, x, nil)
		equal(t, "maximum without argmax", got, want)

		f32.AveragePool2D(g, got, x)
		kerneltest.AveragePool2D(g, want, x)
		equal(t, "average", got, want)

		got, want = dirty(g.InputLen()), dirty(g.InputLen())
		f32.MaxPool2DGrad(g, got, dy, gotArg)
		kerneltest.MaxPool2DGrad(g, want, dy, wantArg)
		equal(t, "maximum dx", got, want)
		f32.AveragePool2DGrad(g, got, dy)
		kerneltest.AveragePool2DGrad(g, want, dy)
		equal(t, "average dx", got, want)
	})
}

func TestResizeNearest(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		g := window.Resize{Input: [2]int{mostly(t, "height", 5, 20), mostly(t, "width", 5, 20)}, Channels: mostly(t, "channels", 5, 40)}
		g.Rows = rapid.SliceOfN(rapid.IntRange(0, g.Input[0]-1), 1, 30).Draw(t, "rows")
		g.Cols = rapid.SliceOfN(rapid.IntRange(0, g.Input[1]-1), 1, 30).Draw(t, "columns")
		batch, r := mostly(t, "batch", 3, 20), drawRand(t)
		x, dy := random(r, batch*g.InputLen()), random(r, batch*g.OutputLen())
		got, want := dirty(len(dy)), dirty(len(dy))
		f32.ResizeNearest(g, batch, got, x)
		kerneltest.ResizeNearest(g, batch, want, x)
		equal(t, "y", got, want)
		got, want = dirty(len(x)), dirty(len(x))
		f32.ResizeNearestGrad(g, batch, got, dy)
		kerneltest.ResizeNearestGrad(g, batch, want, dy)
		equal(t, "dx", got, want)
	})
}

func TestElementwiseAndReductions(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		n := mostly(t, "length", 50, 200000)
		r := drawRand(t)
		a, b, alpha := random(r, n), random(r, n), float32(r.NormFloat64())
		a[r.IntN(n)] = float32(math.NaN())
		got, want := dirty(n), make([]float32, n)
		check := func(what string, f func(i int) float32) {
			t.Helper()
			for i := range want {
				want[i] = f(i)
			}
			equal(t, what, got, want)
		}
		f32.AddTo(got, a, b)
		check("AddTo", func(i int) float32 { return a[i] + b[i] })
		f32.SubTo(got, a, b)
		check("SubTo", func(i int) float32 { return a[i] - b[i] })
		f32.MulTo(got, a, b)
		check("MulTo", func(i int) float32 { return a[i] * b[i] })
		f32.ScaleTo(got, alpha, a)
		check("ScaleTo", func(i int) float32 { return alpha * a[i] })
		copy(got, b)
		f32.Axpy(got, alpha, a)
		check("Axpy", func(i int) float32 { return b[i] + float32(alpha*a[i]) })

		act := drawActivation(t)
		y := dirty(n)
		f32.Activate(act, y, a)
		kerneltest.Activate(act, want, a)
		equal(t, "Activate", y, want)
		f32.ActivateGrad(act, got, b, y)
		kerneltest.ActivateGrad(act, want, b, y)
		equal(t, "ActivateGrad", got, want)

		f32.MulTo(got, a, b)
		equal(t, "Sum, Dot", []float32{f32.Sum(b), f32.Dot(a, b)}, []float32{kerneltest.Sum(b), kerneltest.Sum(got)})
	})
}

func TestSoftmax(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := mostly(t, "rows", 5, 1000), rapid.IntRange(1, 40).Draw(t, "cols")
		if rows <= 5 {
			cols = mostly(t, "more cols", 40, 5000)
		}
		r := drawRand(t)
		x, dy := random(r, rows*cols), random(r, rows*cols)
		for range rapid.IntRange(0, 2).Draw(t, "specials") {
			x[r.IntN(len(x))] = []float32{nan, -nan, float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 100, -100}[r.IntN(6)]
		}
		got, want := dirty(rows*cols), dirty(rows*cols)
		f32.LogSoftmax(rows, cols, got, x)
		kerneltest.LogSoftmax(rows, cols, want, x)
		equal(t, "log-softmax", got, want)
		f32.Softmax(rows, cols, got, x)
		kerneltest.Softmax(rows, cols, want, x)
		equal(t, "softmax", got, want)
		f32.SoftmaxGrad(rows, cols, x, dy, got)
		kerneltest.SoftmaxGrad(rows, cols, dy, dy, want)
		equal(t, "softmax dx", x, dy)
	})
}

// TestThreadCount runs kernels that reduce over parts at several GOMAXPROCS.
func TestThreadCount(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	g := f32.Conv{Window: same(14, 14, 3, one), Batch: 32, InC: 8, OutC: 16}
	r := rand.New(rand.NewPCG(3, 0))
	x, dy := random(r, g.InputLen()), random(r, g.OutputLen())
	var want []float32
	for _, procs := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(procs)
		var ws f32.Workspace
		n := g.WeightsLen()
		got := dirty(n + 3*g.OutC + g.InputLen())
		f32.Conv2DGradWeights(&ws, g, got, got[n:], x, dy)
		f32.Moments(&ws, g.OutputLen()/g.OutC, g.OutC, got[n+g.OutC:], got[n+2*g.OutC:], dy)
		f32.TransposeConv2D(&ws, g, got[n+3*g.OutC:], dy, got, nil, quant.NoActivation)
		if want == nil {
			want = got
		}
		equal(t, fmt.Sprintf("result with GOMAXPROCS %d", procs), got, want)
	}
}

// TestNoAllocationOfBuffers allows the closures and goroutines of parallel calls, a few kilobytes, but no scratch memory,
// which is some hundred here.
func TestNoAllocationOfBuffers(t *testing.T) {
	if pooled := new(sync.Pool); f32.Level() == "portable" && !keeps(pooled) {
		t.Skip("plain Go has its scratch memory in a sync.Pool, which the race detector empties")
	}
	g := f32.Conv{Window: same(14, 14, 3, one), Batch: 8, InC: 16, OutC: 32}
	x, w, y := make([]float32, g.InputLen()), make([]float32, g.WeightsLen()), make([]float32, g.OutputLen())
	var ws f32.Workspace
	step := func() {
		f32.TransposeConv2D(&ws, g, x, y, w, nil, quant.NoActivation)
		f32.TransposeConv2DGradInput(&ws, g, y, x, w)
		f32.TransposeConv2DGradWeights(&ws, g, w, nil, y, x)
		f32.Conv2D(&ws, g, y, x, w, nil, quant.NoActivation)
		f32.Conv2DGradInput(&ws, g, x, y, w)
		f32.Conv2DGradWeights(&ws, g, w, nil, x, y)
	}
	step() // grows the workspace
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const steps = 20
	for range steps {
		step()
	}
	runtime.ReadMemStats(&after)
	if bytes := (after.TotalAlloc - before.TotalAlloc) / steps; bytes > 16<<10 {
		t.Errorf("%d bytes allocated per step", bytes)
	}
}

// keeps reports whether a pool hands out again what was put into it, time and again: under the race detector it does not.
func keeps(p *sync.Pool) bool {
	for i := range 64 {
		p.Put(&i)
		if p.Get() == nil {
			return false
		}
	}
	return true
}
