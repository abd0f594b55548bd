package layers

import "github.com/goqat/goqat/graph"

// Regularizer is a penalty on the size of weights, which training adds to the
// loss: [L1], [L2] or [L1L2].
type Regularizer interface{ Penalty() graph.Penalty }

// L1 adds L1*sum(|w|) to the loss, which drives weights to zero.
//
// Source: Keras 3, regularizers.L1.
type L1 struct{ L1 float32 } // 0 means 0.01

// L2 adds L2*sum(w^2) to the loss, which keeps weights small.
//
// Source: Keras 3, regularizers.L2.
type L2 struct{ L2 float32 } // 0 means 0.01

// L1L2 adds L1*sum(|w|) + L2*sum(w^2) to the loss; both factors are 0 unless set.
//
// Source: Keras 3, regularizers.L1L2.
type L1L2 struct{ L1, L2 float32 }

// Penalty implements [Regularizer].
func (r L1) Penalty() graph.Penalty { return graph.Penalty{L1: numberOr(r.L1, 0.01)} }

// Penalty implements [Regularizer].
func (r L2) Penalty() graph.Penalty { return graph.Penalty{L2: numberOr(r.L2, 0.01)} }

// Penalty implements [Regularizer].
func (r L1L2) Penalty() graph.Penalty { return graph.Penalty(r) }

// Constraint is what training restores of weights after each update: [MaxNorm],
// [UnitNorm] or [NonNeg].
//
// Norms are taken over the weights of one unit: the inputs of one output of
// Dense, the window of one filter of a convolution. Keras leaves the axes to the
// user and has Dense's as the default; for a convolution the same takes
// axis=[0, 1, 2] there. A vector, such as a bias, is one unit.
type Constraint interface{ Constraint() graph.Constraint }

// MaxNorm scales the weights v of a unit by MaxValue/sqrt(sum(v^2)) where that is
// below 1.
//
// Source: Keras 3, constraints.MaxNorm, which also scales other units, by
// norm/(norm + 1e-7).
type MaxNorm struct{ MaxValue float32 } // 0 means 2

// UnitNorm divides the weights v of a unit by sqrt(sum(v^2)) + 1e-7.
//
// Source: Keras 3, constraints.UnitNorm.
type UnitNorm struct{}

// NonNeg replaces negative weights by 0.
//
// Source: Keras 3, constraints.NonNeg.
type NonNeg struct{}

// Constraint implements [Constraint].
func (c MaxNorm) Constraint() graph.Constraint {
	return graph.Constraint{Bound: graph.MaxNorm, Max: numberOr(c.MaxValue, 2)}
}

// Constraint implements [Constraint].
func (UnitNorm) Constraint() graph.Constraint { return graph.Constraint{Bound: graph.UnitNorm} }

// Constraint implements [Constraint].
func (NonNeg) Constraint() graph.Constraint { return graph.Constraint{Bound: graph.NonNeg} }

// numberOr returns v, or the default where it is zero.
func numberOr(v, byDefault float32) float32 {
	if v == 0 {
		return byDefault
	}
	return v
}

// rule is what training keeps to for one parameter.
type rule struct {
	penalty    graph.Penalty
	constraint graph.Constraint
}

// Rule sets the regularizer and the constraint, nil for none, of the layer's
// parameter with the given suffix, if [Builder.Parameter] makes one afterwards.
func (b *Builder) Rule(suffix string, r Regularizer, c Constraint) {
	var to rule
	if r != nil {
		to.penalty = r.Penalty()
	}
	if c != nil {
		to.constraint = c.Constraint()
	}
	if b.rules == nil {
		b.rules = map[string]rule{}
	}
	b.rules[suffix] = to
}
