package q8

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// TestTransposeConvByHand is small enough to check with a pencil: a 2x2 kernel
// of 1 2 / 3 4 over the codes 1 2 / 3 4 with zero point 1; and a 1x1 kernel of 3
// with stride 2, which leaves holes that hold the bias.
func TestTransposeConvByHand(t *testing.T) {
	one := [2]int{1, 1}
	for _, c := range []struct {
		window  window.Window
		weights []int8
		want    []int8
	}{
		// x - 1 is 0 1 / 2 3; (sum + 10) * 2 - 20 is twice the sum.
		{window.Window{Input: [2]int{3, 3}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}, Stride: one, Dilation: one}, []int8{1, 2, 3, 4},
			[]int8{0, 2, 4, 4, 20, 20, 12, 34, 24}},
		{window.Window{Input: [2]int{2, 2}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}, Stride: one, Dilation: one, Pad: [2]int{0, 1}}, []int8{1, 2, 3, 4},
			[]int8{2, 4, 20, 20}},
		{window.Window{Input: [2]int{4, 4}, Output: [2]int{2, 2}, Kernel: one, Stride: [2]int{2, 2}, Dilation: one}, []int8{3},
			[]int8{0, 0, 6, 0, 0, 0, 0, 0, 12, 0, 18, 0, 0, 0, 0, 0}},
	} {
		for _, kernel := range []Kernel{Fast, Reference} {
			op, err := NewTransposeConv(TransposeConvSpec{
				Window: c.window, Inputs: 1, Outputs: 1,
				Input: quant.PerTensor(1, 1), Weight: quant.PerTensor(1, 0), Output: quant.PerTensor(.5, -20),
				Kernel: kernel,
			}, c.weights, []int32{10})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]int8, len(c.want))
			if op.Run(got, []int8{1, 2, 3, 4}, 1); !slices.Equal(got, c.want) {
				t.Errorf("kernel %d of %v: %v, want %v", kernel, c.window, got, c.want)
			}
		}
	}
}

// drawTransposed draws a window with all entries set.
func drawTransposed(t *rapid.T) window.Window {
	w, err := drawWindow(t).checked()
	if err != nil {
		t.Fatal(err)
	}
	return w.Window
}

func TestTransposeConvConformance(t *testing.T) { rapid.Check(t, transposeConvConforms) }

func FuzzTransposeConv(f *testing.F) { atEveryLevel(f, transposeConvConforms) }

func transposeConvConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := TransposeConvSpec{
		Window:     drawTransposed(t),
		Inputs:     drawChannels(t, "inputs"),
		Outputs:    drawChannels(t, "outputs"),
		Input:      drawTensor(t, "input"),
		Output:     drawTensor(t, "output"),
		Activation: activations.Draw(t, "activation"),
		Profile:    profiles.Draw(t, "profile"),
	}
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Outputs*spec.Window.Taps()*spec.Inputs, "weights")
	bias := drawBias(t, spec.Outputs, true)
	src := drawCodes(t, batch*spec.Window.Positions()*spec.Inputs, "input")
	bothTransposed(t, spec, weights, src, bias, batch)
}

// TestTransposeConvParts runs a shape large enough to be split among goroutines.
func TestTransposeConvParts(t *testing.T) {
	codes := func(n int) []int8 {
		c := make([]int8, n)
		for i := range c {
			c[i] = int8(i*i/7 + 3*i)
		}
		return c
	}
	const batch = 5
	w := window.Window{Input: [2]int{31, 29}, Output: [2]int{16, 15}, Kernel: [2]int{3, 5}, Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Pad: [2]int{1, 2}}
	spec := TransposeConvSpec{
		Window: w, Inputs: 17, Outputs: 23,
		Input: quant.PerTensor(.03, 5), Weight: quant.PerTensor(.01, 0), Output: quant.PerTensor(.5, -9),
	}
	bothTransposed(t, spec, codes(w.Taps()*spec.Inputs*spec.Outputs), codes(batch*w.Positions()*spec.Inputs), nil, batch)
}

