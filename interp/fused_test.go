package interp_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// TestFusedPads: convolutions that pad on their way, and reshapes in place, give
// what steps of their own do.
func TestFusedPads(t *testing.T) {
	for _, padding := range []graph.Padding{graph.Valid, graph.Same} {
		b := newBuilder(t, 9)
		p := ptr(0.02, -13)
		pad := func(name string, x *graph.Tensor, above, below, left, right int) *graph.Tensor {
			return b.op(name, graph.Pad{Paddings: [][2]int{{}, {above, below}, {left, right}, {}}}, graph.Int8, p, x)
		}
		x := b.input("x", graph.Int8, p, 1, 9, 7, 3)
		w := b.weights("conv/w", true, 8, 3, 3, 3)
		y := b.op("conv", graph.Conv2D{Padding: padding, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1, Activate: quant.Relu}, graph.Int8, p, pad("pad1", x, 0, 1, 2, 1), w, b.bias("conv/b", x, w))
		w = b.weights("depthwise/w", true, 1, 3, 3, 8)
		y = b.op("depthwise", graph.DepthwiseConv2D{Padding: padding, StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 1, DepthMultiplier: 1}, graph.Int8, p, pad("pad2", y, 1, 0, 0, 5), w)
		twice := pad("pad3", y, 1, 1, 1, 1) // read by two
		w = b.weights("last/w", false, 4, 2, 2, 8)
		conv := graph.Conv2D{Padding: padding, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		y = b.op("add", graph.Add{}, graph.Int8, ptr(0.05, 3), b.op("left", conv, graph.Int8, p, twice, w), b.op("right", conv, graph.Int8, p, twice, w))
		g := b.done(b.op("flat", graph.Reshape{Shape: []int{-1, y.Elements()}}, graph.Int8, ptr(0.05, 3), y), twice)

		const batch = 3
		input := b.data(x, batch)
		kept := start(t, g, interp.Options{Batch: batch, KeepAll: true})
		for name, o := range map[string]interp.Options{"fast": {Batch: batch}, "reference": {Batch: batch, Reference: true}} {
			ip := start(t, g, o)
			for _, rows := range []int{batch, 1} {
				in := input.([]int8)[:rows*x.Elements()]
				if err := kept.Run(in); err != nil {
					t.Fatal(err)
				}
				if err := ip.Run(slices.Clone(in)); err != nil {
					t.Fatal(err)
				}
				for i := range g.Outputs {
					if !reflect.DeepEqual(ip.Output(i), kept.Output(i)) {
						t.Errorf("padding %v, %s, %d rows: output %d is %v, want %v", padding, name, rows, i, ip.Output(i), kept.Output(i))
					}
				}
			}
			if ip.ArenaBytes() >= kept.ArenaBytes() {
				t.Errorf("%d bytes, with all tensors %d", ip.ArenaBytes(), kept.ArenaBytes())
			}
			for _, n := range g.Nodes {
				if d := ip.Tensor(n.Output); n.Name == "pad1" && d != nil {
					t.Errorf("the first pad was computed: %v", d)
				}
			}
		}
	}
}
