package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// depthwiseConv2D builds [graph.DepthwiseConv2D].
func depthwiseConv2D(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.DepthwiseConv2D)
	x, w := c.shapes[n.Inputs[graph.InputX]], c.shapes[n.Inputs[graph.InputWeights]]
	g := f32.Depthwise{Batch: x[0], Channels: x[3], Multiplier: op.DepthMultiplier, Window: window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: [2]int{w[1], w[2]},
		Stride: [2]int{op.StrideH, op.StrideW}, Dilation: [2]int{op.DilationH, op.DilationW},
	}.Complete(op.Padding.Window)}
	if o := c.layer(n, g.Layer); o != nil {
		return o, nil
	}
	return anchor{
		forward: func(y, x, w, bias []float32, act quant.Activation) {
			f32.DepthwiseConv2D(&c.ws, g, y, x, w, bias, act)
		},
		gradWeights: func(dw, dbias, x, dy []float32) {
			f32.DepthwiseConv2DGradWeights(&c.ws, g, dw, dbias, x, dy)
		},
		gradInput: func(dx, dy, w []float32) {
			f32.DepthwiseConv2DGradInput(&c.ws, g, dx, dy, w)
		},
	}.build(c, n)
}
