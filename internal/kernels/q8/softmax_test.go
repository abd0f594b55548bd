package q8

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/quant"
)

// TestSoftmaxNearReal compares with the real softmax. One code of difference:
// half a step of rounding each, and an error of the fixed-point exponentials
// and of a sum of few terms far below half a step.
func TestSoftmaxNearReal(t *testing.T) { rapid.Check(t, softmaxIsNearReal) }

func FuzzSoftmax(f *testing.F) { atEveryLevel(f, softmaxIsNearReal) }

func softmaxIsNearReal(t *rapid.T) {
	scale := rapid.Float32Range(.001, .6).Draw(t, "scale")
	beta := rapid.SampledFrom([]float32{1, .5, 2}).Draw(t, "beta")
	row := rapid.SliceOfN(rapid.Int8(), 1, 60).Draw(t, "row")
	s, err := NewSoftmax(quant.PerTensor(scale, int32(rapid.Int8().Draw(t, "zero"))), softmaxOutput, beta, len(row), profiles.Draw(t, "profile"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, len(row))
	s.Run(got, row, 1)

	sum := 0.0
	real := func(q int8) float64 { return math.Exp(float64(q) * float64(scale) * float64(beta)) }
	for _, q := range row {
		sum += real(q)
	}
	for i, q := range row {
		want := min(math.Round(256*real(q)/sum), 255) - 128
		if math.Abs(float64(got[i])-want) > 1 {
			t.Fatalf("element %d is %d, want %v", i, got[i], want)
		}
	}
}

// TestSoftmaxLongRows has sums on both sides of the largest that the reference
// kernel accepts, and beyond int32.
func TestSoftmaxLongRows(t *testing.T) {
	for _, c := range []struct {
		depth int
		want  int8
	}{{1, 127}, {2, 0}, {256, -127}, {511, -127}, {512, -128}, {4096, -128}, {10000, -128}} {
		s, err := NewSoftmax(quant.PerTensor(.1, 0), softmaxOutput, 1, c.depth, LiteRT)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]int8, c.depth)
		s.Run(row, row, 1)
		for i, got := range row {
			if got != c.want {
				t.Fatalf("%d equal elements: element %d is %d, want %d", c.depth, i, got, c.want)
			}
		}
	}
}

func TestExpFactors(t *testing.T) {
	for _, f := range expFactors {
		if want := math.Round(math.Ldexp(math.Exp(-math.Ldexp(1, f.power)), 31)); float64(f.factor) != want {
			t.Errorf("e^-(2^%d) is %d, want %v", f.power, f.factor, want)
		}
	}
}

func TestExpNegative(t *testing.T) {
	if got := expNegative(0, 5); got != math.MaxInt32 {
		t.Errorf("e^0 is %d", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int32Range(math.MinInt32, 0).Draw(t, "a")
		got, want := math.Ldexp(float64(expNegative(a, 5)), -31), math.Exp(math.Ldexp(float64(a), -26))
		// The Taylor series stops before x^5/120 of |x| <= 1/8.
		if d := math.Abs(got - want); d > math.Pow(.125, 5)/120 {
			t.Fatalf("e^%v is %v, off by %v", math.Ldexp(float64(a), -26), got, d)
		}
	})
}

func TestReciprocalOnePlus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int32Range(0, math.MaxInt32).Draw(t, "a")
		got, want := math.Ldexp(float64(reciprocalOnePlus(a)), -31), 1/(1+math.Ldexp(float64(a), -31))
		// A unit of the Q2.29 iterate is 4 of Q0.31; each of the last step's four
		// roundings costs at most one, and doubling makes it two.
		if d := math.Abs(got - want); d > math.Ldexp(4*4*2, -31) {
			t.Fatalf("1/(1+%v) is %v, off by %v", math.Ldexp(float64(a), -31), got, d)
		}
	})
}
