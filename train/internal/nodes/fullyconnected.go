package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// fullyConnected builds [graph.FullyConnected]; all leading axes are rows.
func fullyConnected(c *compiler, n *graph.Node) (*operator, error) {
	rows, in := c.rows(n.Inputs[graph.InputX])
	out := c.shapes[n.Inputs[graph.InputWeights]][0]
	return anchor{
		forward: func(y, x, w, bias []float32, act quant.Activation) {
			f32.FullyConnected(&c.ws, rows, in, out, y, x, w, bias, act)
		},
		gradWeights: func(dw, dbias, x, dy []float32) {
			f32.FullyConnectedGradWeights(&c.ws, rows, in, out, dw, dbias, x, dy)
		},
		gradInput: func(dx, dy, w []float32) {
			f32.FullyConnectedGradInput(&c.ws, rows, in, out, dx, dy, w)
		},
	}.build(c, n)
}
