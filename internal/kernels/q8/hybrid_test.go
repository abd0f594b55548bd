package q8

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

func TestQuantizeRows(t *testing.T) {
	for _, c := range []struct {
		name   string
		src    []float32
		codes  []int8
		scale  float32
		zero   int32
		codesA []int8
		scaleA float32
	}{
		{"zeros", []float32{0, 0}, []int8{0, 0}, 1, 0, []int8{0, 0}, 1},
		{"both signs", []float32{-1.27, 0, .635, 1.27}, []int8{-127, 0, 64, 127}, .01, -1, []int8{-128, -1, 63, 127}, 2.54 / 255},
		{"positive", []float32{0, 1, 255}, []int8{0, 0, 127}, 255. / 127, -128, []int8{-128, -127, 127}, 1},
		{"negative", []float32{-255, -1}, []int8{-127, 0}, 255. / 127, 127, []int8{-128, 126}, 1},
	} {
		codes := make([]int8, len(c.src))
		if scale := QuantizeSymmetric(codes, c.src); scale != c.scale || !slices.Equal(codes, c.codes) {
			t.Errorf("%s, symmetric: %v, scale %v; want %v, %v", c.name, codes, scale, c.codes, c.scale)
		}
		scale, zero := QuantizeAsymmetric(codes, c.src)
		if math.Abs(float64(scale-c.scaleA)) > 1e-6*float64(c.scaleA) || zero != c.zero || !slices.Equal(codes, c.codesA) {
			t.Errorf("%s, asymmetric: %v, scale %v, zero point %d; want %v, %v, %d", c.name, codes, scale, zero, c.codesA, c.scaleA, c.zero)
		}
	}
}

// TestQuantizeAsymmetricGolden has what LiteRT 2.3 on x86 gave for ties, which
// round away from zero before the zero point is added, and for a range whose
// width is not a float32.
func TestQuantizeAsymmetricGolden(t *testing.T) {
	ties := []float32{-100, 155, .5, -.5, 1.5, -1.5, 27.5, -27.5, 2.5}
	codes := make([]int8, len(ties))
	scale, zero := QuantizeAsymmetric(codes, ties)
	want := []int8{-128, 127, -27, -29, -26, -30, 0, -56, -25}
	if scale != 1 || zero != -28 || !slices.Equal(codes, want) {
		t.Errorf("%v, scale %v, zero point %d; want %v, 1, -28", codes, scale, zero, want)
	}
	if scale, _ := QuantizeAsymmetric(codes, []float32{-.916, .517}); scale != .0056196083 {
		t.Errorf("scale %v, want 0.0056196083", scale)
	}
}

// TestBelowHalf has the number before a half, which eight at a time LiteRT rounds
// up; the oracle test of the same name compares.
func TestBelowHalf(t *testing.T) {
	src := []float32{belowHalf, -belowHalf, 127, .5, -.5, .25, -100, -128, belowHalf, -belowHalf, .5}
	codes := make([]int8, len(src))
	scale, zero := QuantizeAsymmetric(codes, src)
	if want := []int8{1, -1, 127, 1, -1, 0, -100, -128, 0, 0, 1}; scale != 1 || zero != 0 || !slices.Equal(codes, want) {
		t.Errorf("asymmetric: %v, scale %v, zero point %d; want %v, 1, 0", codes, scale, zero, want)
	}
	src[7] = -127
	scale = QuantizeSymmetric(codes, src)
	if want := []int8{1, -1, 127, 1, -1, 0, -100, -127, 0, 0, 1}; scale != 1 || !slices.Equal(codes, want) {
		t.Errorf("symmetric: %v, scale %v; want %v, 1", codes, scale, want)
	}
}

