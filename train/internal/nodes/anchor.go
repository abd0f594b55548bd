package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// anchor is what a convolution and a dense layer have in common: weights, an
// optional bias, a fused activation, and gradient kernels that take the gradient
// before the activation.
type anchor struct {
	forward     func(y, x, w, bias []float32, act quant.Activation)
	gradWeights func(dw, dbias, x, dy []float32)
	gradInput   func(dx, dy, w []float32)
	// gradient is both, dx may be nil; itself nil where they are computed one by one.
	gradient func(dx, dw, dbias, x, dy, w []float32)
}

// build makes the operator of node n.
func (a anchor) build(c *compiler, n *graph.Node) (*operator, error) {
	act := n.Op.(graph.Anchored).Activation()
	y, t := newValue(c.shapes[n.Output]), c.tails[n]
	o := &operator{out: y, run: func(in [][]float32) error {
		a.forward(y.data, in[0], in[1], bias(n, in), act)
		return nil
	}}
	if t != nil {
		t.prepare(c)
		o.run = func(in [][]float32) error {
			a.forward(y.data, in[0], in[1], bias(n, in), quant.NoActivation)
			return t.run(y.data)
		}
	}
	o.derive = func() derivative { return a.derive(c, n, act, t) }
	return o, nil
}

// derive makes the gradient. Only what is trained is computed: a network's first
// layer has no gradient of its input.
func (a anchor) derive(c *compiler, n *graph.Node, act quant.Activation, t *tail) derivative {
	d, weights, bias := parameterGrads(c, n)
	dx := c.gradient(n.Inputs[graph.InputX])
	d.grads[0] = dx
	var input []float32
	if dx != nil {
		input = dx.data
	}
	d.run = func(in [][]float32) error {
		y, dy := in[len(in)-2], in[len(in)-1]
		gradTail(dy, y, act, t)
		if weights != nil && a.gradient != nil {
			a.gradient(input, weights, bias, in[0], dy, in[1])
			return nil
		}
		if weights != nil {
			a.gradWeights(weights, bias, in[0], dy)
		}
		if input != nil {
			a.gradInput(input, dy, in[1])
		}
		return nil
	}
	return d
}

// parameterGrads returns an anchor's gradients but that of its input, and where
// the kernels write them. Both are nil if nothing is trained.
func parameterGrads(c *compiler, n *graph.Node) (d derivative, weights, bias []float32) {
	w, b := n.Inputs[graph.InputWeights], n.Input(graph.InputBias)
	dw, db := c.gradient(w), c.gradient(b)
	if dw != nil || db != nil {
		weights = make([]float32, w.Elements()) // also where only the bias is trained
	}
	if dw != nil {
		weights = dw.data
	}
	if db != nil {
		bias = db.data
	}
	d.grads = []*value{nil, dw}
	if b != nil {
		d.grads = append(d.grads, db)
	}
	return d, weights, bias
}

// gradTail turns the gradient of an output y into that before the tail or the
// activation, in place: nothing else reads it.
func gradTail(dy, y []float32, act quant.Activation, t *tail) {
	if t != nil {
		f32.FakeQuantizeGrad(dy, dy, t.mask)
	} else if act != quant.NoActivation {
		f32.ActivateGrad(act, dy, dy, y)
	}
}

// bias returns the bias among an anchor's arguments, nil if it has none.
func bias(n *graph.Node, in [][]float32) []float32 {
	if n.Input(graph.InputBias) == nil {
		return nil
	}
	return in[2]
}
