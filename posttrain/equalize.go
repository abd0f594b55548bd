package posttrain

import (
	"context"
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// Equalize returns the float network net with channels rescaled so that weights
// with one scale for all of them lose less: cross-layer equalization. Dropout and
// BatchNorm are folded first. Where only anchors (convolutions, dense) read the
// channels of another, through ReLU, pools, reshapes and the like, a positive
// factor of each channel passes from one to the other:
//
//	w1[i] /= s[i],  b1[i] /= s[i],  w2[.,i] *= s[i],  s[i] = sqrt(max|w1[i]| / max|w2[.,i]|)
//
// whereupon both maxima are their geometric mean; this is repeated along the
// network until no factor moves.
//
// The network computes the same but for rounding errors, with one exception:
// behind ReLU6, channels that reach 6 in the samples stay, and factors of others
// keep them from reaching it. Values beyond those of the samples may be clipped.
// Without samples (nil), nothing behind ReLU6 is changed.
//
// Errors: BatchNorm statistics and samples that are not finite; samples that do
// not fit the network; ctx's error.
//
// Source: M. Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, ICCV 2019, equation 11.
func Equalize(ctx context.Context, net *graph.Graph, samples data.Dataset, s Sampling) (*graph.Graph, error) {
	g, err := folded(net)
	if err != nil {
		return nil, err
	}
	var list, clamped []link
	for _, l := range links(g) {
		switch l.group.Fused() {
		case quant.NoActivation, quant.Relu:
			list = append(list, l)
		case quant.Relu6:
			if samples != nil {
				list, clamped = append(list, l), append(clamped, l)
			}
		}
	}
	ranges := map[*graph.Tensor][]quant.Range{}
	if len(clamped) > 0 {
		if ranges, err = extremes(ctx, g, clamped, samples, s, "equalization"); err != nil {
			return nil, fmt.Errorf("posttrain: equalize: %w", err)
		}
	}
	for _, l := range list {
		private(g, l.group.Head)
		for _, r := range l.readers {
			private(g, r)
		}
	}
	// Each round moves a chain of links toward a common fixed point; the number
	// of rounds bounds the time, as the square root halves what is left.
	const rounds = 40
	for range rounds {
		moved := 0.0
		for _, l := range list {
			moved = max(moved, l.equalize(ranges[l.group.Output()]))
		}
		if moved < 1e-3 {
			break
		}
	}
	return g, check(g)
}

// six is where ReLU6 clamps.
const six = 6

// equalize rescales the channels of one link and returns the largest logarithm of
// a factor. maxima are those of a ReLU6 and follow the factors.
func (l *link) equalize(maxima []quant.Range) (moved float64) {
	before, behind := l.maxima()
	factor := make([]float32, len(before))
	for c := range factor {
		factor[c] = 1
		s := math.Sqrt(before[c] / behind[c])
		if !(s > 0) || math.IsInf(s, 0) { // a dead channel
			continue
		}
		if maxima != nil {
			switch _, top := maxima[c].Bounds(); {
			case top >= six:
				continue
			default:
				s = max(s, float64(top)/six)
				maxima[c].Max = float32(float64(top) / s)
			}
		}
		factor[c] = float32(s)
		moved = max(moved, math.Abs(math.Log(s)))
	}
	l.outer(func(c int, w *float32) { *w /= factor[c] })
	bias := l.group.Head.Inputs[graph.InputBias].Float32s()
	for c := range bias {
		bias[c] /= factor[c]
	}
	for _, r := range l.readers {
		l.inner(r, func(c, _ int, w *float32) { *w *= factor[c] })
	}
	return moved
}

// maxima returns the largest magnitudes of the weights of each channel, before
// the link and behind it.
func (l *link) maxima() (before, behind []float64) {
	before, behind = make([]float64, l.channels()), make([]float64, l.channels())
	l.outer(func(c int, w *float32) { before[c] = max(before[c], math.Abs(float64(*w))) })
	for _, r := range l.readers {
		l.inner(r, func(c, _ int, w *float32) { behind[c] = max(behind[c], math.Abs(float64(*w))) })
	}
	return before, behind
}
