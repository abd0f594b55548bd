package q8

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/quant"
)

// The checksums are those of the reference kernel of tflite-micro, as in
// golden_test.go.
func TestMeanGolden(t *testing.T) {
	const inner = 32
	for _, c := range []struct {
		count int
		want  uint32
	}{{7, 0x7d8128d1}, {49, 0x9af939a5}, {64, 0x98f4a2b4}, {100, 0x21150a6c}} {
		src := make([]int8, c.count*inner)
		for i := range src {
			n, k := i/inner, i%inner
			src[i] = int8((37*n+11*k*(n%5+1))%256 - 128)
		}
		m, err := NewMean(MeanSpec{Count: c.count, Inner: inner, Input: quant.PerTensor(.05, -3), Output: quant.PerTensor(.07, -11)})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, inner)
		if m.Run(got, src, 1); crc(got) != c.want {
			t.Errorf("%d codes: checksum %08x, want %08x", c.count, crc(got), c.want)
		}
	}
}

// The formula, code by code.
func TestMean(t *testing.T) { rapid.Check(t, meanConforms) }

func FuzzMean(f *testing.F) { atEveryLevel(f, meanConforms) }

func meanConforms(t *rapid.T) {
	s := MeanSpec{
		Count: rapid.IntRange(1, 70).Draw(t, "count"), Inner: drawChannels(t, "inner"),
		Input: drawTensor(t, "input"), Output: drawTensor(t, "output"), Profile: profiles.Draw(t, "profile"),
	}
	rows := rapid.SampledFrom([]int{1, 3, 200}).Draw(t, "rows")
	src := drawCodes(t, rows*s.Count*s.Inner, "input")
	m, err := NewMean(s)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]int8, rows*s.Inner), make([]int8, rows*s.Inner)
	m.Run(got, src, rows)
	whole := quant.QuantizeMultiplier(float64(s.Input.Scale[0]) / float64(s.Output.Scale[0]))
	shift := 0
	for 2<<shift <= s.Count && shift < 31+whole.Exponent {
		shift++
	}
	part := quant.Multiplier{Mantissa: int32(int64(whole.Mantissa) * (1 << shift) / int64(s.Count)), Exponent: whole.Exponent - shift}
	for i := range want {
		sum := int32(0)
		for n := range s.Count {
			sum += int32(src[(i/s.Inner*s.Count+n)*s.Inner+i%s.Inner]) - s.Input.ZeroPoint[0]
		}
		if want[i] = int8(GridOf[int8]().Clamp(part.Apply(sum) + s.Output.ZeroPoint[0])); s.Profile == XNNPACK {
			// Once around less zero points, which are multiplied by the factor themselves.
			k, n := float32(s.Input.Scale[0]/s.Output.Scale[0])*float32(1/float32(s.Count)), int32(s.Count)*s.Input.ZeroPoint[0]
			zero := float32(s.Output.ZeroPoint[0]) - float32(float32(n)*k)
			want[i] = int8(min(max(math.RoundToEven(float64(float32(float32(sum+n)*k)+zero)), -128), 127))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
}

// Fixed point stays within a step of the real mean, and the mean of one code on
// one scale is that code.
func TestMeanIsAMean(t *testing.T) {
	one, err := NewMean(MeanSpec{Count: 1, Inner: 256, Input: quant.PerTensor(.3, 9), Output: quant.PerTensor(.3, 9)})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, 256)
	if one.Run(got, allCodes(), 1); !slices.Equal(got, allCodes()) {
		t.Errorf("the mean of one code: %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 4000).Draw(t, "count")
		in, out := drawTensor(t, "input"), drawTensor(t, "output")
		src := drawCodes(t, count, "input")
		m, err := NewMean(MeanSpec{Count: count, Inner: 1, Input: in, Output: out})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, 1)
		m.Run(got, src, 1)
		sum := 0.0
		for _, q := range src {
			sum += float64(quant.Value(int32(q), in.Scale[0], in.ZeroPoint[0]))
		}
		want := quant.Code(float32(sum/float64(count)), out.Scale[0], out.ZeroPoint[0], GridOf[int8]())
		if d := int32(got[0]) - want; d < -1 || d > 1 {
			t.Fatalf("code %d, the real mean has %d", got[0], want)
		}
	})
}

func TestMeanErrors(t *testing.T) {
	p := quant.PerTensor(1, 0)
	for _, c := range []struct {
		spec MeanSpec
		want string
	}{
		{MeanSpec{Count: 0, Inner: 1, Input: p, Output: p}, "q8: mean: rows [0, 1], want 1 to 8388608 codes in each of 1 or more means"},
		{MeanSpec{Count: maxCount + 1, Inner: 1, Input: p, Output: p}, "q8: mean: rows [8388609, 1], want 1 to 8388608 codes in each of 1 or more means"},
		{MeanSpec{Count: 4, Inner: 0, Input: p, Output: p}, "q8: mean: rows [4, 0], want 1 to 8388608 codes in each of 1 or more means"},
		{MeanSpec{Count: 4, Inner: 1, Input: p, Output: quant.PerTensor(1, 300)}, "q8: mean: zero point 300 of the output is outside [-128, 127]"},
	} {
		if _, err := NewMean(c.spec); fmt.Sprint(err) != c.want {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