// TestZeroPointEnd has ranges whose two ends disagree on the zero point in the
// last bit of float64, next to a half: the end with the smaller error counts.
func TestZeroPointEnd(t *testing.T) {
	for _, c := range []struct {
		lo, hi float32
		want   int32
	}{{-11.625, 120.125, -106}, {-109.5, 109.5, -1}} {
		codes := make([]int8, 2)
		if _, zero := QuantizeAsymmetric(codes, []float32{c.lo, c.hi}); zero != c.want {
			t.Errorf("[%v, %v]: zero point %d, want %d", c.lo, c.hi, zero, c.want)
		}
	}
}

// dropTiny makes zeros of values so small that, alone in a row, the inverse of
// their scale overflows: the rule then gives codes without meaning.
func dropTiny(values []float32) []float32 {
	for i, v := range values {
		if math.Abs(float64(v)) < 1e-30 {
			values[i] = 0
		}
	}
	return values
}

// TestQuantizeRowProperties: zero is exact, the error at most half a step (a
// whole one with a rounded zero point) and what float32 loses computing the
// code; the asymmetric parameters are about those package quant gives the range.
func TestQuantizeRowProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := math.Pow(10, float64(rapid.IntRange(-6, 6).Draw(t, "magnitude")))
		src := rapid.SliceOfN(rapid.Float32Range(float32(-size), float32(size)), 1, 50).Draw(t, "row")
		src = append(dropTiny(src), 0)
		codes := make([]int8, len(src))
		check := func(name string, scale float32, zero int32) {
			if int32(codes[len(codes)-1]) != zero {
				t.Fatalf("%s: zero has the code %d, zero point %d", name, codes[len(codes)-1], zero)
			}
			for i, x := range src {
				y := quant.Value(int32(codes[i]), scale, zero)
				// Codes below 2^8 in float32 are off by at most 2^8 * 2^-23.
				if d := math.Abs(float64(x - y)); d > float64(scale)*(.5+0x1p-14) {
					t.Fatalf("%s: %v has the code %d, value %v, off by %v steps", name, x, codes[i], y, d/float64(scale))
				}
			}
		}
		check("symmetric", QuantizeSymmetric(codes, src), 0)

		scale, zero := QuantizeAsymmetric(codes, src)
		lo, hi := slices.Min(src), slices.Max(src)
		if lo == hi {
			return
		}
		wantScale, wantZero, err := quant.Asymmetric(lo, hi, GridOf[int8]())
		if err != nil {
			t.Fatal(err)
		}
		// The width of the range is rounded to float32 here and not there.
		off := math.Abs(float64(scale-wantScale)) > float64(wantScale)*0x1p-22
		if wantScale != quant.FloorScale && (off || max(zero-wantZero, wantZero-zero) > 1) {
			t.Fatalf("scale %v, zero point %d, package quant says %v, %d", scale, zero, wantScale, wantZero)
		}
		// Near an end of the range the rounded zero point may cost the end half a step more.
		for i, x := range src {
			if d := math.Abs(float64(x - quant.Value(int32(codes[i]), scale, zero))); d > float64(scale)*(1+0x1p-14) {
				t.Fatalf("asymmetric: %v is off by %v steps", x, d/float64(scale))
			}
		}
	})
}

