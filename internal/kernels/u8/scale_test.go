package u8

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestConvert holds every byte at every place to the quotient, by many divisors.
func TestConvert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		divisor := rapid.OneOf(rapid.SampledFrom([]float32{1, 2, 127.5, 128, 255, 256}), rapid.Float32Range(1e-30, 1e30)).Draw(t, "divisor")
		src := rapid.SliceOfN(rapid.Uint8(), 0, 100).Draw(t, "bytes")
		s := NewScale(divisor)
		dst := make([]float32, len(src)+1)
		dst[len(src)] = -1
		Prefetch(src)
		s.Convert(dst[:len(src)], src)
		for i, b := range src {
			if want := float32(b) / divisor; dst[i] != want || s.Value(b) != want {
				t.Fatalf("byte %d of %d: %d by %v is %v, Value %v, want %v", i, len(src), b, divisor, dst[i], s.Value(b), want)
			}
		}
		if dst[len(src)] != -1 {
			t.Fatal("written behind the end")
		}
	})
}

// TestVectors: the usual divisors take the routine where there is one, and one whose inverse is no number does not.
func TestVectors(t *testing.T) {
	has := convert(make([]float32, 16), make([]uint8, 16), 1, 0) == 16
	for divisor, want := range map[float32]bool{255: true, 127.5: true, 1: true, 1e-40: false} {
		if got := NewScale(divisor).vectors; got != (want && has) {
			t.Errorf("divisor %v: %v", divisor, got)
		}
	}
}

// BenchmarkConvert reads shuffled images of 28x28 from 47 MB.
func BenchmarkConvert(b *testing.B) {
	const size, rows = 784, 60_000
	x, dst := make([]uint8, size*rows), make([]float32, size)
	for i := range x {
		x[i] = uint8(i)
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(rows)
	for _, vectors := range []bool{true, false} {
		b.Run(fmt.Sprintf("vectors=%v", vectors), func(b *testing.B) {
			s := NewScale(255)
			s.vectors = s.vectors && vectors
			b.SetBytes(size)
			for n := 0; b.Loop(); n++ {
				next := order[(n+4)%rows]
				Prefetch(x[size*next:][:size])
				s.Convert(dst, x[size*order[n%rows]:][:size])
			}
		})
	}
}
