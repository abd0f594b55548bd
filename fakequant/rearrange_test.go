package fakequant

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// What pads, cuts, transposes or takes a maximum has the codes of its input, and
// no quantizer of its own; a mean has one.
func TestSharingOfRearranged(t *testing.T) {
	q, err := Insert(build(t, layers.Sequential{
		layers.ZeroPadding2D{},
		layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}, Activation: layers.ActReLU},
		layers.Cropping2D{Cropping: [2][2]int{{1, 0}, {0, 1}}},
		layers.Permute{Dims: []int{2, 1, 3}},
		layers.ZeroPadding2D{},
		layers.GlobalAveragePool2D{KeepDims: true},
		layers.GlobalMaxPool2D{},
		layers.Dense{Units: 2},
	}, layers.Input{5, 5, 1}), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Source == graph.MovingAverage {
			got = append(got, fmt.Sprintf("%s by %s, observing %v", n.Inputs[0].Name, f.Quantizer.Name, f.Observe))
		}
	}
	want := []string{
		"input by input, observing true",
		"conv2d/relu by conv2d/relu, observing true",
		"global_average_pooling2d by global_average_pooling2d, observing true",
		"dense by dense, observing true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quantizers of activations (-want +got):\n%s", diff)
	}
}
