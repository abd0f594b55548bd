package f32_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
)

func TestOptimizers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		n := mostly(t, "length", 40, 100000)
		r := drawRand(t)
		grad, state := random(r, n), [][]float32{random(r, n), random(r, n), random(r, n)} // w, m, v
		fade := rapid.SampledFrom([]float32{1, 0x1p-100, 0x1p-140}).Draw(t, "scale of some state")
		for i, v := range state[2] {
			if i%3 == 0 {
				v, grad[i], state[1][i] = fade*v, fade*grad[i], fade*state[1][i]
			}
			state[2][i] = float32(math.Abs(float64(v)))
		}
		rate, a, b := r.Float32(), r.Float32(), r.Float32()
		for name, f := range map[string][2]func(w, m, v []float32){
			"SGD": {
				func(w, _, _ []float32) { f32.SGD(w, grad, rate) },
				func(w, _, _ []float32) { kerneltest.SGD(w, grad, rate) },
			},
			"momentum": {
				func(w, m, _ []float32) { f32.Momentum(w, grad, m, rate, a, false) },
				func(w, m, _ []float32) { kerneltest.Momentum(w, grad, m, rate, a, false) },
			},
			"Nesterov": {
				func(w, m, _ []float32) { f32.Momentum(w, grad, m, rate, a, true) },
				func(w, m, _ []float32) { kerneltest.Momentum(w, grad, m, rate, a, true) },
			},
			"Adam": {
				func(w, m, v []float32) { f32.Adam(w, grad, m, v, a, b, rate, 1e-7) },
				func(w, m, v []float32) { kerneltest.Adam(w, grad, m, v, a, b, rate, 1e-7) },
			},
			"RMSprop": {
				func(w, _, v []float32) { f32.RMSprop(w, grad, v, a, 1-a, rate, 1e-7) },
				func(w, _, v []float32) { kerneltest.RMSprop(w, grad, v, a, 1-a, rate, 1e-7) },
			},
		} {
			var got, want [3][]float32
			for i, s := range state {
				got[i], want[i] = slices.Clone(s), slices.Clone(s)
			}
			f[0](got[0], got[1], got[2])
			f[1](want[0], want[1], want[2])
			for i, what := range []string{"weights", "mean", "power"} {
				equal(t, name+": "+what, got[i], want[i])
			}
		}
	})
}
