package q8

import (
	"slices"
	"testing"

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