// TestHybridByHand is small enough to check with a pencil.
func TestHybridByHand(t *testing.T) {
	weights := []int8{1, 2, -3, 4}
	perChannel := quant.Params{Scale: []float32{.5, .25}, ZeroPoint: []int32{0, 0}}
	for _, kernel := range []Kernel{Fast, Reference} {
		for _, c := range []struct {
			name       string
			weight     quant.Params
			asymmetric bool
			want       []float32
		}{
			// Row 127 -127 has scale 1; row 255 0 has scale 255/127, or 1 and zero point -128.
			{"symmetric", quant.PerTensor(.5, 0), false, []float32{10 - 63.5, 20 - 444.5, 10 + 127.5, 20 - 382.5}},
			{"asymmetric", quant.PerTensor(.5, 0), true, []float32{10 - 63.5, 20 - 444.5, 10 + 127.5, 20 - 382.5}},
			{"per channel", perChannel, true, []float32{10 - 63.5, 20 - 222.25, 10 + 127.5, 20 - 191.25}},
		} {
			f, err := NewHybridFullyConnected(HybridFullyConnectedSpec{
				Inputs: 2, Outputs: 2, Weight: c.weight, Asymmetric: c.asymmetric, Kernel: kernel,
			}, weights, []float32{10, 20})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, 4)
			f.Run(got, []float32{127, -127, 255, 0}, 2)
			for i := range got {
				// Asymmetric, 127 and -127 lie between codes of step 254/255.
				if math.Abs(float64(got[i]-c.want[i])) > 1 {
					t.Errorf("%s, kernel %d: %v, want about %v", c.name, kernel, got, c.want)
				}
			}
		}
	}
}

// TestHybridConvScheme: equal weight scales count as one scale, for which images
// are quantized symmetrically. 255 and 1 tell the schemes apart: 1 is half a
// step of 255/127, which rounds down, or one step of 255/255.
func TestHybridConvScheme(t *testing.T) {
	for _, c := range []struct {
		scales []float32
		want   float32
	}{
		{[]float32{.5}, 0},
		{[]float32{.5, .5}, 0},
		{[]float32{.5, .25}, .5},
	} {
		for _, kernel := range []Kernel{Fast, Reference} {
			conv, err := NewHybridConv2D(HybridConv2DSpec{
				Window:  Window{Window: window.Window{Input: [2]int{1, 1}, Output: [2]int{1, 1}, Kernel: [2]int{1, 1}}, Channels: 2},
				Outputs: 2, Weight: quant.Params{Scale: c.scales, ZeroPoint: make([]int32, len(c.scales))},
				Kernel: kernel,
			}, []int8{0, 1, 1, 0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, 2)
			if conv.Run(got, []float32{255, 1}, 1); got[0] != c.want {
				t.Errorf("scales %v, kernel %d: %v, want %v", c.scales, kernel, got[0], c.want)
			}
		}
	}
}

// TestHybridConvIsFullyConnected: a 1x1 convolution over one pixel is a fully
// connected layer, whose rows are quantized alike. The last bits may differ:
// the two multiply by the scales in different orders.
func TestHybridConvIsFullyConnected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch, inputs, outputs := rapid.IntRange(1, 5).Draw(t, "batch"), rapid.IntRange(1, 30).Draw(t, "inputs"), rapid.IntRange(1, 9).Draw(t, "outputs")
		weight := drawWeight(t, outputs)
		asymmetric := len(weight.Scale) > 1 && slices.Min(weight.Scale) != slices.Max(weight.Scale)
		weights := drawCodes(t, inputs*outputs, "weights")
		bias := drawReals(t, outputs, "bias")
		src := drawReals(t, batch*inputs, "input")
		f, err := NewHybridFullyConnected(HybridFullyConnectedSpec{
			Inputs: inputs, Outputs: outputs, Weight: weight, Asymmetric: asymmetric,
		}, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewHybridConv2D(HybridConv2DSpec{
			Window:  Window{Window: window.Window{Input: [2]int{1, 1}, Output: [2]int{1, 1}, Kernel: [2]int{1, 1}}, Channels: inputs},
			Outputs: outputs, Weight: weight,
		}, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		y, z := make([]float32, batch*outputs), make([]float32, batch*outputs)
		f.Run(y, src, batch)
		c.Run(z, src, batch)
		for i := range y {
			// Two products and a sum, each rounded to 24 bits, in both.
			size := math.Abs(float64(y[i])) + math.Abs(float64(bias[i%outputs]))
			if d := math.Abs(float64(y[i] - z[i])); d > 6*0x1p-24*size {
				t.Fatalf("output %d: %v and %v", i, y[i], z[i])
			}
		}
	})
}
