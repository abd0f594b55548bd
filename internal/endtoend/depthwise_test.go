package endtoend

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// depthwiseNetwork is a small DS-CNN: pairs of depthwise and pointwise
// convolutions with and without BatchNorm, depth multiplier, stride and dilation.
// Gammas behind a depthwise convolution are negative and zero.
var depthwiseNetwork = &network{
	name: "depthwise", input: layers.Input{8, 8, 1}, batchNorm: true,
	layers: layers.Sequential{
		layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Strides: [2]int{1, 2}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{Name: "signs"},
		layers.ReLU{},
		layers.Conv2D{Filters: 11, Kernel: [2]int{1, 1}, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU6{},
		layers.DepthwiseConv2D{Kernel: [2]int{2, 3}, DepthMultiplier: 2, Activation: layers.ActReLU},
		layers.SeparableConv2D{Filters: 13, Kernel: [2]int{2, 2}, Dilation: [2]int{2, 1}, Padding: layers.Same},
		layers.ReLU{},
		layers.AveragePool2D{Pool: [2]int{2, 1}, Strides: [2]int{1, 1}},
		layers.Flatten{},
		layers.Dense{Units: 10},
	},
	prepare: func(g *graph.Graph) {
		gamma := variable(g, "signs/gamma")
		gamma[1], gamma[4], gamma[6] = -1, -0.5, -1.5
		pruneSigns(g)
	},
	prune: pruneSigns,
}

func depthwiseConvolutions(t *testing.T) (list []opCase) {
	const channels = 5
	both := windows[1] // strides with dilation, which Keras' convolutions refuse
	both.dilation = [2]int{1, 2}
	for _, w := range append(windows[:len(windows):len(windows)], both) {
		for _, p := range paddings {
			for _, multiplier := range []int{1, 3} {
				for i, s := range scalings {
					act := fused[(i+multiplier+w.image[0])%len(fused)]
					op := graph.DepthwiseConv2D{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], DepthMultiplier: multiplier, Activate: act}
					m := anchor(t, op, s, []int{1, w.image[0], w.image[1], channels}, []int{1, w.kernel[0], w.kernel[1], channels * multiplier}, true)
					list = append(list, opCase{fmt.Sprintf("%+v on %v, %s", op, w, s), m})
				}
			}
		}
	}
	return list
}

// LiteRT quantizes the input of a hybrid depthwise convolution asymmetrically,
// whether the scales of its weights differ or not.
func TestHybridDepthwise(t *testing.T) {
	o := oracle.Start(t)
	for _, w := range windows {
		for i, p := range paddings {
			for _, equal := range []bool{true, false} {
				b := newBuilder(t)
				const channels, multiplier = 2, 3
				x := b.AddInput("x", graph.Float32, []int{1, w.image[0], w.image[1], channels})
				kernel := b.weights("w", 1, w.kernel[0], w.kernel[1], channels*multiplier)
				kernel.Quant = &quant.Params{ZeroPoint: make([]int32, channels*multiplier), Axis: 3}
				for range channels * multiplier {
					kernel.Quant.Scale = append(kernel.Quant.Scale, 0.011)
				}
				if !equal {
					kernel.Quant.Scale[3] = 0.0270001
				}
				bias := &graph.Tensor{Name: "b", Role: graph.Constant, Shape: []int{channels * multiplier}, Data: b.reals(channels * multiplier)}
				op := graph.DepthwiseConv2D{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], DilationH: w.dilation[0], DilationW: w.dilation[1], DepthMultiplier: multiplier, Activate: fused[i]}
				m := b.done(b.op(op, graph.Float32, nil, x, kernel, bias))
				run := runLiteRT(t, o, m, oracle.Reference, b.reals(7*x.Elements()))
				n := m.graph.Nodes[0]
				if err := sameElements(runInterp(t, m.graph, run.input, run.rows)[n.Output], run.values[n.Output]); err != nil {
					t.Errorf("%+v: %v", op, err)
				}
				run.compareCodes(t, n, run.scratch)
			}
		}
	}
}
