package quant

import (
	"testing"

	"pgregory.net/rapid"
)

// integerMean is AVERAGE_POOL_2D's rule for codes: the sum, rounded half away
// from zero, divided by their number.
func integerMean(codes []int32) int32 {
	sum, n := int32(0), int32(len(codes))
	for _, c := range codes {
		sum += c
	}
	if sum > 0 {
		return (sum + n/2) / n
	}
	return (sum - n/2) / n
}

// Fake quantization of a mean of codes gives the code of the integer mean, ties
// included, whatever the scale and zero point.
func TestMeanOfCodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.Float32Range(1e-6, 1e3).Draw(t, "scale")
		zero := rapid.Int32Range(-128, 127).Draw(t, "zero")
		codes := rapid.SliceOfN(rapid.Int32Range(-128, 127), 1, 64).Draw(t, "codes")
		sum := float32(0)
		for _, c := range codes {
			sum += Value(c, scale, zero)
		}
		x, y := []float32{sum / float32(len(codes))}, []float32{0}
		g := Signed(8, false)
		g.Ties = FromCodeZero
		if err := PerTensor(scale, zero).FakeQuantize(y, x, nil, []int{1}, g); err != nil {
			t.Fatal(err)
		}
		if got, want := Code(y[0], scale, zero, g), integerMean(codes); got != want {
			t.Errorf("the mean of %v has code %d, integers give %d", codes, got, want)
		}
	})
}

// Fake quantization of a mean of codes to another scale gives the code that MEAN's
// kernel gives, whatever the scales.
func TestMeanOfSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := rapid.Float32Range(1e-6, 1e3).Draw(t, "scale"), float32(0)
		out = in * rapid.Float32Range(0x1p-9, 0x1p9).Draw(t, "scales")
		zeroIn, zeroOut := rapid.Int32Range(-128, 127).Draw(t, "zero of the input"), rapid.Int32Range(-128, 127).Draw(t, "zero")
		codes := rapid.SliceOfN(rapid.Int32Range(-128, 127), 1, 400).Draw(t, "codes")
		mean, sum := float32(0), int32(0)
		for _, c := range codes {
			mean += Value(c, in, zeroIn)
			sum += c - zeroIn
		}
		x, y, inside := []float32{mean / float32(len(codes))}, []float32{0}, []bool{false}
		g := Signed(8, false)
		g.Sum = SumOf(len(codes), in, out)
		if err := PerTensor(out, zeroOut).FakeQuantize(y, x, inside, []int{1}, g); err != nil {
			t.Fatal(err)
		}
		want := MeanMultiplier(in, out, len(codes)).Apply(sum) + zeroOut
		if got := Code(y[0], out, zeroOut, g); got != g.Clamp(want) || inside[0] != g.Contains(want) {
			t.Errorf("the mean of %v has code %d (%v), integers give %d", codes, got, inside[0], want)
		}
	})
}

func TestSumOfEnormousMeans(t *testing.T) {
	s := SumOf(4, 0.5, 0.25)
	for x, want := range map[float32]int32{1e30: 1 << 29, -1e30: -1 << 29, 3: 12} {
		if got := s.code(x, 0); got != want {
			t.Errorf("%v: %d, want %d", x, got, want)
		}
	}
}

// Fake quantization behind a LEAKY_RELU gives the code that its kernel gives for
// every code, whatever the scales.
func TestLeakySums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, alpha := rapid.Float32Range(1e-6, 1e3).Draw(t, "scale"), rapid.Float32Range(1e-3, 2).Draw(t, "alpha")
		out := in * rapid.Float32Range(0x1p-6, 0x1p6).Draw(t, "scales")
		zeroIn, zeroOut := rapid.Int32Range(-128, 127).Draw(t, "zero of the input"), rapid.Int32Range(-128, 127).Draw(t, "zero")
		identity, slope := LeakyMultipliers(alpha, in, out)
		g := Signed(8, false)
		g.Sum, g.Negative = LeakySums(alpha, in, out)
		for c := int32(-128); c < 128; c++ {
			y, inside := []float32{Value(c, in, zeroIn)}, []bool{false}
			want := identity.Apply(c-zeroIn) + zeroOut
			if y[0] < 0 {
				y[0] *= alpha
				want = slope.Apply(c-zeroIn) + zeroOut
			}
			if err := PerTensor(out, zeroOut).FakeQuantize(y, y, inside, []int{1}, g); err != nil {
				t.Fatal(err)
			}
			if got := Code(y[0], out, zeroOut, g); got != g.Clamp(want) || inside[0] != g.Contains(want) {
				t.Errorf("code %d becomes %d (%v), integers give %d", c, got, inside[0], want)
			}
		}
	})
}
