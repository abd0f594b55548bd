package nodes

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// tail is what follows a layer's sums and runs with it as one operator: an
// activation, fake quantization by one scale and, behind a convolution, maxima over
// windows. The layer writes the tail's
// output; what lies between is never stored, and the gradient passes by one bit
// per element.
type tail struct {
	f32.Tail
	output   *graph.Tensor
	absorbed []*graph.Node

	quantizer *graph.Quantizer // nil without fake quantization
	rule      graph.Rounding
	observe   bool
	seen      extent
	mask      []uint8 // nil without a gradient

	pool *f32.PooledConv // the layer with maxima over windows behind it; nil without
}

// plan finds the tails. Tensors that something else reads, as the loss reads
// source, are no part of one.
func (c *compiler) plan(source *graph.Tensor) {
	readers := map[*graph.Tensor][]*graph.Node{}
	for _, n := range c.net.Nodes {
		for _, t := range n.Inputs {
			if t != nil {
				readers[t] = append(readers[t], n)
			}
		}
	}
	only := func(t *graph.Tensor) *graph.Node {
		if r := readers[t]; len(r) == 1 && t != source && !slices.Contains(c.net.Outputs, t) {
			return r[0]
		}
		return nil
	}
	absorbed := map[*graph.Node]bool{}
	for _, n := range c.net.Nodes {
		if absorbed[n] {
			continue
		}
		t := &tail{output: n.Output}
		next := func() *graph.Node { return only(t.output) }
		take := func(n *graph.Node) {
			t.output, t.absorbed = n.Output, append(t.absorbed, n)
		}
		var act quant.Activation
		switch op := n.Op.(type) {
		case graph.Anchored:
			act = op.Activation()
		case graph.BatchNorm:
		default:
			continue
		}
		if r := next(); r != nil && act == quant.NoActivation {
			if op, ok := r.Op.(graph.Fusable); ok {
				act = op.Fused()
				take(r)
			}
		}
		if r := next(); r != nil && tailRounds(r) {
			op := r.Op.(graph.FakeQuant)
			t.quantizer, t.rule = op.Quantizer, c.net.RoundingOf(r)
			t.observe = op.Observe && op.Quantizer.Source == graph.MovingAverage && c.config.Training
			take(r)
		}
		if r := next(); r != nil {
			if l := c.pooled(n, r); l != nil {
				t.pool = l
				take(r)
			}
		}
		if t.absorbed == nil {
			continue
		}
		t.Activate(act)
		for _, a := range t.absorbed {
			absorbed[a] = true
			c.absorbed[a] = true
		}
		c.tails[n] = t
	}
	c.planNorms(only)
}

// tailRounds says whether a node is fake quantization by one scale that is known
// before the values are.
func tailRounds(n *graph.Node) bool {
	op, ok := n.Op.(graph.FakeQuant)
	if !ok || op.Mean {
		return false
	}
	q := op.Quantizer
	return q.Source == graph.MovingAverage || q.Source == graph.Fixed && !q.FixedParams.PerChannel()
}

// prepare allocates what steps need.
func (t *tail) prepare(c *compiler) {
	if c.trained[t.output] && t.pool == nil {
		t.mask = make([]uint8, f32.MaskLen(c.elements(t.output)))
	}
	if t.observe {
		c.step.observer(t.quantizer, &t.seen)
	}
}

// begin takes the quantizer's present scale.
func (t *tail) begin() error {
	t.Pass()
	if q := t.quantizer; q != nil && q.Known() {
		scale, zero, err := q.Scale()
		if err != nil {
			return fmt.Errorf("fake quantization: %w", err)
		}
		t.Round(scale, zero, t.rule.Grid())
	}
	return nil
}

// run works in place.
func (t *tail) run(y []float32) error {
	if err := t.begin(); err != nil {
		return err
	}
	t.see(t.Run(y, t.mask))
	return nil
}

// see keeps what was observed.
func (t *tail) see(lo, hi float32, nan bool) { t.seen = extent{lo, hi, nan} }
