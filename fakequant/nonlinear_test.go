package fakequant

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// An activation that is not fused stands between two quantizers; sigmoids and
// tanh prescribe theirs. The slopes of a PReLU are quantized per tensor.
func TestPlacementAroundActivations(t *testing.T) {
	q, err := Insert(build(t, layers.Sequential{
		layers.Conv2D{Filters: 3, Kernel: [2]int{3, 3}, Activation: layers.ActLeakyReLU},
		layers.PReLU{SharedAxes: []int{1, 2}},
		layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Activation: layers.ActSwish},
		layers.Flatten{},
		layers.Dense{Units: 2, Activation: layers.ActTanh},
		layers.Dense{Units: 1, Activation: layers.ActSigmoid},
	}, layers.Input{5, 5, 1}), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok {
			got = append(got, fmt.Sprintf("%s by %v along %d", n.Inputs[0].Name, f.Quantizer.Source, f.Quantizer.Axis))
		}
	}
	want := []string{
		"input by moving average along -1",
		"conv2d/kernel by last value along 0",
		"conv2d by moving average along -1",
		"conv2d/leaky_relu by moving average along -1",
		"p_re_lu/alpha by last value along -1",
		"p_re_lu by moving average along -1",
		"conv2d_1/kernel by last value along 0",
		"conv2d_1 by moving average along -1",
		"conv2d_1/swish_sigmoid by fixed along -1",
		"conv2d_1/swish by moving average along -1",
		"dense/kernel by last value along 0",
		"dense by moving average along -1",
		"dense/tanh by fixed along -1",
		"dense_1/kernel by last value along 0",
		"dense_1 by moving average along -1",
		"dense_1/sigmoid by fixed along -1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quantizers (-want +got):\n%s", diff)
	}
}
