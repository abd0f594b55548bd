package graph

import (
	"fmt"
	"math"
)

// FoldFactor writes gamma/sqrt(variance + epsilon), computed in float64 and
// rounded once. All slices are [C].
func FoldFactor(dst, gamma, variance []float32, epsilon float32) {
	for c := range dst {
		dst[c] = float32(float64(gamma[c]) / math.Sqrt(float64(variance[c])+float64(epsilon)))
	}
}

// FoldShift writes beta + (bias - mean)*factor, computed in float64 and rounded
// once. All slices are [C]; bias may be nil for zero.
func FoldShift(dst, factor, beta, mean, bias []float32) {
	for c := range dst {
		b := 0.0
		if bias != nil {
			b = float64(bias[c])
		}
		dst[c] = float32(float64(beta[c]) + float64((b-float64(mean[c]))*float64(factor[c])))
	}
}

// ScaleChannels writes w*factor, channel by channel.
// Shapes: dst and w [..., C, ...] with inner elements behind the axis of the
// channels, see [Inner]; factor [C].
func ScaleChannels(dst, w, factor []float32, inner int) {
	for len(w) > 0 {
		for _, f := range factor {
			for i, v := range w[:inner] {
				dst[i] = v * f
			}
			dst, w = dst[inner:], w[inner:]
		}
	}
}

// BatchNormAffine returns what a BatchNorm node does at inference to an anchor
// with the given bias (nil for none): the factor of [FoldFactor] and the bias of
// [FoldShift], both [C].
//
// Errors: results that are not finite, by node and channel.
func BatchNormAffine(bn *Node, bias []float32) (factor, shift []float32, err error) {
	gamma, beta := bn.Inputs[InputGamma].Float32s(), bn.Inputs[InputBeta].Float32s()
	mean, variance := bn.Inputs[InputMean].Float32s(), bn.Inputs[InputVariance].Float32s()
	factor, shift = make([]float32, len(gamma)), make([]float32, len(gamma))
	FoldFactor(factor, gamma, variance, bn.Op.(BatchNorm).Epsilon)
	FoldShift(shift, factor, beta, mean, bias)
	return factor, shift, checkFold(bn, factor, shift)
}

// checkFold reports factors and shifts that are not finite.
func checkFold(n *Node, factor, shift []float32) error {
	for c, f := range factor {
		if f-f != 0 || shift[c]-shift[c] != 0 {
			return fmt.Errorf("graph: node %q: channel %d: BatchNorm statistics are not finite or the variance is negative (factor %v, shift %v)", n.Name, c, f, shift[c])
		}
	}
	return nil
}

// FoldedWeights returns what a FoldWeights node computes.
func FoldedWeights(n *Node) []float32 {
	op, w := n.Op.(FoldWeights), n.Inputs[0]
	gamma, variance := n.Inputs[1].Float32s(), n.Inputs[2].Float32s()
	factor := make([]float32, len(gamma))
	FoldFactor(factor, gamma, variance, op.Epsilon)
	folded := make([]float32, w.Elements())
	ScaleChannels(folded, w.Float32s(), factor, Inner(w.Shape, op.Axis))
	return folded
}

// FoldedBias returns what a FoldBias node computes.
//
// Errors: results that are not finite, by node and channel.
func FoldedBias(n *Node) ([]float32, error) {
	gamma, variance := n.Inputs[0].Float32s(), n.Inputs[1].Float32s()
	beta, mean := n.Inputs[2].Float32s(), n.Inputs[3].Float32s()
	var bias []float32
	if b := n.Input(4); b != nil {
		bias = b.Float32s()
	}
	factor, shift := make([]float32, len(gamma)), make([]float32, len(gamma))
	FoldFactor(factor, gamma, variance, n.Op.(FoldBias).Epsilon)
	FoldShift(shift, factor, beta, mean, bias)
	return shift, checkFold(n, factor, shift)
}
