package f32_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
)

// nonlinears are the kernels of the functions that kerneltest defines.
var nonlinears = map[string]struct {
	forward  func(y, x []float32)
	gradient func(dx, dy, v []float32)
}{
	"Elu":       {f32.EluTo, f32.EluGrad},
	"HardSwish": {f32.HardSwishTo, f32.HardSwishGrad},
	"Sigmoid":   {f32.SigmoidTo, f32.SigmoidGrad},
	"Tanh":      {f32.TanhTo, f32.TanhGrad},
}

// checkNonlinear compares one function's kernels with its definition.
func checkNonlinear(t tester, name string, def kerneltest.Nonlinear, forward func(y, x []float32), gradient func(dx, dy, v []float32), x, dy []float32) {
	t.Helper()
	y, want := dirty(len(x)), make([]float32, len(x))
	forward(y, x)
	for i, v := range x {
		want[i] = def.Value(v)
	}
	equal(t, name, y, want)
	slope, at := def.Slope, y
	if slope == nil {
		slope, at = def.SlopeAt, x
	}
	dx := dirty(len(x))
	gradient(dx, dy, at)
	for i, v := range at {
		want[i] = dy[i] * slope(v)
	}
	equal(t, name+" dx", dx, want)
}

func TestNonlinear(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		n := mostly(t, "length", 50, 30000)
		r := drawRand(t)
		x, dy := random(r, n), random(r, n)
		for i := range x {
			x[i] *= 3 // beyond the kinks of HardSwish
		}
		x[r.IntN(n)] = nan
		for name, def := range kerneltest.Nonlinears {
			checkNonlinear(t, name, def, nonlinears[name].forward, nonlinears[name].gradient, x, dy)
		}
		alpha := float32(r.NormFloat64())
		checkNonlinear(t, "LeakyRelu", kerneltest.LeakyRelu(alpha),
			func(y, x []float32) { f32.LeakyReluTo(alpha, y, x) },
			func(dx, dy, x []float32) { f32.LeakyReluGrad(alpha, dx, dy, x) }, x, dy)
	})
}

func TestPrelu(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		shape := []int{mostly(t, "rows", 9, 900), rapid.IntRange(1, 5).Draw(t, "height"), rapid.IntRange(1, 6).Draw(t, "channels")}
		slopes := append([]int{}, shape[1:]...)
		for i := range slopes {
			if rapid.Bool().Draw(t, "shared") {
				slopes[i] = 1
			}
		}
		p := axes.Broadcast(shape, slopes)
		r := drawRand(t)
		x, dy, alpha := random(r, p.Len()), random(r, p.Len()), random(r, slopes[0]*slopes[1])
		if rapid.IntRange(0, 3).Draw(t, "NaN") == 0 {
			x[r.IntN(len(x))] = nan
		}
		got, want := dirty(len(x)), dirty(len(x))
		f32.Prelu(p, got, x, alpha)
		kerneltest.Prelu(p, want, x, alpha)
		equal(t, "y", got, want)
		f32.PreluGrad(p, got, dy, x, alpha)
		kerneltest.PreluGrad(p, want, dy, x, alpha)
		equal(t, "dx", got, want)
		f32.NegativePart(got, x)
		for i, v := range x {
			want[i] = min(v, 0)
		}
		equal(t, "negative part", got, want)
	})
}

// TestNonlinearSlopes compares the definitions' slopes with central differences of the functions in float64, away from
// kinks. Step 1e-6 leaves some 1e-9; the float32 slopes have errors of some 1e-7.
func TestNonlinearSlopes(t *testing.T) {
	real := map[string]func(float64) float64{
		"Elu":       func(x float64) float64 { return max(x, math.Expm1(min(x, 0))) },
		"HardSwish": func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
		"Sigmoid":   func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		"Tanh":      math.Tanh,
	}
	r := rand.New(rand.NewPCG(6, 6))
	worst := 0.0
	for name, def := range kerneltest.Nonlinears {
		for range 2000 {
			x := float32(4 * r.NormFloat64())
			if near := min(math.Abs(float64(x)), math.Abs(math.Abs(float64(x))-3)); near < 1e-3 {
				continue
			}
			const h = 1e-6
			want := (real[name](float64(x)+h) - real[name](float64(x)-h)) / (2 * h)
			var got float32
			if def.Slope != nil {
				got = def.Slope(def.Value(x))
			} else {
				got = def.SlopeAt(x)
			}
			d := math.Abs(float64(got) - want)
			if worst = max(worst, d); d > 5e-7 {
				t.Errorf("%s: slope at %v is %v, difference quotient %v", name, x, got, want)
			}
		}
	}
	t.Logf("largest error %.2g", worst)
}
