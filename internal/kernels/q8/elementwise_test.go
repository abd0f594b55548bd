package q8

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// TestRequantizeShift holds the conversion between int8 and uint8 of the same
// real numbers to what it amounts to: flipping the sign bit.
func TestRequantizeShift(t *testing.T) {
	toUnsigned, err := NewRequantize[int8, uint8](quant.PerTensor(.3, -7), quant.PerTensor(.3, 121), LiteRT)
	if err != nil {
		t.Fatal(err)
	}
	toSigned, err := NewRequantize[uint8, int8](quant.PerTensor(.3, 121), quant.PerTensor(.3, -7), LiteRT)
	if err != nil {
		t.Fatal(err)
	}
	codes, shifted, back := allCodes(), make([]uint8, 256), make([]int8, 256)
	toUnsigned.Run(shifted, codes)
	for i, q := range codes {
		if want := uint8(q) ^ 0x80; shifted[i] != want {
			t.Errorf("%d: %d, want %d", q, shifted[i], want)
		}
	}
	if toSigned.Run(back, shifted); !slices.Equal(back, codes) {
		t.Errorf("back: %v", back)
	}
}

func TestRelu(t *testing.T) {
	in, out := quant.PerTensor(.05, -3), quant.PerTensor(.1, -11)
	src := []int8{-128, -4, -3, -2, 7, 116, 117, 118, 127}
	for _, c := range []struct {
		activation quant.Activation
		profile    Profile
		want       []int8
	}{
		{quant.Relu, LiteRT, []int8{-11, -11, -11, -10, -6, 49, 49, 50, 54}}, // at exponent 0 half a step rounds up, also below zero
		{quant.Relu, TFLM, []int8{-11, -11, -11, -10, -6, 49, 49, 50, 54}},
		{quant.Relu6, LiteRT, []int8{-11, -11, -11, -10, -6, 49, 49, 49, 49}},
		{quant.Relu6, TFLM, []int8{-3, -3, -3, -2, 7, 116, 117, 117, 117}}, // clamps the input codes
		{quant.ReluN1To1, LiteRT, []int8{-21, -11, -11, -10, -6, -1, -1, -1, -1}},
	} {
		r, err := NewRelu(c.activation, in, out, c.profile)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int8, len(src))
		if r.Run(got, src); !slices.Equal(got, c.want) {
			t.Errorf("activation %d, profile %d: %v, want %v", c.activation, c.profile, got, c.want)
		}
	}
}

// TestReluPrecision: 2 * 0.7/0.4 is 3.5 or a little less; with the quotient
// rounded to float32 it is a little more.
func TestReluPrecision(t *testing.T) {
	r, err := NewRelu(quant.Relu, quant.PerTensor(.7, 0), quant.PerTensor(.4, 0), LiteRT)
	if err != nil {
		t.Fatal(err)
	}
	var got [1]int8
	if r.Run(got[:], []int8{2}); got[0] != 4 {
		t.Errorf("%d, want 4", got[0])
	}
}

func TestQuantize(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	src := []float32{0, .25, -.25, .2499999, 63, 64, -100, inf, -inf, nan}
	signed, unsigned := make([]int8, len(src)), make([]uint8, len(src))
	Quantize(signed, src, quant.PerTensor(.5, 1), LiteRT)
	if want := []int8{1, 2, 0, 1, 127, 127, -128, 127, -128, -128}; !slices.Equal(signed, want) {
		t.Errorf("int8: %v, want %v", signed, want)
	}
	Quantize(unsigned, src, quant.PerTensor(.5, 129), LiteRT)
	if want := []uint8{129, 130, 128, 129, 255, 255, 0, 255, 0, 0}; !slices.Equal(unsigned, want) {
		t.Errorf("uint8: %v, want %v", unsigned, want)
	}
	values := make([]float32, 3)
	Dequantize(values, []uint8{129, 0, 255}, quant.PerTensor(.5, 129))
	if want := []float32{0, -64.5, 63}; !slices.Equal(values, want) {
		t.Errorf("values: %v, want %v", values, want)
	}
}

func TestMaxPool(t *testing.T) {
	p, err := NewMaxPool2D(PoolSpec{
		Window:    Window{Window: window.Window{Input: [2]int{3, 3}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, Channels: 2},
		Quantized: quant.PerTensor(1, -40), Activation: quant.Relu,
	})
	if err != nil {
		t.Fatal(err)
	}
	image := []int8{ // two channels, the second the first's negative
		1, -1, 2, -2, 3, -3,
		4, -4, 5, -5, 6, -6,
		-70, 70, -80, 80, -90, 90,
	}
	got := make([]int8, 16)
	p.Run(got, append(slices.Clone(image), image...), 2)
	want := []int8{5, -1, 6, -3, -40, 80, -40, 90}
	if !slices.Equal(got, append(slices.Clone(want), want...)) {
		t.Errorf("%v, want %v twice", got, want)
	}
}

// TestAveragePoolRounds checks the mean of two codes over all pairs: half away
// from zero, not toward the zero point.
func TestAveragePoolRounds(t *testing.T) {
	p, err := NewAveragePool2D(PoolSpec{
		Window:    Window{Window: window.Window{Input: [2]int{1, 2}, Output: [2]int{1, 1}, Kernel: [2]int{1, 2}}, Channels: 1},
		Quantized: quant.PerTensor(1, 17),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range allCodes() {
		for _, b := range allCodes() {
			var got [1]int8
			p.Run(got[:], []int8{a, b}, 1)
			if want := math.Round((float64(a) + float64(b)) / 2); float64(got[0]) != want {
				t.Fatalf("mean of %d and %d: %d, want %v", a, b, got[0], want)
			}
		}
	}
}

// TestPoolSkipsOutside pools a constant image: padding must not show.
func TestPoolSkipsOutside(t *testing.T) {
	for _, make2D := range []func(PoolSpec) (*Pool[int8], error){NewMaxPool2D, NewAveragePool2D} {
		rapid.Check(t, func(t *rapid.T) {
			w := Window{Channels: rapid.IntRange(1, 5).Draw(t, "channels")}
			for axis := range 2 {
				w.Input[axis] = rapid.IntRange(1, 8).Draw(t, "input")
				w.Kernel[axis] = rapid.IntRange(1, 4).Draw(t, "kernel")
				w.Stride[axis] = rapid.IntRange(1, 3).Draw(t, "stride")
				w.Pad[axis] = rapid.IntRange(0, w.Kernel[axis]-1).Draw(t, "pad")
				w.Output[axis] = (w.Input[axis]-1+w.Pad[axis])/w.Stride[axis] + 1
			}
			p, err := make2D(PoolSpec{Window: w, Quantized: quant.PerTensor(1, 0)})
			if err != nil {
				t.Fatal(err)
			}
			code := rapid.Int8().Draw(t, "code")
			src, dst := make([]int8, w.inputSize()), make([]int8, w.Positions()*w.Channels)
			fill(src, code)
			p.Run(dst, src, 1)
			for i, q := range dst {
				if q != code {
					t.Fatalf("output %d is %d, want %d", i, q, code)
				}
			}
		})
	}
}