// bothTransposed holds the fast kernel to the reference.
func bothTransposed(t interface {
	Helper()
	Skip(...any)
	Fatal(...any)
	Fatalf(string, ...any)
}, spec TransposeConvSpec, weights, src []int8, bias []int32, batch int) {
	t.Helper()
	run := func(k Kernel) []int8 {
		spec.Kernel = k
		c, err := NewTransposeConv(spec, weights, bias)
		mustTake(t, err)
		dst := make([]int8, batch*spec.Window.Pixels()*spec.Outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
}

func TestHybridTransposeConv(t *testing.T) { rapid.Check(t, hybridTransposeConvConforms) }

func FuzzHybridTransposeConv(f *testing.F) { atEveryLevel(f, hybridTransposeConvConforms) }

// hybridTransposeConvConforms compares the kernels with each other, and with the
// sums in float64.
func hybridTransposeConvConforms(t *rapid.T) {
	batch := rapid.IntRange(1, 3).Draw(t, "batch")
	spec := HybridTransposeConvSpec{
		Window:     drawTransposed(t),
		Inputs:     rapid.IntRange(1, 9).Draw(t, "inputs"),
		Outputs:    rapid.IntRange(1, 20).Draw(t, "outputs"),
		Activation: activations.Draw(t, "activation"),
	}
	w := &spec.Window
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Outputs*w.Taps()*spec.Inputs, "weights")
	bias := drawReals(t, spec.Outputs, "bias")
	image := w.Positions() * spec.Inputs
	src := drawReals(t, batch*image, "input")
	op, err := NewHybridTransposeConv(spec, weights, bias)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, batch*w.Pixels()*spec.Outputs)
	op.Run(got, src, batch)
	spec.Kernel = Reference
	if op, err = NewHybridTransposeConv(spec, weights, bias); err != nil {
		t.Fatal(err)
	}
	reference := make([]float32, len(got))
	if op.Run(reference, src, batch); !slices.Equal(got, reference) {
		t.Fatalf("fast      %v\nreference %v", got, reference)
	}
	scales := channelScales(spec.Weight, spec.Outputs)
	lo, hi := spec.Activation.Bounds()
	for n := range batch {
		codes := make([]int8, image)
		scale, zero := QuantizeAsymmetric(codes, src[n*image:][:image])
		sums, sizes := make([]float64, w.Pixels()*spec.Outputs), make([]float64, w.Pixels()*spec.Outputs)
		for p := range w.Positions() {
			w.EachTap(p, func(tap, pixel int) {
				for o, s := range scales {
					for c, q := range codes[p*spec.Inputs:][:spec.Inputs] {
						v := float64(weights[(o*w.Taps()+tap)*spec.Inputs+c]) * float64(int32(q)-zero) * float64(s) * float64(scale)
						sums[pixel*spec.Outputs+o] += v
						sizes[pixel*spec.Outputs+o] += math.Abs(v)
					}
				}
			})
		}
		for i, s := range sums {
			b := float64(bias[i%spec.Outputs])
			want := min(max(s+b, float64(lo)), float64(hi))
			// Two products and up to 144 additions, each rounded to 24 bits.
			if d := math.Abs(float64(got[n*len(sums)+i]) - want); d > 150*0x1p-24*(sizes[i]+math.Abs(b)) {
				t.Fatalf("image %d, element %d: %v, want %v", n, i, got[n*len(sums)+i], want)
			}
		}
	}
}

func TestTransposeConvErrors(t *testing.T) {
	w := window.Window{Input: [2]int{3, 3}, Output: [2]int{2, 2}, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	p := quant.PerTensor(1, 0)
	code := func(edit func(*TransposeConvSpec), biases int) error {
		s := TransposeConvSpec{Window: w, Inputs: 2, Outputs: 1, Input: p, Weight: p, Output: p}
		edit(&s)
		_, err := NewTransposeConv(s, make([]int8, 8), make([]int32, biases))
		return err
	}
	hybrid := func(edit func(*HybridTransposeConvSpec)) error {
		s := HybridTransposeConvSpec{Window: w, Inputs: 2, Outputs: 1, Weight: p}
		edit(&s)
		_, err := NewHybridTransposeConv(s, make([]int8, 8), nil)
		return err
	}
	for _, c := range []struct {
		err  error
		want string // "" for no error
	}{
		{code(func(*TransposeConvSpec) {}, 1), ""},
		{code(func(*TransposeConvSpec) {}, 3), "q8: transposed convolution: 3 biases for 1 outputs"},
		{code(func(s *TransposeConvSpec) { s.Inputs = 0 }, 0), "1 outputs of 0 inputs each"},
		{code(func(s *TransposeConvSpec) { s.Window.Stride[1] = 0 }, 0), "width: input 3, output 2, kernel 2, stride 0"},
		{code(func(s *TransposeConvSpec) { s.Output = quant.PerTensor(1, 128) }, 0), "zero point 128 of the output"},
		{code(func(s *TransposeConvSpec) { s.Weight = quant.PerTensor(1, 3) }, 0), "zero point 0 of the weights is 3"},
		{hybrid(func(*HybridTransposeConvSpec) {}), ""},
		{hybrid(func(s *HybridTransposeConvSpec) { s.Outputs = 2 }), "q8: hybrid transposed convolution: 8 weights, want 16"},
	} {
		switch {
		case c.want == "" && c.err != nil:
			t.Errorf("unexpected error %v", c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}
