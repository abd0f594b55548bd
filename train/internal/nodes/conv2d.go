package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// conv2D builds [graph.Conv2D].
func conv2D(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.Conv2D)
	x, w := c.shapes[n.Inputs[graph.InputX]], c.shapes[n.Inputs[graph.InputWeights]]
	g := f32.Conv{Batch: x[0], InC: x[3], OutC: w[0], Window: window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: [2]int{w[1], w[2]},
		Stride: [2]int{op.StrideH, op.StrideW}, Dilation: [2]int{op.DilationH, op.DilationW},
	}.Complete(op.Padding.Window)}
	return anchor{
		forward: func(y, x, w, bias []float32, act quant.Activation) {
			f32.Conv2D(&c.ws, g, y, x, w, bias, act)
		},
		gradient: func(dx, dw, dbias, x, dy, w []float32) {
			f32.Conv2DGrad(&c.ws, g, dx, dw, dbias, x, dy, w)
		},
		gradInput: func(dx, dy, w []float32) {
			f32.Conv2DGradInput(&c.ws, g, dx, dy, w)
		},
	}.build(c, n)
}
