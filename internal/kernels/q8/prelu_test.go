package q8

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/quant"
)

// TestPreluByHand: scales of one half, so that everything is exact.
func TestPreluByHand(t *testing.T) {
	for _, profile := range []Profile{LiteRT, TFLM} {
		p, err := NewPrelu(PreluSpec{Input: quant.PerTensor(.5, 3), Alpha: quant.PerTensor(.5, 10), Output: quant.PerTensor(.5, -20), Profile: profile})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, 9)
		p.Run(axes.Broadcast([]int{3, 3}, []int{3}), got, []int8{9, 9, 9, -4, -4, -4, -128, 3, -128}, []int8{12, 10, 8})
		// Alphas 1, 0 and -1: x above 3 is kept, x below multiplied.
		if want := []int8{-14, -14, -14, -27, -20, -13, -128, -20, 111}; !slices.Equal(got, want) {
			t.Errorf("profile %d: %v, want %v", profile, got, want)
		}
	}
}

// TestPreluIsLeakyRelu: alpha with a code of its own value is LEAKY_RELU's where
// both have the same multipliers.
func TestPreluIsLeakyRelu(t *testing.T) {
	in, out := quant.PerTensor(.05, -3), quant.PerTensor(.07, -11)
	leaky, err := NewLeakyRelu(.3, in, out, LiteRT)
	want := run256(t, leaky, err)
	p, err := NewPrelu(PreluSpec{Input: in, Alpha: quant.PerTensor(.3, 0), Output: out})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, 256)
	if p.Run(axes.Broadcast([]int{256}, nil), got, allCodes(), []int8{1}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPreluPrecision: the profiles differ in where the factor is rounded.
func TestPreluPrecision(t *testing.T) {
	s := PreluSpec{Input: quant.PerTensor(.1, 0), Alpha: quant.PerTensor(.7, 0), Output: quant.PerTensor(.3, 0)}
	multipliers := func(profile Profile) [2]quant.Multiplier {
		s.Profile = profile
		p, err := NewPrelu(s)
		if err != nil {
			t.Fatal(err)
		}
		return [2]quant.Multiplier{p.identity, p.slope}
	}
	a, b := multipliers(LiteRT), multipliers(TFLM)
	if a[0] == b[0] || a[1] == b[1] {
		t.Errorf("LiteRT %v, TFLM %v", a, b)
	}
}

func TestPreluConformance(t *testing.T) { rapid.Check(t, preluConforms) }

func FuzzPrelu(f *testing.F) { atEveryLevel(f, preluConforms) }

// preluConforms holds every element to its formula, and that to real numbers: two
// roundings of half a step, and what float32 loses of factors.
func preluConforms(t *rapid.T) {
	spec := PreluSpec{
		Input: drawTensor(t, "input"), Alpha: drawTensor(t, "alpha"), Output: drawTensor(t, "output"),
		Profile: profiles.Draw(t, "profile"),
	}
	op, err := NewPrelu(spec)
	mustTake(t, err)
	shape := []int{rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 40).Draw(t, "columns"), rapid.IntRange(1, 40).Draw(t, "channels")}
	slopes := slices.Clone(shape)
	for axis := range slopes {
		if rapid.Bool().Draw(t, "shared slopes") {
			slopes[axis] = 1
		}
	}
	size := func(shape []int) int { return shape[0] * shape[1] * shape[2] }
	x, alpha := drawCodes(t, size(shape), "input codes"), drawCodes(t, size(slopes), "slopes")
	pair := axes.Broadcast(shape, slopes)
	got := make([]int8, len(x))
	op.Run(pair, got, x, alpha)
	grid := GridOf[int8]()
	for i, code := range got {
		at, a := pair.At(i)
		v, slope, m := int32(x[at])-spec.Input.ZeroPoint[0], int32(1), op.identity
		real := float64(v) * float64(spec.Input.Scale[0]) / float64(spec.Output.Scale[0])
		if v < 0 {
			slope, m = int32(alpha[a])-spec.Alpha.ZeroPoint[0], op.slope
			real *= float64(slope) * float64(spec.Alpha.Scale[0])
		}
		if want := grid.Clamp(m.Apply(v*slope) + spec.Output.ZeroPoint[0]); int32(code) != want {
			t.Fatalf("element %d: code %d, want %d", i, code, want)
		}
		real = min(max(real+float64(spec.Output.ZeroPoint[0]), -128), 127)
		if d := math.Abs(float64(code) - real); d > 1+256*0x1p-22 {
			t.Fatalf("element %d: code %d is off by %v from %v", i, code, d, real)
		}
	}
}
