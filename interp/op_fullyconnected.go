package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/quant"
)

func fullyConnected(s site) (kernel, error) {
	op, w := s.Op.(graph.FullyConnected), s.Input(graph.InputWeights).Shape
	outputs, inputs := w[0], w[1]
	return anchored{
		row: inputs,
		float: func(ws *f32.Workspace, rows int, y, x, w, bias []float32) {
			f32.FullyConnected(ws, rows, inputs, outputs, y, x, w, bias, op.Activate)
		},
		packed: func(w, bias []float32) packed {
			return f32.NewFullyConnected(inputs, outputs, w, bias, op.Activate)
		},
		int8: func(in, out, weight quant.Params, weights []int8, bias []int32) (runner[int8], error) {
			return q8.NewFullyConnected(q8.FullyConnectedSpec{
				Inputs: inputs, Outputs: outputs, Input: in, Output: out, Weight: weight,
				Activation: op.Activate, Profile: s.Profile.kernels(), Kernel: s.kernel(),
			}, weights, bias)
		},
		int16: func(l q16.Linear, weights []int8, bias []int64) (runner[int16], error) {
			return q16.NewFullyConnected(l, inputs, s.Profile.kernels(), weights, bias)
		},
		hybrid: func(weight quant.Params, weights []int8, bias []float32) (runner[float32], error) {
			return q8.NewHybridFullyConnected(q8.HybridFullyConnectedSpec{
				Inputs: inputs, Outputs: outputs, Weight: weight, Asymmetric: op.AsymmetricInputs,
				Activation: op.Activate, Kernel: s.kernel(),
			}, weights, bias)
		},
	}.prepare(s)
}
