package rng

import (
	"math"
	"math/bits"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGolden pins values of every method. They are a promise: a change here changes every trained model.
func TestGolden(t *testing.T) {
	if got, want := Key(1, 2, 3), uint64(0x57ff3bac093b3797); got != want {
		t.Errorf("Key(1, 2, 3) = %#x, want %#x", got, want)
	}
	if got, want := At(1, 2), uint64(0xce55bc67e1c3d116); got != want {
		t.Errorf("At(1, 2) = %#x, want %#x", got, want)
	}
	s := New(42, 7)
	got := []float64{
		float64(s.Float32()), s.Float64(), s.Normal(), s.Normal(), s.TruncatedNormal(),
		float64(s.IntN(10)), float64(s.IntN(1_000_000)),
	}
	want := []float64{
		0.21313881874084473, 0.2882166191617126, 0.2764858219859998, 1.1418107288485948, 0.606021058002475,
		1, 917657,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stream values differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{9, 2, 5, 7, 6, 1, 0, 8, 3, 4}, s.Perm(10)); diff != "" {
		t.Errorf("Perm(10) differs (-want +got):\n%s", diff)
	}
}

func TestPathsAreDistinct(t *testing.T) {
	paths := [][]uint64{{}, {0}, {0, 0}, {1}, {0, 1}, {1, 0}, {1, 1}, {2}, {gamma}, {math.MaxUint64}}
	seen := map[uint64][]uint64{}
	for seed := range uint64(100) {
		for _, path := range paths {
			key := Key(seed, path...)
			if other, ok := seen[key]; ok {
				t.Fatalf("seed %d path %v has the key of %v", seed, path, other)
			}
			seen[key] = append([]uint64{seed}, path...)
		}
	}
}

func TestStreamIsAt(t *testing.T) {
	s := New(9, 1, 2)
	for i := range uint64(100) {
		if got, want := s.Uint64(), At(Key(9, 1, 2), i); got != want {
			t.Fatalf("value %d is %#x, At gives %#x", i, got, want)
		}
	}
}

func TestRestoreContinues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(0, 50).Draw(t, "before") {
			s.Normal()
		}
		r := Restore(s.State())
		for i := range 20 {
			if a, b := s.TruncatedNormal(), r.TruncatedNormal(); a != b {
				t.Fatalf("value %d after restoring is %v, want %v", i, b, a)
			}
		}
	})
}

func TestPermIsPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-3, 200).Draw(t, "n")
		p := New(rapid.Uint64().Draw(t, "seed")).Perm(n)
		if len(p) != max(n, 0) {
			t.Fatalf("Perm(%d) has %d elements", n, len(p))
		}
		seen := make([]bool, len(p))
		for _, v := range p {
			if v < 0 || v >= n || seen[v] {
				t.Fatalf("%v is no permutation", p)
			}
			seen[v] = true
		}
	})
}

// TestPermUniform counts all 24 orders of four elements. Chi-squared with 23 degrees of freedom stays below
// 49.7 with probability 0.999; the seed is fixed.
func TestPermUniform(t *testing.T) {
	const rounds = 24_000
	s := New(5)
	counts := map[[4]int]int{}
	for range rounds {
		counts[[4]int(s.Perm(4))]++
	}
	chi := 0.0
	for _, c := range counts {
		d := float64(c) - rounds/24
		chi += d * d / (rounds / 24)
	}
	if len(counts) != 24 || chi > 49.7 {
		t.Errorf("%d orders seen, chi-squared %.1f", len(counts), chi)
	}
}

// TestBits checks each of the 64 output bits over the counter, over the key, over the seed and over the last
// path element: frequency and correlation with the next value. A fair bit over n draws has a standard
// deviation of sqrt(n)/2; 5 of them are exceeded once in 1.7 million, and there are 640 checks.
func TestBits(t *testing.T) {
	const n = 20_000
	limit := 5 * math.Sqrt(n) / 2
	for name, at := range map[string]func(i uint64) uint64{
		"counter":      func(i uint64) uint64 { return At(0, i) },
		"high counter": func(i uint64) uint64 { return At(1, i<<40) },
		"key":          func(i uint64) uint64 { return At(i, 0) },
		"seed":         func(i uint64) uint64 { return New(i).Uint64() },
		"path":         func(i uint64) uint64 { return New(1, 2, i).Uint64() },
	} {
		var ones, same [64]int
		for i := range uint64(n) {
			v := at(i)
			agree := ^(v ^ at(i+1))
			for bit := range 64 {
				ones[bit] += int(v >> bit & 1)
				same[bit] += int(agree >> bit & 1)
			}
		}
		for bit := range 64 {
			if d := math.Abs(float64(ones[bit]) - n/2); d > limit {
				t.Errorf("%s: bit %d is set %d times of %d", name, bit, ones[bit], n)
			}
			if d := math.Abs(float64(same[bit]) - n/2); d > limit {
				t.Errorf("%s: bit %d repeats %d times of %d", name, bit, same[bit], n)
			}
		}
	}
}

