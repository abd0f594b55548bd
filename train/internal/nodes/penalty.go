package nodes

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// penalty adds the [graph.Penalty] of a parameter to the loss and its gradient.
// It works behind the machine, on the gradient that the machine has left.
type penalty struct {
	graph.Penalty
	w    []float32
	grad []float32 // nil outside training
	// unreached says that the machine does not write grad.
	unreached bool
	magnitude []float32 // nil without L1
}

// addPenalties takes note of the parameters that have a penalty.
func (c *compiler) addPenalties() {
	for i, t := range c.net.Parameters() {
		if t.Penalty == (graph.Penalty{}) {
			continue
		}
		p := penalty{Penalty: t.Penalty, w: t.Float32s(), unreached: !c.live[t]}
		if c.config.Training {
			p.grad = c.step.gradients[i]
		}
		if p.L1 != 0 {
			p.magnitude = make([]float32, len(p.w))
		}
		c.step.penalties = append(c.step.penalties, p)
	}
}

// value returns the penalty, summed in the order of [f32.Sum].
func (p *penalty) value() float32 {
	sum := float32(p.L2 * f32.Dot(p.w, p.w))
	if p.L1 != 0 {
		for i, v := range p.w {
			p.magnitude[i] = max(v, -v)
		}
		sum += float32(p.L1 * f32.Sum(p.magnitude))
	}
	return sum
}

// addGradient adds the penalty's gradient to the parameter's.
func (p *penalty) addGradient() {
	if p.unreached {
		clear(p.grad)
	}
	twice := 2 * p.L2
	for i, v := range p.w {
		g := float32(twice * v)
		switch {
		case v > 0:
			g += p.L1
		case v < 0:
			g -= p.L1
		}
		p.grad[i] += g
	}
}

// penalize adds all penalties to what the machine computed.
func (s *Step) penalize() {
	s.penalty = 0
	for i := range s.penalties {
		p := &s.penalties[i]
		s.penalty += p.value()
		if p.grad != nil {
			p.addGradient()
		}
	}
}
