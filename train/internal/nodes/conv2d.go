package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// conv2D builds [graph.Conv2D].
func conv2D(c *compiler, n *graph.Node) (*operator, error) {
	op := n.Op.(graph.Conv2D)
	x, w := c.shapes[n.Inputs[graph.InputX]], c.shapes[n.Inputs[graph.InputWeights]]
	g, err := f32.NewConv(f32.Conv{
		Batch: x[0], InH: x[1], InW: x[2], InC: x[3],
		OutC: w[0], KernelH: w[1], KernelW: w[2],
		StrideH: op.StrideH, StrideW: op.StrideW,
		DilationH: op.DilationH, DilationW: op.DilationW,
	}, padding(op.Padding))
	if err != nil {
		return nil, err
	}
	return anchor{
		forward: func(y, x, w, bias []float32, act quant.Activation) {
			f32.Conv2D(&c.ws, g, y, x, w, bias, act)
		},
		gradWeights: func(dw, dbias, x, dy []float32) {
			f32.Conv2DGradWeights(&c.ws, g, dw, dbias, x, dy)
		},
		gradInput: func(dx, dy, w []float32) {
			f32.Conv2DGradInput(&c.ws, g, dx, dy, w)
		},
	}.build(c, n)
}

// padding returns the kernel's name for a padding.
func padding(p graph.Padding) f32.Padding {
	if p == graph.Same {
		return f32.Same
	}
	return f32.Valid
}
