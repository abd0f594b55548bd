package q8

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/quant"
)

// requantized is what routines make of an accumulator that begins at the lane's
// start, before the clamp. unit is what the correction of signs adds.
func (l lane) requantized(acc int32, signed bool, unit int32) int32 {
	v := int32(uint64(uint32(acc))*uint64(uint32(l[fieldEven]))>>32) + l[fieldAdd]
	if signed && v > l[fieldAbove] {
		v += unit
	}
	return v >> l[fieldShift]
}

// TestLanes holds the constants of lanes to the formulas, at accumulators where codes
// change and elsewhere.
func TestLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := drawTensor(t, "input"), drawTensor(t, "output")
		weight := rapid.Float32Range(1e-4, .1).Draw(t, "weight scale")
		activation := activations.Draw(t, "activation")
		bias := rapid.Int32Range(-1<<20, 1<<20).Draw(t, "bias")
		sum := rapid.Int64Range(1, 1<<24).Draw(t, "sum")
		fixed := newRescaler(in, out, []float32{weight}, activation)
		factors := newRealRescaler(in, out, []float32{weight}, activation)
		factor := factors.factors[0]
		raised, raisedOK := fixed.newRaisedLane(0, bias, sum)
		plain, plainOK := fixed.newLane(0, bias, sum)
		single, singleOK := factors.newLane(0, bias, sum)
		for range 50 {
			acc := int64(bias) + rapid.Int64Range(-sum, sum).Draw(t, "sum of products")
			if rapid.Bool().Draw(t, "at a change") {
				k := rapid.Int32Range(-256, 256).Draw(t, "code")
				change := int64(math.Ceil((float64(k)-.5)/factor)) + rapid.Int64Range(-1, 1).Draw(t, "beside")
				if change >= int64(bias)-sum && change <= int64(bias)+sum {
					acc = change
				}
			}
			check := func(name string, ok bool, l lane, start int64, r *rescaler, unit int32) {
				if !ok {
					return
				}
				got := r.clamp.Clamp(l.requantized(int32(start), r.correctsSign(), unit))
				if want := int32(r.code(int32(acc), 0)); got != want {
					t.Fatalf("%s: factor %v: code %d of accumulator %d, want %d", name, factor, got, acc, want)
				}
			}
			check("plain", plainOK, plain, acc-int64(bias)+int64(plain[fieldStart]), &fixed, 1)
			check("raised", raisedOK, raised, acc<<raisedBits+1<<31, &fixed, 1<<raisedBits)
			check("real", singleOK, single, acc-int64(bias)+int64(single[fieldStart]), &factors, 0)
		}
	})
}

// TestRealLanesAreUsual counts for how many factors that layers may have routines
// can round as LiteRT's fully-connected operator does.
func TestRealLanesAreUsual(t *testing.T) {
	in, out := quant.PerTensor(.05, -128), quant.PerTensor(.1, -128)
	used := 0
	const factors = 1000
	for i := range factors {
		r := newRealRescaler(in, out, []float32{.002 * float32(math.Pow(1.005, float64(i%500))) * (1 + float32(i)/factors)}, quant.NoActivation)
		if _, ok := r.newLane(0, 1000, 1<<20); ok {
			used++
		}
	}
	if used < factors*99/100 {
		t.Errorf("%d of %d factors", used, factors)
	}
}

// TestChangesAlike holds the search for ties beside accumulators to a comparison of
// codes at the accumulators beside every tie.
func TestChangesAlike(t *testing.T) {
	outcomes := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		factor := math.Exp(rapid.Float64Range(-14, -1).Draw(t, "log of the factor"))
		exact := rapid.Bool().Draw(t, "ties at accumulators") // which may be refused in any case
		if exact {
			factor = 1 / math.Round(1/factor)
		}
		m := quant.QuantizeMultiplier(factor)
		mantissa := int64(m.Mantissa) + rapid.Int64Range(-3, 3).Draw(t, "off")
		if m.Exponent > -1 || mantissa > math.MaxInt32 {
			return
		}
		low, high := rapid.Int32Range(-255, 0).Draw(t, "low"), rapid.Int32Range(0, 255).Draw(t, "high")
		want := true
		for k := low + 1; k <= high; k++ {
			first := int64(math.Ceil((float64(k) - .5) / factor))
			for acc := first - 2; acc <= first+2; acc++ {
				once := (acc*mantissa>>(30-m.Exponent) + 1) >> 1
				want = want && (math.Round(float64(acc)*factor) >= float64(k)) == (once >= int64(k))
			}
		}
		outcomes[want]++
		if got := changesAlike(factor, mantissa, -m.Exponent, low, high); got != want && (got || !exact) {
			t.Fatalf("factor %v, mantissa %d, codes (%d, %d]: %v, want %v", factor, mantissa, low, high, got, want)
		}
	})
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("outcomes %v: not both", outcomes)
	}
}

// TestWeightSums compares with plain sums, for so many of the lowest weight that sums
// of 16 bits fill up, too.
func TestWeightSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int8(), 0, 40).Draw(t, "weights")
		for range rapid.IntRange(0, 5000).Draw(t, "lowest") {
			weights = append(weights, -128)
		}
		want, magnitudes := int32(0), int64(0)
		for _, w := range weights {
			want += int32(w)
			magnitudes += max(int64(w), -int64(w))
		}
		if sum, magnitude := weightSums(weights); sum != want || magnitude != magnitudes {
			t.Fatalf("%d and %d, want %d and %d", sum, magnitude, want, magnitudes)
		}
	})
}
