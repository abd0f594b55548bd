package quant

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantizeMultiplier(t *testing.T) {
	for _, c := range []struct {
		real float64
		want Multiplier
	}{
		{0, Multiplier{}},
		{0.0023456789, Multiplier{1289550613, -8}},
		{0.5, Multiplier{1073741824, 0}},
		{1, Multiplier{1073741824, 1}},
		{1.0 / 256, Multiplier{1073741824, -7}},
		{3.7, Multiplier{1986422374, 2}},
		{0.9999999999, Multiplier{1073741824, 1}}, // the mantissa rounds up to 2^31
		{math.Ldexp(1, -32), Multiplier{1073741824, -31}},
		{math.Ldexp(1, -33), Multiplier{}},
		{1e-12, Multiplier{}},
	} {
		if got := QuantizeMultiplier(c.real); got != c.want {
			t.Errorf("QuantizeMultiplier(%v) = %v, want %v", c.real, got, c.want)
		}
	}
}

func TestMultiplierApply(t *testing.T) {
	const small = 0.0023456789
	const tie = 1.0 / 32
	for _, c := range []struct {
		real    float64
		x, want int32
	}{
		{small, 12345, 29},
		{small, 213, 1}, // 0.4996: the first of the two roundings makes it a tie
		{small, -213, -1},
		{tie, 16, 1},
		{tie, -16, -1},
		{tie, -48, -2},
		{tie, 80, 3},
		{tie, -80, -3},
		{3.7, 10, 37},
		{0, 12345, 0},
		{math.Ldexp(1, -32), math.MinInt32, -1},
	} {
		if got := QuantizeMultiplier(c.real).Apply(c.x); got != c.want {
			t.Errorf("%v * %d = %d, want %d", c.real, c.x, got, c.want)
		}
	}
}

func TestSaturatingRoundingDoublingHighMul(t *testing.T) {
	for _, c := range []struct{ a, b, want int32 }{
		{math.MinInt32, math.MinInt32, math.MaxInt32},
		{math.MinInt32, math.MaxInt32, -math.MaxInt32},
		{1 << 30, 1, 1},  // 0.5 rounds up
		{-1 << 30, 1, 0}, // -0.5 rounds up as well
		{1<<30 - 1, 1, 0},
		{-1<<30 - 1, 1, -1},
	} {
		if got := SaturatingRoundingDoublingHighMul(c.a, c.b); got != c.want {
			t.Errorf("%d, %d: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// floorDiv returns floor(a / 2^n) without a shift.
func floorDiv(a *big.Int, n int) *big.Int {
	return new(big.Int).Div(a, new(big.Int).Lsh(big.NewInt(1), uint(n))) // Euclidean: floor for a positive divisor
}

func TestHighMulIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int32().Draw(t, "a"), rapid.Int32().Draw(t, "b")
		want := new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(b)))
		want = floorDiv(want.Add(want, big.NewInt(1<<30)), 31)
		if want.Cmp(big.NewInt(math.MaxInt32)) > 0 {
			want.SetInt64(math.MaxInt32)
		}
		if got := SaturatingRoundingDoublingHighMul(a, b); int64(got) != want.Int64() {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

func TestRoundingDivideIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, n := rapid.Int32().Draw(t, "x"), rapid.IntRange(0, 31).Draw(t, "exponent")
		if rapid.Bool().Draw(t, "tie") && n > 0 {
			x = x>>n<<n | 1<<(n-1)
		}
		// x/2^n is exact in float64, and Round is half away from zero.
		want := math.Round(math.Ldexp(float64(x), -n))
		if got := RoundingDivideByPOT(x, n); float64(got) != want {
			t.Fatalf("got %d, want %v", got, want)
		}
	})
}

func TestMultiplierProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fraction := rapid.Float64Range(0.5, 1).Draw(t, "fraction")
		real := math.Ldexp(fraction, rapid.IntRange(-30, 4).Draw(t, "exponent"))
		m := QuantizeMultiplier(real)
		if m.Mantissa < 1<<30 {
			t.Fatalf("mantissa %d is not normalized", m.Mantissa)
		}
		// Half a unit of the 31-bit mantissa, relative to a fraction of at least a half.
		if d := math.Abs(m.Real() - real); d > real*math.Ldexp(1, -31) {
			t.Fatalf("%v stands for %v, off by %v", m, m.Real(), d)
		}

		limit := int32(math.MaxInt32)
		if m.Exponent > 0 {
			limit >>= m.Exponent // beyond it the left shift wraps
		}
		x := rapid.Int32Range(-limit, limit).Draw(t, "x")
		y := rapid.Int32Range(-limit, limit).Draw(t, "y")
		// Half a unit for the rounding of the high product. A right shift scales
		// that down and adds half a unit of its own. The last term is the float64
		// product below, of at most 2^31.
		bound := 0.5 + math.Ldexp(1, 31-53)
		if m.Exponent < 0 {
			bound += math.Ldexp(0.5, m.Exponent)
		}
		if d := math.Abs(float64(m.Apply(x)) - float64(x)*m.Real()); d > bound {
			t.Fatalf("%d * %v = %d, off by %v", x, m.Real(), m.Apply(x), d)
		}
		if (x <= y) != (m.Apply(x) <= m.Apply(y)) && m.Apply(x) != m.Apply(y) {
			t.Fatalf("not monotone: %d -> %d, %d -> %d", x, m.Apply(x), y, m.Apply(y))
		}
	})
}

func BenchmarkMultiplierApply(b *testing.B) {
	m := QuantizeMultiplier(0.0023456789)
	var sum int32
	for i := range b.N {
		sum += m.Apply(int32(i))
	}
	_ = sum
}

// The published code of the kernels gives these.
func TestApply64(t *testing.T) {
	m := QuantizeMultiplier(0.0023456789)
	for x, want := range map[int64]int32{12345678: 28959, -12345678: -28959, 0: 0} {
		if got := m.Apply64(x); got != want {
			t.Errorf("%d times 0.0023456789 is %d, want %d", x, got, want)
		}
	}
	half := QuantizeMultiplier(1.0 / 32) // ties go up
	for x, want := range map[int64]int32{16: 1, -16: 0, 48: 2, -48: -1, 15: 0, -17: -1} {
		if got := half.Apply64(x); got != want {
			t.Errorf("%d/32 is %d, want %d", x, got, want)
		}
	}
	if got := (Multiplier{Mantissa: math.MaxInt32}).Apply64(1 << 20); got != 32767<<5 {
		t.Errorf("a factor just below one makes %d of 2^20", got)
	}
}
