package interp

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/q16"
	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

func conv2D(s site) (kernel, error) {
	op, w, outputs := s.Op.(graph.Conv2D), s.Input(graph.InputWeights).Shape, s.Output.Shape[3]
	window := s.window(op.Padding, [2]int{w[1], w[2]}, [2]int{op.StrideH, op.StrideW}, [2]int{op.DilationH, op.DilationW})
	geometry := func(batch int) f32.Conv {
		return f32.Conv{Window: window.Window, Batch: batch, InC: window.Channels, OutC: outputs}
	}
	return anchored{
		row: window.Pixels() * window.Channels,
		float: func(ws *f32.Workspace, batch int, y, x, w, bias []float32) {
			f32.Conv2D(ws, geometry(batch), y, x, w, bias, op.Activate)
		},
		packed: func(w, bias []float32) packed { return f32.NewConv2D(geometry(1), w, bias, op.Activate) },
		int8: func(in, out, weight quant.Params, weights []int8, bias []int32) (runner[int8], error) {
			return q8.NewConv2D(q8.Conv2DSpec{
				Window: window, Outputs: outputs, Input: in, Output: out, Weight: weight,
				Activation: op.Activate, Profile: s.Profile.kernels(), Kernel: s.kernel(),
			}, weights, bias)
		},
		int16: func(l q16.Linear, weights []int8, bias []int64) (runner[int16], error) {
			return q16.NewConv2D(l, window, weights, bias)
		},
		hybrid: func(weight quant.Params, weights []int8, bias []float32) (runner[float32], error) {
			return q8.NewHybridConv2D(q8.HybridConv2DSpec{
				Window: window, Outputs: outputs, Weight: weight,
				Activation: op.Activate, Kernel: s.kernel(),
			}, weights, bias)
		},
	}.prepare(s)
}

// window returns the geometry of an operator on images.
func (s site) window(p graph.Padding, kernel, stride, dilation [2]int) q8.Window {
	x := s.Input(graph.InputX).Shape
	w := window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: kernel, Stride: stride, Dilation: dilation,
	}.Complete(p.Window)
	if s.pad != nil {
		for axis, p := range s.pad.Op.(graph.Pad).Paddings[1:3] {
			w.Input[axis] -= p[0] + p[1]
			w.Pad[axis] += p[0]
		}
	}
	return q8.Window{Window: w, Channels: x[3]}
}

// fusesPad reports whether a node is a convolution in integers of images x.
func fusesPad(n *graph.Node, x *graph.Tensor) bool {
	switch n.Op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D:
		return n.Input(graph.InputX) == x && n.Output.Type == graph.Int8
	}
	return false
}
