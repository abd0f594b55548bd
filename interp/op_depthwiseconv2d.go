package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func depthwiseConv2D(s site) (kernel, error) {
	op, w := s.Op.(graph.DepthwiseConv2D), s.Input(graph.InputWeights).Shape
	window := s.window(op.Padding, [2]int{w[1], w[2]}, [2]int{op.StrideH, op.StrideW}, [2]int{op.DilationH, op.DilationW})
	geometry := func(batch int) f32.Depthwise {
		return f32.Depthwise{Window: window.Window, Batch: batch, Channels: window.Channels, Multiplier: op.DepthMultiplier}
	}
	return anchored{
		row: window.Pixels() * window.Channels,
		float: func(ws *f32.Workspace, batch int, y, x, w, bias []float32) {
			f32.DepthwiseConv2D(ws, geometry(batch), y, x, w, bias, op.Activate)
		},
		packed: func(w, bias []float32) packed { return f32.NewDepthwiseConv2D(geometry(1), w, bias, op.Activate) },
		int8: func(in, out, weight quant.Params, weights []int8, bias []int32) (runner[int8], error) {
			return q8.NewDepthwiseConv2D(q8.DepthwiseConv2DSpec{
				Window: window, Multiplier: op.DepthMultiplier, Input: in, Output: out, Weight: weight,
				Activation: op.Activate, Profile: s.Profile.kernels(), Kernel: s.kernel(),
			}, weights, bias)
		},
		int16: func(l q16.Linear, weights []int8, bias []int64) (runner[int16], error) {
			return q16.NewDepthwiseConv2D(l, window, op.DepthMultiplier, weights, bias)
		},
		hybrid: func(weight quant.Params, weights []int8, bias []float32) (runner[float32], error) {
			return q8.NewHybridDepthwiseConv2D(q8.HybridDepthwiseConv2DSpec{
				Window: window, Multiplier: op.DepthMultiplier, Weight: weight,
				Activation: op.Activate, Kernel: s.kernel(),
			}, weights, bias)
		},
	}.prepare(s)
}
