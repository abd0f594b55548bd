package quant

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestObserve(t *testing.T) {
	lo, hi, ok, err := Observe([]float32{0.5, -3, 2})
	if lo != -3 || hi != 2 || !ok || err != nil {
		t.Errorf("[%v, %v], %v, %v", lo, hi, ok, err)
	}
	if _, _, ok, err := Observe(nil); ok || err != nil {
		t.Errorf("nothing observed, yet ok %v, error %v", ok, err)
	}
	for _, bad := range []float32{nan, infinite, -infinite} {
		_, _, ok, err := Observe([]float32{0, 0, bad, 0})
		want(t, err, "quant: value 2 is ")
		if ok {
			t.Errorf("%v was accepted", bad)
		}
	}
}

func TestObserversRefuse(t *testing.T) {
	start := Range{Min: -1, Max: 1, Weight: 1}
	for _, c := range []struct {
		lo, hi float32
		want   string
	}{
		{nan, 1, "holds NaN"}, {0, nan, "holds NaN"}, {0, infinite, "is not finite"}, {-infinite, 0, "is not finite"}, {1, 0, "is inverted"},
	} {
		r, err := start.Extended(c.lo, c.hi)
		if want(t, err, c.want); r != start {
			t.Errorf("the range became %v", r)
		}
		r, err = start.Averaged(c.lo, c.hi, 0.9)
		if want(t, err, c.want); r != start {
			t.Errorf("the range became %v", r)
		}
	}
}

func TestExtended(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Range
		lo, hi := infinite, -infinite
		for range rapid.IntRange(1, 8).Draw(t, "observations") {
			a, b := rapid.Float32Range(-9, 9).Draw(t, "a"), rapid.Float32Range(-9, 9).Draw(t, "b")
			var err error
			if r, err = r.Extended(min(a, b), max(a, b)); err != nil {
				t.Fatal(err)
			}
			lo, hi = min(lo, a, b), max(hi, a, b)
		}
		if l, h := r.Bounds(); l != lo || h != hi || !r.Known() || r.Weight != 1 {
			t.Fatalf("range %v, want [%v, %v]", r, lo, hi)
		}
	})
}

// TestAveraged holds the bounds against the closed form
//
//	sum of decay^(n-i)*lo_i over the sum of decay^(n-i)
//
// in float64. Each step rounds three times in Min and twice in Weight, each time
// by 2^-24 of a value of at most the largest observation times the weight.
func TestAveraged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decay := rapid.SampledFrom([]float32{0, 0.5, 0.9, 0.99, 0.999}).Draw(t, "decay")
		n := rapid.IntRange(1, 50).Draw(t, "observations")
		var r Range
		var lo, hi, weight, largest float64
		for range n {
			a, b := rapid.Float32Range(-9, 9).Draw(t, "a"), rapid.Float32Range(-9, 9).Draw(t, "b")
			l, h := min(a, b), max(a, b)
			var err error
			if r, err = r.Averaged(l, h, decay); err != nil {
				t.Fatal(err)
			}
			lo, hi, weight = float64(decay)*lo+float64(l), float64(decay)*hi+float64(h), float64(decay)*weight+1
			largest = max(largest, math.Abs(float64(l)), math.Abs(float64(h)))
		}
		allowed := 6 * float64(n+1) * 0x1p-24 * largest
		gotLo, gotHi := r.Bounds()
		if math.Abs(float64(gotLo)-lo/weight) > allowed || math.Abs(float64(gotHi)-hi/weight) > allowed {
			t.Fatalf("bounds [%v, %v], want [%v, %v]", gotLo, gotHi, lo/weight, hi/weight)
		}
	})
}

// TestAveragedStart: the first observation is the range, whatever the decay;
// after calibration (weight 1) the average goes on fully formed.
func TestAveragedStart(t *testing.T) {
	for _, decay := range []float32{0, 0.9, 0.99} {
		first, err := Range{}.Averaged(-2, 6, decay)
		if err != nil {
			t.Fatal(err)
		}
		// A product and a quotient by the same number: at most one unit in the last place.
		if lo, hi := first.Bounds(); math.Abs(float64(lo)+2) > 2*0x1p-23 || math.Abs(float64(hi)-6) > 6*0x1p-23 {
			t.Errorf("decay %v: the first range is [%v, %v]", decay, lo, hi)
		}
		next, err := Range{Min: -2, Max: 6, Weight: 1}.Averaged(0, 0, decay)
		if err != nil || next.Weight != 1 || next.Max != 6*decay {
			t.Errorf("decay %v: after calibration %v, %v", decay, next, err)
		}
	}
	if (Range{}).Known() {
		t.Error("nothing was observed, yet the range is known")
	}
}
