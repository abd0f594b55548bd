package interp

import (
	"fmt"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

func transposeConv(s site) (kernel, error) {
	op, x, w, y := s.Op.(graph.TransposeConv), s.Input(graph.InputX).Shape, s.Input(graph.InputWeights).Shape, s.Output.Shape
	window := window.Window{
		Input: [2]int{y[1], y[2]}, Kernel: [2]int{w[1], w[2]}, Stride: [2]int{op.StrideH, op.StrideW}, Dilation: [2]int{1, 1},
	}.Complete(op.Padding.Window)
	inputs, outputs := x[3], y[3]
	if s.Profile == XNNPACK && s.anchor() == allInt8 && op.Padding == graph.Same && (w[1] < op.StrideH || w[2] < op.StrideW) {
		return nil, fmt.Errorf("XNNPACK takes no stride above the kernel's size with padding %v, as %dx%d of %dx%d", op.Padding, op.StrideH, op.StrideW, w[1], w[2])
	}
	return anchored{
		row: x[1] * x[2] * inputs,
		float: func(ws *f32.Workspace, batch int, y, x, w, bias []float32) {
			g := f32.Conv{Window: window, Batch: batch, InC: outputs, OutC: inputs}
			f32.TransposeConv2D(ws, g, y, x, w, bias, op.Activate)
		},
		int8: func(in, out, weight quant.Params, weights []int8, bias []int32) (runner[int8], error) {
			return q8.NewTransposeConv(q8.TransposeConvSpec{
				Window: window, Inputs: inputs, Outputs: outputs, Input: in, Output: out, Weight: weight,
				Activation: op.Activate, Profile: s.Profile.kernels(), Kernel: s.kernel(),
			}, weights, bias)
		},
		int16: func(l q16.Linear, weights []int8, bias []int64) (runner[int16], error) {
			return q16.NewTransposeConv(l, window, inputs, weights, bias)
		},
		hybrid: func(weight quant.Params, weights []int8, bias []float32) (runner[float32], error) {
			return q8.NewHybridTransposeConv(q8.HybridTransposeConvSpec{
				Window: window, Inputs: inputs, Outputs: outputs, Weight: weight, Activation: op.Activate,
				Kernel: s.kernel(),
			}, weights, bias)
		},
	}.prepare(s)
}
