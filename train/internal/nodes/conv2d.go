package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// conv2D builds [graph.Conv2D].
func conv2D(c *compiler, n *graph.Node) (*operator, error) {
	g := c.convolution(n)
	if t := c.tails[n]; t != nil && t.pool != nil {
		return c.pooledConv(n, t), nil
	}
	if o := c.layer(n, g.Layer); o != nil {
		return o, nil
	}
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

// convolution returns the geometry of a convolution's node.
func (c *compiler) convolution(n *graph.Node) f32.Conv {
	op := n.Op.(graph.Conv2D)
	x, w := c.shapes[n.Inputs[graph.InputX]], c.shapes[n.Inputs[graph.InputWeights]]
	return f32.Conv{Batch: x[0], InC: x[3], OutC: w[0], Window: window.Window{
		Input: [2]int{x[1], x[2]}, Kernel: [2]int{w[1], w[2]},
		Stride: [2]int{op.StrideH, op.StrideW}, Dilation: [2]int{op.DilationH, op.DilationW},
	}.Complete(op.Padding.Window)}
}

// pooled returns n with the pool that its output goes to, if n is a convolution, and
// next a pool that can run with it.
func (c *compiler) pooled(n, next *graph.Node) *f32.PooledConv {
	pool, ok := next.Op.(graph.MaxPool2D)
	if _, conv := n.Op.(graph.Conv2D); !ok || !conv {
		return nil
	}
	l := &f32.PooledConv{Conv: c.convolution(n), Pool: c.pool(next, pool.Pool), Training: c.config.Training}
	if !l.Possible() {
		return nil
	}
	return l
}

// pooledConv makes the operator of a convolution, its tail and a pool. Its tail
// leaves the gradient nothing to do.
func (c *compiler) pooledConv(n *graph.Node, t *tail) *operator {
	t.prepare(c)
	l, y := t.pool, newValue(c.shapes[t.output])
	winners := make([]int32, len(y.data))
	return &operator{out: y,
		run: func(in [][]float32) error {
			if err := t.begin(); err != nil {
				return err
			}
			t.see(l.Forward(&c.ws, &t.Tail, y.data, winners, in[0], in[1], bias(n, in)))
			return nil
		},
		derive: func() derivative {
			return anchor{
				gradient: func(dx, dw, dbias, x, dy, w []float32) {
					l.Grad(&c.ws, dx, dw, dbias, x, dy, winners, w)
				},
				gradInput: func(dx, dy, w []float32) {
					l.GradInput(&c.ws, dx, dy, winners, w)
				},
			}.derive(c, n, quant.NoActivation, nil)
		},
	}
}
