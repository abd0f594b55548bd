package f32_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// TestTail holds the pass to the kernels that it replaces.
func TestTail(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var tail f32.Tail
	rapid.Check(t, func(t *rapid.T) {
		n, r, act := mostly(t, "length", 50, 100000), drawRand(t), drawActivation(t)
		scale, zero, g := 0.01+r.Float32()/10, int32(r.IntN(256)-128), quant.Signed(8, false)
		if rapid.Bool().Draw(t, "from code zero") {
			g.Ties = quant.FromCodeZero
		}
		x, ones := atTies(r, n, scale), make([]float32, n)
		for i := range ones {
			ones[i] = 1
		}
		tail.Activate(act)
		tail.Pass()
		want, pass, bits := dirty(n), dirty(n), make([]uint8, f32.MaskLen(n))
		f32.Activate(act, want, x)
		f32.ActivateGrad(act, pass, ones, want)
		lo, hi, nan := f32.MinMax(want)
		if rapid.Bool().Draw(t, "rounds") {
			tail.Round(scale, zero, g)
			f32.FakeQuantize(want, want, bits, scale, zero, g)
			f32.FakeQuantizeGrad(pass, pass, bits)
		}
		got, mask := slices.Clone(x), make([]uint8, f32.MaskLen(n))
		gotLo, gotHi, gotNaN := tail.Run(got, mask)
		equal(t, "value", got, want)
		equal(t, "bounds", []float32{gotLo, gotHi}, []float32{lo, hi})
		if gotNaN != nan {
			t.Fatalf("NaN: %v, want %v", gotNaN, nan)
		}
		for i, v := range pass {
			if math.IsNaN(float64(x[i])) {
				v = 0 // NaN passes nothing, not even where there is nothing to pass
			}
			if in := mask[i/8]>>(i%8)&1 == 1; in != (v == 1) {
				t.Fatalf("mask of %g: %v", x[i], in)
			}
		}
	})
}

// TestNormalizeTail holds normalization with a tail to both one after the other.
func TestNormalizeTail(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		rows, cols, r := mostly(t, "rows", 30, 20000), mostly(t, "channels", 40, 40), drawRand(t)
		n := rows * cols
		x, mean, invStd, gamma, beta := random(r, n), random(r, cols), random(r, cols), random(r, cols), random(r, cols)
		var tail f32.Tail
		tail.Activate(drawActivation(t))
		tail.Round(0.03, 7, quant.Signed(8, false))
		want, wantMask := dirty(n), make([]uint8, f32.MaskLen(n))
		f32.Normalize(&ws, rows, cols, want, x, mean, invStd, gamma, beta)
		lo, hi, _ := tail.Run(want, wantMask)
		got, mask := dirty(n), make([]uint8, f32.MaskLen(n))
		gotLo, gotHi, nan := f32.NormalizeTail(&ws, rows, cols, got, x, mean, invStd, gamma, beta, &tail, mask)
		equal(t, "y", got, want)
		equal(t, "bounds", []float32{gotLo, gotHi}, []float32{lo, hi})
		if nan || !slices.Equal(mask, wantMask) {
			t.Fatalf("NaN %v, mask %v, want %v", nan, mask, wantMask)
		}
	})
}
