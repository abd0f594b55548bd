package quant

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// defined is the definition of a code in float64. The float64 quotient of two
// float32 numbers, rounded to float32, is the float32 quotient: 53 bits are more
// than twice 24 plus 2.
func defined(x, scale float32, zero int32, g Grid) int32 {
	v := float32(float64(x) / float64(scale))
	code := math.Round(float64(v)) + float64(zero) // Round: halves away from zero
	return int32(math.Min(math.Max(code, float64(g.Min)), float64(g.Max)))
}

// TestCodeAroundTies: exactly on ties, and on the float32 numbers next to them.
func TestCodeAroundTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.Float32Range(1e-6, 1e6).Draw(t, "scale")
		if rapid.Bool().Draw(t, "power of two") { // the tie is then exact
			scale = float32(math.Ldexp(1, rapid.IntRange(-20, 20).Draw(t, "exponent")))
		}
		g := Signed(rapid.SampledFrom([]int{8, 16}).Draw(t, "bits"), rapid.Bool().Draw(t, "narrow"))
		zero := rapid.Int32Range(g.Min, g.Max).Draw(t, "zero point")
		k := rapid.IntRange(-70000, 70000).Draw(t, "k")
		tie := float32((float64(k) + 0.5) * float64(scale))
		for _, x := range []float32{tie, math.Nextafter32(tie, -infinite), math.Nextafter32(tie, infinite), -tie} {
			if got, want := Code(x, scale, zero, g), defined(x, scale, zero, g); got != want {
				t.Fatalf("code of %v is %d, want %d", x, got, want)
			}
		}
	})
}

func TestCodeIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.Float32Range(0x1p-126, math.MaxFloat32).Draw(t, "scale")
		x := rapid.Float32().Draw(t, "x")
		g := Signed(8, false)
		zero := rapid.Int32Range(g.Min, g.Max).Draw(t, "zero point")
		if x != x {
			return
		}
		if got, want := Code(x, scale, zero, g), defined(x, scale, zero, g); got != want {
			t.Fatalf("code of %v at scale %v is %d, want %d", x, scale, got, want)
		}
	})
}

// TestRoundAway: the numbers for which adding one half would be wrong.
func TestRoundAway(t *testing.T) {
	for x, want := range map[float32]int32{
		0: 0, 0.49999997: 0, 0.5: 1, 0.50000006: 1, 1.4999999: 1, 1.5: 2, 2.5: 3, 3.5: 4,
		126.5: 127, 127.49999: 127, 127.5: 128, 4194303.5: 4194304, 4194303: 4194303, 4194304: 4194304,
	} {
		if got := roundAway(x); got != want {
			t.Errorf("%v rounds to %d, want %d", x, got, want)
		}
		if got := roundAway(-x); got != -want {
			t.Errorf("%v rounds to %d, want %d", -x, got, -want)
		}
	}
}

// affine draws the parameters of a random range, and the grid they belong to.
func affine(t *rapid.T) (scale float32, zero int32, g Grid) {
	lo := rapid.Float32Range(-1e4, 1e4).Draw(t, "lo")
	hi := rapid.Float32Range(-1e4, 1e4).Draw(t, "hi")
	g = Signed(8, rapid.Bool().Draw(t, "narrow"))
	var err error
	if rapid.Bool().Draw(t, "symmetric") {
		scale, err = Symmetric(min(lo, hi), max(lo, hi), g)
	} else {
		scale, zero, err = Asymmetric(min(lo, hi), max(lo, hi), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return scale, zero, g
}

func fakeQuantized(t *rapid.T, p Params, g Grid, x ...float32) (y []float32, mask []bool) {
	y, mask = make([]float32, len(x)), make([]bool, len(x))
	if err := p.FakeQuantize(y, x, mask, []int{len(x)}, g); err != nil {
		t.Fatal(err)
	}
	return y, mask
}

func TestFakeQuantizeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale, zero, g := affine(t)
		p := PerTensor(scale, zero)
		low, high := Value(g.Min, scale, zero), Value(g.Max, scale, zero)
		x := rapid.Float32Range(low, high).Draw(t, "x")
		y, mask := fakeQuantized(t, p, g, x, 0, 2*high+1, 2*low-1, infinite, -infinite, nan)
		// Half a step; the quotient and the product are each rounded, by 2^-24 of at
		// most 255 steps.
		if d := math.Abs(float64(x) - float64(y[0])); d > float64(scale)*(0.5+2*255*0x1p-24) {
			t.Fatalf("%v became %v, off by %v steps", x, y[0], d/float64(scale))
		}
		if y[1] != 0 || !mask[1] || Code(0, scale, zero, g) != zero {
			t.Fatalf("zero became %v, mask %v", y[1], mask[1])
		}
		if y[2] != high || y[3] != low || y[4] != high || y[5] != low {
			t.Fatalf("beyond [%v, %v]: %v", low, high, y[2:6])
		}
		if mask[4] || mask[5] || mask[6] || y[6] == y[6] {
			t.Fatalf("infinities and NaN: %v, %v", y[4:], mask[4:])
		}
		if again, _ := fakeQuantized(t, p, g, y[0]); again[0] != y[0] {
			t.Fatalf("%v became %v a second time", y[0], again[0])
		}
	})
}

func TestFakeQuantizeIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale, zero, g := affine(t)
		x := rapid.SliceOfN(rapid.Float32Range(-2e4, 2e4), 2, 20).Draw(t, "x")
		slices.Sort(x)
		if y, _ := fakeQuantized(t, PerTensor(scale, zero), g, x...); !slices.IsSorted(y) {
			t.Fatalf("%v became %v", x, y)
		}
	})
}

// TestMask: the gradient passes where the code before saturation is on the grid.
func TestMask(t *testing.T) {
	p, g := PerTensor(0.5, 10), Signed(8, false)
	x := []float32{58.5, 58.749996, 58.75, 59, -69, -69.249992, -69.25, 1e30, -1e30}
	want := []bool{true, true, false, false, true, true, false, false, false}
	mask := make([]bool, len(x))
	if err := p.FakeQuantize(make([]float32, len(x)), x, mask, []int{len(x)}, g); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, mask); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLargestWeightKeepsGradient: its quotient may come out above g.Max by
// rounding error, its code must not.
func TestLargestWeightKeepsGradient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SliceOfN(rapid.Float32Range(-100, 100), 1, 12).Draw(t, "w")
		g := Signed(rapid.SampledFrom([]int{4, 8, 16}).Draw(t, "bits"), true)
		p, err := LastValue(w, []int{len(w)}, -1, g)
		if err != nil {
			t.Fatal(err)
		}
		_, mask := fakeQuantized(t, p, g, w...)
		largest := 0
		for i, v := range w {
			if !mask[i] {
				t.Fatalf("weight %v of %v has no gradient", v, w)
			}
			if math.Abs(float64(v)) > math.Abs(float64(w[largest])) {
				largest = i
			}
		}
		if c := Code(w[largest], p.Scale[0], 0, g); p.Scale[0] != FloorScale && c != g.Max && c != -g.Max {
			t.Fatalf("the largest weight %v has the code %d", w[largest], c)
		}
	})
}

// TestPerChannel: along any axis, each channel is what it would be alone.
func TestPerChannel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(t, "shape")
		axis := rapid.IntRange(0, len(shape)-1).Draw(t, "axis")
		n, inner := product(shape), product(shape[axis+1:])
		x := rapid.SliceOfN(rapid.Float32Range(-9, 9), n, n).Draw(t, "x")
		g := Signed(8, true)
		p, err := LastValue(x, shape, axis, g)
		if err != nil {
			t.Fatal(err)
		}
		y, mask, codes, back := make([]float32, n), make([]bool, n), make([]int8, n), make([]float32, n)
		for _, err := range []error{p.FakeQuantize(y, x, mask, shape, g), Quantize(p, codes, x, shape, g), Dequantize(p, back, codes, shape)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(y, back); diff != "" {
			t.Fatalf("fake quantization differs from quantizing and back:\n%s", diff)
		}
		for c := range shape[axis] {
			var at []int
			var channel []float32
			for i, v := range x {
				if i/inner%shape[axis] == c {
					at, channel = append(at, i), append(channel, v)
				}
			}
			alone, err := LastValue(channel, []int{len(channel)}, -1, g)
			if err != nil || alone.Scale[0] != p.Scale[c] || p.ZeroPoint[c] != 0 {
				t.Fatalf("channel %d: scale %v, alone %v (%v)", c, p.Scale[c], alone.Scale, err)
			}
			want, wantMask := fakeQuantized(t, alone, g, channel...)
			for j, i := range at {
				if y[i] != want[j] || mask[i] != wantMask[j] {
					t.Fatalf("channel %d: element %d is %v, alone %v", c, i, y[i], want[j])
				}
			}
		}
	})
}

