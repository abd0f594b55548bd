package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

func add(c *compiler, n *graph.Node) (*operator, error) { return c.arithmetic(n, f32.Plus) }
func sub(c *compiler, n *graph.Node) (*operator, error) { return c.arithmetic(n, f32.Minus) }
func mul(c *compiler, n *graph.Node) (*operator, error) { return c.arithmetic(n, f32.Times) }

// arithmetic builds [graph.Add], [graph.Sub] and [graph.Mul].
//
// Gradient: dy, or dy times the other input; summed over the axes along which an
// input broadcasts.
func (c *compiler) arithmetic(n *graph.Node, op f32.Arithmetic) (*operator, error) {
	a, b := n.Inputs[0], n.Inputs[1]
	act := n.Op.(graph.Fusing).Activation()
	p := axes.Broadcast(c.shapes[a], c.shapes[b])
	y := newValue(c.shapes[n.Output])
	o := &operator{out: y, run: func(in [][]float32) error {
		f32.Combine(op, p, y.data, in[0], in[1], act)
		return nil
	}}
	o.derive = func() derivative {
		da, db := c.gradient(a), c.gradient(b)
		var dz []float32 // before the activation
		if act != quant.NoActivation {
			dz = make([]float32, len(y.data))
		}
		return derivative{grads: []*value{da, db}, run: func(in [][]float32) error {
			dy := in[3]
			if act != quant.NoActivation {
				f32.ActivateGrad(act, dz, dy, in[2])
				dy = dz
			}
			f32.CombineGrad(op, p, da.slice(), db.slice(), dy, in[0], in[1])
			return nil
		}}
	}
	return o, nil
}

// slice returns the elements of v, nil where there is no value.
func (v *value) slice() []float32 {
	if v == nil {
		return nil
	}
	return v.data
}
