package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// transposeConv builds [graph.TransposeConv].
func transposeConv(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.TransposeConv)
	x, w, y := c.shapes[n.Inputs[graph.InputX]], c.shapes[n.Inputs[graph.InputWeights]], c.shapes[n.Output]
	g := f32.Conv{Batch: x[0], InC: y[3], OutC: x[3], Window: window.Window{
		Input: [2]int{y[1], y[2]}, Kernel: [2]int{w[1], w[2]},
		Stride: [2]int{op.StrideH, op.StrideW}, Dilation: [2]int{1, 1},
	}.Complete(op.Padding.Window)}
	return anchor{
		forward: func(y, x, w, bias []float32, act quant.Activation) {
			f32.TransposeConv2D(&c.ws, g, y, x, w, bias, act)
		},
		gradWeights: func(dw, dbias, x, dy []float32) {
			f32.TransposeConv2DGradWeights(&c.ws, g, dw, dbias, x, dy)
		},
		gradInput: func(dx, dy, w []float32) {
			f32.TransposeConv2DGradInput(&c.ws, g, dx, dy, w)
		},
	}.build(c, n)
}