// TestAvalanche flips single bits of the key and of the counter: on average half of the output changes. The
// mean of 64*1000 distances of 64 fair bits has a standard deviation of 4/sqrt(64000) = 0.016.
func TestAvalanche(t *testing.T) {
	var byKey, byCounter int
	for i := range uint64(1000) {
		v := At(i, i*i)
		for bit := range 64 {
			byKey += bits.OnesCount64(v ^ At(i^1<<bit, i*i))
			byCounter += bits.OnesCount64(v ^ At(i, i*i^1<<bit))
		}
	}
	for name, total := range map[string]int{"key": byKey, "counter": byCounter} {
		if mean := float64(total) / 64_000; math.Abs(mean-32) > 5*0.016 {
			t.Errorf("flipping a bit of the %s changes %.3f bits on average", name, mean)
		}
	}
}

// TestUniform holds the empirical distribution of Float32, Float64 and IntN against the uniform one by
// chi-squared over 100 cells; with 99 degrees of freedom it stays below 148.2 with probability 0.999.
func TestUniform(t *testing.T) {
	for name, draw := range map[string]func(s *Stream) float64{
		"Float32": func(s *Stream) float64 { return float64(s.Float32()) },
		"Float64": (*Stream).Float64,
		"IntN":    func(s *Stream) float64 { return float64(s.IntN(1000)) / 1000 },
	} {
		s := New(3)
		const n = 100_000
		var counts [100]int
		for range n {
			x := draw(s)
			if x < 0 || x >= 1 {
				t.Fatalf("%s returned %v", name, x)
			}
			counts[int(x*100)]++
		}
		chi := 0.0
		for _, c := range counts {
			d := float64(c) - n/100
			chi += d * d / (n / 100)
		}
		if chi > 148.2 {
			t.Errorf("%s: chi-squared %.1f", name, chi)
		}
	}
}

func TestIntNSmall(t *testing.T) {
	s := New(1)
	for _, n := range []int{-1, 0, 1} {
		if got := s.IntN(n); got != 0 || s.State().Counter != 0 {
			t.Errorf("IntN(%d) = %d at counter %d", n, got, s.State().Counter)
		}
	}
}

// TestNormal holds moments and the empirical distribution function against the exact ones. Standard errors
// over n draws: mean 1/sqrt(n), variance sqrt(2/n), third moment sqrt(15/n), fourth sqrt(96/n); the
// Kolmogorov distance stays below 1.95/sqrt(n) with probability 0.999.
func TestNormal(t *testing.T) {
	const n = 100_000
	s := New(11)
	var m [5]float64
	var below [81]int // counts of x < -4 + i/10
	for range n {
		x := s.Normal()
		p := 1.0
		for k := range m {
			m[k] += p / n
			p *= x
		}
		for i := range below {
			if x < -4+float64(i)/10 {
				below[i]++
			}
		}
	}
	for k, want := range map[int]float64{1: 0, 2: 1, 3: 0, 4: 3} {
		sigma := math.Sqrt(map[int]float64{1: 1, 2: 2, 3: 15, 4: 96}[k] / n)
		if math.Abs(m[k]-want) > 4*sigma {
			t.Errorf("moment %d is %v, want %v", k, m[k], want)
		}
	}
	for i, c := range below {
		x := -4 + float64(i)/10
		want := 0.5 * math.Erfc(-x/math.Sqrt2)
		if math.Abs(float64(c)/n-want) > 1.95/math.Sqrt(n) {
			t.Errorf("P(x < %.1f) is %v, want %v", x, float64(c)/n, want)
		}
	}
}

// TestTruncatedNormal: the variance of the standard normal cut at 2 is 1 - 4*phi(2)/(2*Phi(2)-1) = 0.7737;
// the standard error of its estimate is below sqrt(2/n).
func TestTruncatedNormal(t *testing.T) {
	const n = 50_000
	s := New(12)
	var square float64
	for range n {
		x := s.TruncatedNormal()
		if math.Abs(x) > 2 {
			t.Fatalf("drew %v", x)
		}
		square += x * x / n
	}
	if want := 0.87962566 * 0.87962566; math.Abs(square-want) > 4*math.Sqrt(2.0/n) {
		t.Errorf("variance %v, want %v", square, want)
	}
}

// TestLog: both sides are allowed a few roundings of the result; near 1 the relative error stays small too
// because the exponent is then zero and the series starts with the exact t.
func TestLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(1e-300, 1e300).Draw(t, "x")
		if got, want := log(x), math.Log(x); math.Abs(got-want) > 4e-16*math.Abs(want) {
			t.Fatalf("log(%v) = %v, want %v", x, got, want)
		}
	})
}

var sink uint64 // keeps the benchmarked work alive

func BenchmarkAt(b *testing.B) {
	b.ReportAllocs()
	for i := range b.N {
		sink += At(1, uint64(i))
	}
}
