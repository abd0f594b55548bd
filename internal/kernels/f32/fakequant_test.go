package f32_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// atTies returns values for a scale: ties and their neighbours, values outside any grid, infinite ones, zeros and NaN.
func atTies(r *rand.Rand, n int, scale float32) []float32 {
	x := random(r, n)
	for i := range x {
		code := float32(r.IntN(600) - 300)
		switch r.IntN(8) {
		case 0:
			x[i] = scale * (code + 0.5)
		case 1:
			x[i] = math.Nextafter32(scale*(code+0.5), float32(r.IntN(3)-1)*1000)
		case 2:
			x[i] = scale * code / 4
		case 3:
			special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e30, -1e30, 0.49999997, 0x1p-149}
			x[i] = float32(special[r.IntN(len(special))])
		}
	}
	return x
}

// TestFakeQuantize holds the kernels to package quant's definition.
func TestFakeQuantize(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		n, r := mostly(t, "length", 50, 100000), drawRand(t)
		scale := float32(math.Exp2(float64(rapid.IntRange(-12, 3).Draw(t, "exponent")))) * (1 + r.Float32())
		zero := int32(r.IntN(256) - 128)
		g := quant.Signed(rapid.SampledFrom([]int{4, 8, 16}).Draw(t, "bits"), rapid.Bool().Draw(t, "narrow"))
		switch rapid.IntRange(0, 3).Draw(t, "rule") {
		case 0:
			g.Ties = quant.FromCodeZero
		case 1:
			g.Sum = quant.SumOf(49, scale, scale/3)
		}
		x := atTies(r, n, scale)
		want, inside := dirty(n), make([]bool, n)
		if err := quant.PerTensor(scale, zero).FakeQuantize(want, x, inside, []int{n}, g); err != nil {
			t.Fatal(err)
		}
		got, mask := dirty(n), make([]uint8, f32.MaskLen(n))
		for i := range mask {
			mask[i] = uint8(r.IntN(256))
		}
		f32.FakeQuantize(got, x, mask, scale, zero, g)
		equal(t, "value", got, want)
		without := dirty(n)
		f32.FakeQuantize(without, x, nil, scale, zero, g)
		equal(t, "value without a mask", without, want)
		for i, in := range inside {
			if in != (mask[i/8]>>(i%8)&1 == 1) {
				t.Fatalf("mask of value %d, %g: %v", i, x[i], !in)
			}
		}
		dy, dx := random(r, n), dirty(n)
		f32.FakeQuantizeGrad(dx, dy, mask)
		for i, in := range inside {
			if want[i] = dy[i]; !in {
				want[i] = 0
			}
		}
		equal(t, "gradient", dx, want)
	})
}

func TestMinMaxAnywhere(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		n, r := mostly(t, "length", 100, 200000), drawRand(t)
		x := random(r, n)
		wantNaN := false
		for range rapid.IntRange(0, 3).Draw(t, "special") {
			v := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}[r.IntN(4)]
			x[r.IntN(n)] = float32(v)
		}
		lo, hi := float32(math.Inf(1)), float32(math.Inf(-1))
		for _, v := range x {
			if v != v {
				wantNaN = true
				continue
			}
			lo, hi = min(lo, v), max(hi, v)
		}
		gotLo, gotHi, nan := f32.MinMax(x)
		if gotLo != lo || gotHi != hi || nan != wantNaN {
			t.Fatalf("got %g, %g, %v, want %g, %g, %v", gotLo, gotHi, nan, lo, hi, wantNaN)
		}
		if gotLo == 0 && math.Signbit(float64(gotLo)) || gotHi == 0 && math.Signbit(float64(gotHi)) {
			t.Fatal("a bound of -0")
		}
	})
}
