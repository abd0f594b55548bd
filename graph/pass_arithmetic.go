package graph

import (
	"slices"

	"github.com/goqat/goqat/quant"
)

// FoldArithmetic removes products, sums and differences of a float graph with a
// constant for all or for each channel, what other programs leave of a BatchNorm or
// a bias:
//
//	y = x*f + s
//
// Behind an anchor without activation, which alone reads x, f multiplies its
// weights and s is added to its bias. Two or more in a row elsewhere become one
// [Affine]; a single one stays.
var FoldArithmetic = Pass{"fold arithmetic", func(g *Graph) error {
	for _, n := range slices.Clone(g.Nodes) {
		x, a, ok := linear(n)
		if !ok {
			continue
		}
		if anchor := g.anchorOf(x, n); anchor != nil {
			if g.foldLinear(anchor, a) {
				anchor.Op = anchor.Op.(Fusing).Fuse(n.Op.(Fusing).Activation())
				g.Producer(x).Output = n.Output
				g.Remove(n)
			}
		} else if p := g.Producer(x); p != nil && g.onlyConsumer(x) == n {
			g.joinLinear(p, n, a)
		}
	}
	return nil
}}

// anchorOf returns the anchor without activation that computes t for n alone,
// perhaps through reshapes that keep the channels; nil if there is none.
func (g *Graph) anchorOf(t *Tensor, n *Node) *Node {
	for g.onlyConsumer(t) == n {
		p := g.Producer(t)
		if p == nil {
			return nil
		}
		switch op := p.Op.(type) {
		case Anchored:
			if op.Activation() != quant.NoActivation {
				return nil
			}
			return p
		case Reshape:
			x := p.Inputs[InputX]
			if len(x.Shape) == 0 || x.Shape[len(x.Shape)-1] != t.Shape[len(t.Shape)-1] {
				return nil
			}
			t, n = x, p
		default:
			return nil
		}
	}
	return nil
}

// channelwise is y = x*factor + shift for each channel.
type channelwise struct{ factor, shift []float64 }

// then returns what b does after a.
func (a channelwise) then(b channelwise) channelwise {
	c := channelwise{make([]float64, len(a.factor)), make([]float64, len(a.factor))}
	for i := range c.factor {
		c.factor[i] = a.factor[i] * b.factor[i]
		c.shift[i] = a.shift[i]*b.factor[i] + b.shift[i]
	}
	return c
}

// linear returns the tensor that n multiplies or shifts by constants, and how.
func linear(n *Node) (x *Tensor, a channelwise, ok bool) {
	var factor func(c float64) float64
	var shift func(c float64) float64
	same, none := func(c float64) float64 { return c }, func(float64) float64 { return 0 }
	one := func(float64) float64 { return 1 }
	switch n.Op.(type) {
	case Mul:
		factor, shift = same, none
	case Add, Sub:
		factor, shift = one, same
	default:
		return nil, a, false
	}
	x, c := n.Inputs[0], n.Inputs[1]
	if _, sub := n.Op.(Sub); sub {
		shift = func(c float64) float64 { return -c }
		if x.Data != nil { // c - x
			factor, shift = func(float64) float64 { return -1 }, same
		}
	}
	if x.Data != nil {
		x, c = c, x
	}
	values := c.Float32s()
	rank := len(n.Output.Shape)
	if x.Role != Activation || x.Type != Float32 || values == nil || rank < 2 || !slices.Equal(x.Shape, n.Output.Shape) {
		return nil, a, false
	}
	channels := x.Shape[rank-1]
	if len(values) != 1 && (len(values) != channels || c.Shape[len(c.Shape)-1] != channels) {
		return nil, a, false
	}
	for i := range channels {
		v := float64(values[i%len(values)])
		a.factor, a.shift = append(a.factor, factor(v)), append(a.shift, shift(v))
	}
	return x, a, true
}

// foldLinear multiplies and shifts the outputs of an anchor. It reports whether it
// could.
func (g *Graph) foldLinear(anchor *Node, a channelwise) bool {
	w, b := anchor.Inputs[InputWeights], anchor.Input(InputBias)
	values := w.Float32s()
	if values == nil || b != nil && b.Float32s() == nil || len(g.Consumers(w)) > 1 {
		return false // weights that others share would become two
	}
	folded, bias := make([]float32, len(values)), make([]float32, len(a.shift))
	inner := Inner(w.Shape, anchor.Op.(Anchored).ChannelAxis())
	for i, v := range values {
		folded[i] = float32(float64(v) * a.factor[i/inner%len(a.factor)])
	}
	for c, s := range a.shift {
		if b != nil {
			s += float64(b.Float32s()[c]) * a.factor[c]
		}
		bias[c] = float32(s)
	}
	name := BiasName(g, anchor)
	anchor.Inputs = []*Tensor{
		anchor.Inputs[InputX],
		{Name: w.Name, Role: w.Role, Shape: w.Shape, Data: folded},
		{Name: name, Role: w.Role, Shape: []int{len(bias)}, Data: bias},
	}
	return true
}

// joinLinear makes one Affine of n and the node p before it, if p is an Affine or
// the like too.
func (g *Graph) joinLinear(p, n *Node, a channelwise) {
	x, before, ok := linear(p)
	if _, is := p.Op.(Affine); is {
		x, ok = p.Inputs[InputX], true
		for i, f := range p.Inputs[InputFactor].Float32s() {
			before.factor = append(before.factor, float64(f))
			before.shift = append(before.shift, float64(p.Inputs[InputShift].Float32s()[i]))
		}
	} else if ok && p.Op.(Fusing).Activation() != quant.NoActivation {
		return
	}
	activation := n.Op.(Fusing).Activation()
	behind := map[quant.Activation]Op{quant.Relu: Relu{}, quant.Relu6: Relu6{}}[activation]
	if !ok || activation != quant.NoActivation && behind == nil {
		return
	}
	both := before.then(a)
	vector := func(suffix string, values []float64) *Tensor {
		t := &Tensor{Name: g.Unique(n.Name + suffix), Role: Constant, Shape: []int{len(values)}}
		rounded := make([]float32, len(values))
		for i, v := range values {
			rounded[i] = float32(v)
		}
		t.Data = rounded
		return t
	}
	n.Op, n.Inputs = Affine{}, []*Tensor{x, vector("/factor", both.factor), vector("/shift", both.shift)}
	g.Remove(p)
	if behind != nil {
		out := n.Output
		n.Output = &Tensor{Name: g.Unique(n.Name + "/affine"), Type: out.Type, Shape: slices.Clone(out.Shape)}
		at := slices.Index(g.Nodes, n) + 1
		g.Nodes = slices.Insert(g.Nodes, at, &Node{Name: g.Unique(n.Name + "/activation"), Op: behind, Inputs: []*Tensor{n.Output}, Output: out})
	}
}
