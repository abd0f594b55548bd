package q8

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/window"
)

// TestWinograd holds convolutions of 3x3 to the formula in shapes that Winograd's
// algorithm serves, the largest weights and codes included.
func TestWinograd(t *testing.T) {
	used := false
	rapid.Check(t, func(t *rapid.T) { used = winogradConforms(t) || used })
	if !used && level.words != nil {
		t.Error("never used")
	}
}

func FuzzWinograd(f *testing.F) { atEveryLevel(f, func(t *rapid.T) { winogradConforms(t) }) }

// winogradConforms reports whether the algorithm was used.
func winogradConforms(t *rapid.T) (used bool) {
	fours := func(name string) int { return 4 * rapid.IntRange(1, 6).Draw(t, name) }
	sixteens := func(name string) int { return 16 * rapid.IntRange(1, 4).Draw(t, name) }
	out := [2]int{fours("height"), fours("width")}
	pad := [2]int{rapid.IntRange(0, 2).Draw(t, "above"), rapid.IntRange(0, 2).Draw(t, "left")}
	w := Window{Window: window.Window{Output: out, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: pad}, Channels: sixteens("channels")}
	for axis := range 2 {
		w.Input[axis] = max(1, out[axis]+2-pad[axis]-rapid.IntRange(0, 2).Draw(t, "after"))
	}
	spec := Conv2DSpec{
		Window: w, Outputs: sixteens("outputs"), Input: drawTensor(t, "input"), Output: drawTensor(t, "output"),
		Activation: activations.Draw(t, "activation"), Profile: profiles.Draw(t, "profile"),
	}
	spec.Output.Scale[0] = rapid.Float32Range(1, 500).Draw(t, "output scale")
	spec.Weight = drawWeight(t, spec.Outputs)
	weights := drawCodes(t, spec.Outputs*w.depth(), "weights")
	bias := rapid.SliceOfN(rapid.Int32Range(-99999, 99999), spec.Outputs, spec.Outputs).Draw(t, "bias")
	batch := rapid.IntRange(1, 2).Draw(t, "batch")
	src := drawCodes(t, batch*w.inputSize(), "input")
	run := func(k Kernel) []int8 {
		spec.Kernel = k
		c, err := NewConv2D(spec, weights, bias)
		mustTake(t, err)
		used = used || c.vector != nil && c.vector.winograd != nil
		dst := make([]int8, batch*w.Positions()*spec.Outputs)
		c.Run(dst, src, batch)
		return dst
	}
	if fast, want := run(Fast), run(Reference); !slices.Equal(fast, want) {
		t.Fatalf("fast      %v\nreference %v", fast, want)
	}
	return used
}