// TestEveryCodeReturns: dequantizing and quantizing again is the identity.
func TestEveryCodeReturns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale, zero, g := affine(t)
		var codes []int8
		for q := g.Min; q <= g.Max; q++ {
			codes = append(codes, int8(q))
		}
		values, again := make([]float32, len(codes)), make([]int8, len(codes))
		shape, p := []int{len(codes)}, PerTensor(scale, zero)
		if err := Dequantize(p, values, codes, shape); err != nil {
			t.Fatal(err)
		}
		if err := Quantize(p, again, values, shape, g); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(codes, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestQuantizeFaults(t *testing.T) {
	p, g, x := PerTensor(1, 0), Signed(8, false), []float32{1, 2}
	two, one := make([]int8, 2), make([]int8, 1)
	want(t, Quantize(p, two, []float32{0, nan}, []int{2}, g), "quant: value 1 is NaN")
	want(t, Quantize(p, two, []float32{-infinite, 0}, []int{2}, g), "quant: value 0 is -Inf")
	want(t, Quantize(p, one, x, []int{2}, g), "quantize 2 values into 1 codes")
	want(t, Quantize(p, two, x, []int{3}, g), "2 values do not fill shape [3]")
	want(t, Quantize(Params{}, two, x, []int{2}, g), "0 scales")
	want(t, Dequantize(p, x, one, []int{1}), "dequantize 1 codes into 2 values")
	want(t, Dequantize(p, x, two, []int{2, 2}), "do not fill shape [2 2]")
	want(t, p.FakeQuantize(x[:1], x, nil, []int{2}, g), "fake quantization of 2 values into 1")
	want(t, p.FakeQuantize(x, x, make([]bool, 3), []int{2}, g), "with a mask of 3")
	want(t, p.FakeQuantize(x, x, nil, []int{2}, g), "") // in place, without a mask
}

func TestLastValue(t *testing.T) {
	g := Signed(8, true)
	p, err := LastValue([]float32{-1, 2, 0, 0, 3, -4}, []int{3, 2}, 0, g)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Params{Scale: []float32{2.0 / 127, FloorScale, 4.0 / 127}, ZeroPoint: []int32{0, 0, 0}}, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		values []float32
		shape  []int
		axis   int
		want   string
	}{
		{[]float32{1}, []int{2}, 0, "1 values do not fill shape [2]"},
		{[]float32{1, nan}, []int{2}, 0, "quant: value 1 is NaN"},
		{[]float32{1, 2, 3, infinite}, []int{2, 2}, 0, "quant: value 3 is +Inf"},
		{[]float32{1, 2}, []int{2}, 1, "quant: axis 1 of shape [2]"},
	} {
		_, err := LastValue(c.values, c.shape, c.axis, g)
		want(t, err, c.want)
	}
}

func BenchmarkFakeQuantize(b *testing.B) {
	x, y, mask := make([]float32, 1<<14), make([]float32, 1<<14), make([]bool, 1<<14)
	for i := range x {
		x[i] = float32(i%301) - 150
	}
	p, g := PerTensor(1.1, 3), Signed(8, false)
	b.SetBytes(int64(4 * len(x)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.FakeQuantize(y, x, mask, []int{len(x)}, g); err != nil {
			b.Fatal(err)
		}
	}
}
