package fakequant

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

func separable(t *testing.T) *graph.Graph {
	return build(t, layers.Sequential{
		layers.SeparableConv2D{Filters: 3, Kernel: [2]int{3, 3}, DepthMultiplier: 2, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.DepthwiseConv2D{Kernel: [2]int{2, 2}, NoBias: true},
		layers.BatchNorm{},
	}, layers.Input{6, 6, 2})
}

// Depthwise weights have their scales along the last axis and are folded along
// it; what a separable convolution computes between its two operators is
// quantized.
func TestDepthwise(t *testing.T) {
	for _, recipe := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor()} {
		q, err := Insert(separable(t), recipe)
		if err != nil {
			t.Fatal(err)
		}
		axes, folds, observed := map[string]int{}, map[string]int{}, []string{}
		for _, n := range q.Nodes {
			switch op := n.Op.(type) {
			case graph.FoldWeights:
				folds[n.Inputs[0].Name] = op.Axis
			case graph.FakeQuant:
				if op.Quantizer.Source == graph.LastValue {
					axes[op.Quantizer.Name] = op.Quantizer.Axis
				} else {
					observed = append(observed, op.Quantizer.Name)
				}
			}
		}
		wantAxes := map[string]int{"separable_conv2d/depthwise_kernel": 3, "separable_conv2d/pointwise_kernel": 0, "depthwise_conv2d/kernel": 3}
		wantFolds := map[string]int{}
		if !recipe.Weights.PerChannel {
			wantFolds = map[string]int{"separable_conv2d/pointwise_kernel": 0, "depthwise_conv2d/kernel": 3}
			for name := range wantAxes {
				wantAxes[name] = -1
			}
		}
		if diff := cmp.Diff(wantAxes, axes); diff != "" {
			t.Errorf("%s: axes of weights (-want +got):\n%s", recipe.Name, diff)
		}
		if diff := cmp.Diff(wantFolds, folds); diff != "" {
			t.Errorf("%s: axes of folds (-want +got):\n%s", recipe.Name, diff)
		}
		want := []string{"input", "separable_conv2d/depthwise", "re_lu", "batch_normalization_1"}
		if diff := cmp.Diff(want, observed); diff != "" {
			t.Errorf("%s: activations (-want +got):\n%s", recipe.Name, diff)
		}
	}
}

// The hybrid depthwise kernel quantizes its input asymmetrically, image by image,
// also where the weights have one scale and the convolution's is symmetric.
func TestDynamicDepthwise(t *testing.T) {
	for _, perChannel := range []bool{true, false} {
		recipe := quant.DynamicRange()
		recipe.MinElements, recipe.Weights.PerChannel = 0, perChannel
		g, err := graph.Passes{graph.FoldBatchNorm}.Run(separable(t))
		if err != nil {
			t.Fatal(err)
		}
		q, err := Insert(g, recipe)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, n := range q.Nodes {
			if _, ok := n.Op.(graph.Anchored); ok {
				z := q.Producer(n.Inputs[graph.InputX]).Op.(graph.FakeQuant).Quantizer
				if got[n.Name] = z.Symmetric; z.Source != graph.Dynamic || z.Axis != 0 {
					t.Errorf("%s: %v along axis %d", n.Name, z.Source, z.Axis)
				}
			}
		}
		want := map[string]bool{"separable_conv2d/depthwise": false, "separable_conv2d": !perChannel, "depthwise_conv2d": false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("per channel %v: symmetric inputs (-want +got):\n%s", perChannel, diff)
		}
	}
}
