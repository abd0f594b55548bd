package trig

import (
	"fmt"
	"hash/crc32"
	"math"
	"testing"
)

// TestSincos holds the series to package math: both are within a few units in the last place of numbers up to 1,
// and the reduction of math's argument in radians adds as much.
func TestSincos(t *testing.T) {
	const tolerance = 8 * 0x1p-53
	for i := -3000; i <= 3000; i++ {
		turns := float64(i) / 1000
		sin, cos := Sincos(turns)
		wantSin, wantCos := math.Sincos(2 * math.Pi * math.Mod(turns, 1))
		if math.Abs(sin-wantSin) > tolerance || math.Abs(cos-wantCos) > tolerance {
			t.Errorf("%v turns: %v, %v, want %v, %v", turns, sin, cos, wantSin, wantCos)
		}
		if Sin(turns) != sin {
			t.Errorf("Sin(%v) is %v, want %v", turns, Sin(turns), sin)
		}
	}
}

func TestQuarterTurnsAreExact(t *testing.T) {
	for q, want := range [][2]float64{{0, 1}, {1, 0}, {0, -1}, {-1, 0}} {
		for _, whole := range []float64{-2, 0, 1, 1e6} {
			if sin, cos := Sincos(whole + float64(q)/4); sin != want[0] || cos != want[1] {
				t.Errorf("%d quarters: %v, %v, want %v", q, sin, cos, want)
			}
		}
	}
	if sin, cos := Sincos(math.Inf(1)); sin == sin || cos == cos {
		t.Errorf("an infinite angle gives %v, %v", sin, cos)
	}
}

// TestGolden pins the bits: they must not differ between architectures.
func TestGolden(t *testing.T) {
	sum := crc32.NewIEEE()
	for i := range 10_000 {
		sin, cos := Sincos(float64(i) / 9973)
		fmt.Fprintf(sum, "%x %x\n", math.Float64bits(sin), math.Float64bits(cos))
	}
	if got := sum.Sum32(); got != 0x98593776 {
		t.Errorf("checksum is %#x", got)
	}
}
