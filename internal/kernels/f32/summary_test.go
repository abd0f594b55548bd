package f32_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

func TestSummarize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, r := mostly(t, "length", 100, 20000), drawRand(t)
		x := random(r, n)
		for range rapid.IntRange(0, 3).Draw(t, "special") {
			v := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e-42}[r.IntN(5)]
			x[r.IntN(n)] = float32(v)
		}
		x = x[r.IntN(n):]
		got, want := f32.Summarize(x), quant.Summarize(x)
		equal(t, "bounds and sum", []float32{got.Lo, got.Hi, got.Sum}, []float32{want.Lo, want.Hi, want.Sum})
		if got.Nonzero != want.Nonzero || got.NaN != want.NaN {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
