package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// leakyRelu builds [graph.LeakyRelu].
func leakyRelu(c *compiler, n *graph.Node) (*operator, error) {
	alpha := n.Op.(graph.LeakyRelu).Alpha
	return c.unaryOf(n,
		func(y, x []float32) { f32.LeakyReluTo(alpha, y, x) },
		func(dx, dy, x, _ []float32) { f32.LeakyReluGrad(alpha, dx, dy, x) }), nil
}

// hardSwish builds [graph.HardSwish].
func hardSwish(c *compiler, n *graph.Node) (*operator, error) {
	return c.unaryOf(n, f32.HardSwishTo, func(dx, dy, x, _ []float32) { f32.HardSwishGrad(dx, dy, x) }), nil
}

// elu builds [graph.Elu].
func elu(c *compiler, n *graph.Node) (*operator, error) {
	return c.unary(n, f32.EluTo, f32.EluGrad), nil
}

// logistic builds [graph.Logistic].
func logistic(c *compiler, n *graph.Node) (*operator, error) {
	return c.unary(n, f32.SigmoidTo, f32.SigmoidGrad), nil
}

// tanh builds [graph.Tanh].
func tanh(c *compiler, n *graph.Node) (*operator, error) {
	return c.unary(n, f32.TanhTo, f32.TanhGrad), nil
}

// prelu builds [graph.Prelu]. The slopes have the gradient of a product with the
// negative part of x.
func prelu(c *compiler, n *graph.Node) (*operator, error) {
	x, alpha := n.Inputs[graph.InputX], n.Inputs[graph.InputAlpha]
	p := axes.Broadcast(c.shapes[x], c.shapes[alpha])
	y := newValue(c.shapes[n.Output])
	return &operator{
		out: y,
		run: func(in [][]float32) error {
			f32.Prelu(p, y.data, in[0], in[1])
			return nil
		},
		derive: func() derivative {
			dx, dalpha := c.gradient(x), c.gradient(alpha)
			var negative []float32
			if dalpha != nil {
				negative = make([]float32, len(y.data))
			}
			return derivative{grads: []*value{dx, dalpha}, run: func(in [][]float32) error {
				x, alpha, dy := in[0], in[1], in[3]
				if dx != nil {
					f32.PreluGrad(p, dx.data, dy, x, alpha)
				}
				if dalpha != nil {
					f32.NegativePart(negative, x)
					f32.CombineGrad(f32.Times, p, nil, dalpha.data, dy, negative, alpha)
				}
				return nil
			}}
		},
	}, nil
}
