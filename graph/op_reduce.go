package graph

import (
	"fmt"
	"slices"
)

// Reducer says which axes a reduction makes one number of.
type Reducer struct {
	// Axes are neighbours in any order; negative ones count from the last axis.
	Axes []int `json:"axes"`
	// KeepDims leaves an axis of size 1 in the place of each.
	KeepDims bool `json:"keep_dims"`
}

// Mean is the arithmetic mean over some axes.
//
// Shapes: x [N, ...]; y as x without the axes, or with size 1 there.
//
// Quantized: the output has parameters of its own; the integer sum is multiplied
// by s_x/(n*s_y) in fixed point.
type Mean struct{ Reducer }

func (Mean) Name() string { return "MEAN" }
func (Mean) Class() Class { return Requantize }

// ReduceMax is the maximum over some axes.
//
// Shapes: x [N, ...]; y as x without the axes, or with size 1 there.
//
// Quantized: input and output share scale and zero point; codes are copied.
type ReduceMax struct{ Reducer }

func (ReduceMax) Name() string { return "REDUCE_MAX" }
func (ReduceMax) Class() Class { return SameScale }

// Infer implements [Op].
func (o Reducer) Infer(in [][]int) ([]int, error) {
	if err := arity(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	first, end, err := o.span(len(x))
	if err != nil {
		return nil, err
	}
	y := slices.Clone(x)
	if !o.KeepDims {
		return slices.Delete(y, first, end), nil
	}
	for axis := first; axis < end; axis++ {
		y[axis] = 1
	}
	return y, nil
}

// Fold returns x as [outer, count, inner], where count elements make one. The
// shape must be one that Infer takes.
func (o Reducer) Fold(x []int) (outer, count, inner int) {
	first, end, _ := o.span(len(x)) // checked by Infer
	return Elements(x[:first]), Elements(x[first:end]), Elements(x[end:])
}

// span returns the axes of a tensor of the given rank as a half-open range.
func (o Reducer) span(rank int) (first, end int, err error) {
	axes := slices.Clone(o.Axes)
	for i, a := range axes {
		if a < -rank || a >= rank {
			return 0, 0, fmt.Errorf("axis %d of a tensor with %d axes", a, rank)
		}
		if a < 0 {
			axes[i] += rank
		}
	}
	slices.Sort(axes)
	axes = slices.Compact(axes)
	switch {
	case len(axes) == 0:
		return 0, 0, fmt.Errorf("no axes to reduce")
	case axes[0] == 0:
		return 0, 0, fmt.Errorf("axes %v: the batch, the first axis, cannot be reduced", o.Axes)
	}
	first, end = axes[0], axes[len(axes)-1]+1
	if end-first != len(axes) {
		return 0, 0, fmt.Errorf("axes %v are not neighbours: reduce those that are, one operator after the other", o.Axes)
	}
	return first, end, nil
}
