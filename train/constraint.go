package train

import (
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
)

// normEpsilon keeps norms from dividing by zero. Source: Keras 3, epsilon.
const normEpsilon = 1e-7

// projection restores the [graph.Constraint] of one parameter.
type projection struct {
	graph.Constraint
	w []float32
	// The weights of unit u are those at [o, u, i], of shape [outer, units, inner].
	outer, units, inner int
	unit                []float32
}

// projections returns those of the constrained parameters of g.
func projections(g *graph.Graph) []projection {
	var list []projection
	for _, t := range g.Parameters() {
		if t.Constraint.Bound == graph.Unbounded {
			continue
		}
		p := projection{Constraint: t.Constraint, w: t.Float32s(), outer: 1, units: 1, inner: t.Elements()}
		if axis := g.UnitAxis(t); axis >= 0 {
			p.outer, p.units, p.inner = graph.Elements(t.Shape[:axis]), t.Shape[axis], graph.Elements(t.Shape[axis+1:])
		}
		p.unit = make([]float32, p.outer*p.inner)
		list = append(list, p)
	}
	return list
}

// apply changes the parameter to satisfy its constraint.
func (p *projection) apply() {
	if p.Bound == graph.NonNeg {
		for i, v := range p.w {
			p.w[i] = max(v, 0)
		}
		return
	}
	for u := range p.units {
		for o := range p.outer {
			copy(p.unit[o*p.inner:], p.w[(o*p.units+u)*p.inner:][:p.inner])
		}
		norm := sqrt32(f32.Dot(p.unit, p.unit))
		goal := float32(1)
		if p.Bound == graph.MaxNorm {
			if goal = p.Max; norm <= goal {
				continue
			}
		}
		factor := goal / (norm + normEpsilon)
		for o := range p.outer {
			for i := range p.inner {
				p.w[(o*p.units+u)*p.inner+i] *= factor
			}
		}
	}
}
