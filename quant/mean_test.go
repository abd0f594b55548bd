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
