package f32_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)

func TestMinMax(t *testing.T) {
	negZero := float32(math.Copysign(0, -1))
	for _, c := range []struct {
		x      []float32
		lo, hi float32
		nan    bool
	}{
		{nil, inf, -inf, false},
		{[]float32{nan, nan}, inf, -inf, true},
		{[]float32{3, nan, -2, 1}, -2, 3, true},
		{[]float32{negZero}, 0, 0, false},
		{[]float32{-inf, 5, inf}, -inf, inf, false},
	} {
		lo, hi, isNaN := f32.MinMax(c.x)
		if math.Float32bits(lo) != math.Float32bits(c.lo) || math.Float32bits(hi) != math.Float32bits(c.hi) || isNaN != c.nan {
			t.Errorf("MinMax(%v) = %g, %g, %v; want %g, %g, %v", c.x, lo, hi, isNaN, c.lo, c.hi, c.nan)
		}
	}
	x := make([]float32, 300000) // several parts
	x[1], x[150000], x[299999] = 4, -7, nan
	if lo, hi, isNaN := f32.MinMax(x); lo != -7 || hi != 4 || !isNaN {
		t.Errorf("long slice: %g, %g, %v", lo, hi, isNaN)
	}
}

func TestMaxPoolTiesAndNaN(t *testing.T) {
	row := window.Window{Input: [2]int{1, 8}, Output: [2]int{1, 2}, Kernel: [2]int{1, 4}, Stride: [2]int{1, 4}, Dilation: one}
	g := f32.Pool{Window: row, Batch: 1, Channels: 1}
	y, arg := make([]float32, 2), make([]int32, 2)
	f32.MaxPool2D(g, y, []float32{1, 2, 2, 0, inf, nan, 7, -nan}, arg)
	if y[0] != 2 || y[1] == y[1] || !slices.Equal(arg, []int32{1, 5}) {
		t.Errorf("maxima %v at %v; want [2 NaN] at [1 5]", y, arg)
	}
}

func TestAveragePoolCountsValidTaps(t *testing.T) {
	g := f32.Pool{Window: same(3, 3, 2, [2]int{2, 2}), Batch: 1, Channels: 1}
	y := make([]float32, 4)
	f32.AveragePool2D(g, y, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9})
	if want := []float32{3, 4.5, 7.5, 9}; !slices.Equal(y, want) {
		t.Errorf("averages %v, want %v", y, want)
	}
}

func TestExtremeLogits(t *testing.T) {
	x := []float32{1000, 1000, -1000, -1000}
	y, l := make([]float32, 4), make([]float32, 4)
	f32.Softmax(2, 2, y, x)
	f32.LogSoftmax(2, 2, l, x)
	if want, half := []float32{0.5, 0.5, 0.5, 0.5}, float32(-math.Ln2); !slices.Equal(y, want) || !slices.Equal(l, []float32{half, half, half, half}) {
		t.Errorf("softmax %v, log-softmax %v", y, l)
	}
	f32.LogSoftmax(1, 2, y, []float32{0, -200})
	if y[0] != 0 || y[1] != -200 {
		t.Errorf("log-softmax %v, want [0 -200]", y[:2])
	}
}

func TestMovingAverage(t *testing.T) {
	moving := []float32{0, 1, 8}
	f32.MovingAverage(moving, []float32{4, 1, 0}, 0.75)
	if want := []float32{1, 1, 6}; !slices.Equal(moving, want) {
		t.Errorf("moving %v, want %v", moving, want)
	}
}

// A mean far from zero must not spoil the variance: E[x^2] - E[x]^2 would lose all digits here.
func TestMomentsAreAccurate(t *testing.T) {
	x := make([]float32, 1000)
	for i := range x {
		x[i] = 4096 + float32(i%2) // variance 1/4, all sums exact
	}
	mean, variance := make([]float32, 1), make([]float32, 1)
	var ws f32.Workspace
	f32.Moments(&ws, len(x), 1, mean, variance, x)
	if mean[0] != 4096.5 || variance[0] != 0.25 {
		t.Errorf("mean %g, variance %g; want 4096.5, 0.25", mean[0], variance[0])
	}
}

func ExampleConv2D() {
	kernel := window.Window{Input: [2]int{3, 3}, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	g := f32.Conv{Window: kernel.Complete(graph.Same.Window), Batch: 1, InC: 1, OutC: 1}
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	w := []float32{1, 0, 0, -1} // x[y,x] - x[y+1,x+1]
	y := make([]float32, g.OutputLen())
	var ws f32.Workspace
	f32.Conv2D(&ws, g, y, x, w, []float32{10}, quant.NoActivation)
	fmt.Println(y)
	// Output: [6 6 13 6 6 16 17 18 19]
}

func ExampleFullyConnected() {
	x := []float32{1, 2, 3}
	w := []float32{1, 1, 1, -1, 0, 0} // two outputs of three inputs
	y := make([]float32, 2)
	var ws f32.Workspace
	f32.FullyConnected(&ws, 1, 3, 2, y, x, w, []float32{0.5, 0.5}, quant.Relu)
	fmt.Println(y)
	// Output: [6.5 0]
}
