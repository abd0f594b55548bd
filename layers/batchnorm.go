package layers

import (
	"fmt"

	"github.com/goqat/goqat/graph"
)

// BatchNorm normalizes each channel (the last axis) by the mean and variance of
// the batch while training, and by their moving averages afterwards; see
// [graph.BatchNorm] for the formulas.
//
// Shapes: any [N, ..., C]; y as x; gamma, beta, moving mean and variance [C].
//
// Quantized: it folds into the convolution or dense layer directly before it and
// costs nothing there, so put it between that and the activation. Anywhere else
// it is a 1x1 depthwise convolution; see [graph.AnchorBatchNorm].
//
// Errors: Momentum outside [0, 1), Epsilon that is negative or not finite; an
// input [N] without channels ([*graph.ShapeError]).
//
// Source: Keras 3, BatchNormalization.
type BatchNorm struct {
	Momentum float32 // of the moving averages; zero: 0.99
	Epsilon  float32 // added to the variance; zero: 0.001
	Name     string

	GammaRegularizer, BetaRegularizer Regularizer
	GammaConstraint, BetaConstraint   Constraint
}

// Identity implements [Layer].
func (l BatchNorm) Identity() (class, name string) { return "BatchNormalization", l.Name }

// Lower implements [Layer].
func (l BatchNorm) Lower(b *Builder, x *graph.Tensor) (*graph.Tensor, error) {
	op := graph.BatchNorm{Momentum: l.Momentum, Epsilon: l.Epsilon}
	if op.Momentum == 0 {
		op.Momentum = 0.99
	}
	if op.Epsilon == 0 {
		op.Epsilon = 1e-3
	}
	if !(op.Momentum > 0 && op.Momentum < 1) {
		return nil, fmt.Errorf("momentum is %v, want a number between 0 and 1", l.Momentum)
	}
	if !(op.Epsilon > 0) || op.Epsilon-op.Epsilon != 0 {
		return nil, fmt.Errorf("epsilon is %v, want a positive number", l.Epsilon)
	}
	b.Rule("gamma", l.GammaRegularizer, l.GammaConstraint)
	b.Rule("beta", l.BetaRegularizer, l.BetaConstraint)
	inputs := []*graph.Tensor{x}
	for _, v := range []struct {
		suffix string
		create func(string, []int, Initializer) (*graph.Tensor, error)
		init   Initializer
	}{
		{"gamma", b.Parameter, Ones{}},
		{"beta", b.Parameter, Zeros{}},
		{"moving_mean", b.Statistic, Zeros{}},
		{"moving_variance", b.Statistic, Ones{}},
	} {
		t, err := v.create(v.suffix, x.Shape[len(x.Shape)-1:], v.init)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, t)
	}
	return b.Add("", op, inputs...)
}
