package posttrain

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// AbsorbBiases returns the float network net with high biases moved to the next
// layer, so that activations span less: high-bias absorption. Dropout and
// BatchNorm are folded first. A channel behind ReLU that is never below c over
// the samples, and that only anchors without padding read, loses c:
//
//	b1[i] -= c[i],  b2[.] += sum of w2[.,i]*c[i],  c[i] = min(y[i]) > 0
//
// The network computes the same but for rounding errors, as far as the values are
// in the range of the samples; lower ones are clipped. Behind ReLU6 the same is
// done to channels that never reach 6.
//
// Errors: BatchNorm statistics and samples that are not finite; samples that do
// not fit the network; ctx's error.
//
// Source: M. Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, ICCV 2019, section 4.1.3, with observed minima in the place of
// those that BatchNorm foretells.
func AbsorbBiases(ctx context.Context, net *graph.Graph, samples data.Dataset, s Sampling) (*graph.Graph, error) {
	g, err := folded(net)
	if err != nil {
		return nil, err
	}
	var list []link
	for _, l := range links(g) {
		if a := l.group.Fused(); l.shifts && (a == quant.Relu || a == quant.Relu6) {
			list = append(list, l)
		}
	}
	ranges, err := extremes(ctx, g, list, samples, s, "absorption")
	if err != nil {
		return nil, fmt.Errorf("posttrain: absorb biases: %w", err)
	}
	for _, l := range list {
		l.absorb(g, ranges[l.group.Output()])
	}
	return g, check(g)
}

// absorb moves the least value of each channel.
func (l *link) absorb(g *graph.Graph, ranges []quant.Range) {
	private(g, l.group.Head)
	bias := l.group.Head.Inputs[graph.InputBias].Float32s()
	least := make([]float32, len(bias))
	for c, r := range ranges {
		lo, hi := r.Bounds()
		if l.group.Fused() == quant.Relu || hi < six {
			least[c] = max(lo, 0)
		}
		bias[c] -= least[c]
	}
	for _, r := range l.readers {
		private(g, r)
		bias := r.Inputs[graph.InputBias].Float32s()
		sums := make([]float64, len(bias))
		l.inner(r, func(c, o int, w *float32) { sums[o] += float64(*w) * float64(least[c]) })
		for o := range bias {
			bias[o] = float32(float64(bias[o]) + sums[o])
		}
	}
}
