package graph

import (
	"fmt"
	"math"
)

// DropDropout removes Dropout nodes: outside training they are the identity.
var DropDropout = Pass{"drop dropout", func(g *Graph) error {
	for _, n := range append([]*Node(nil), g.Nodes...) {
		if _, ok := n.Op.(Dropout); ok {
			g.Replace(n.Output, n.Inputs[0])
			g.Remove(n)
		}
	}
	return nil
}}

// FoldBatchNorm multiplies each BatchNorm of a float graph into the anchor
// before it, with the moving statistics:
//
//	f = gamma/sqrt(variance + epsilon)
//	w' = w*f per output channel,  b' = beta + (b - mean)*f
//
// Errors: a BatchNorm that does not directly follow an anchor, by name.
var FoldBatchNorm = Pass{"fold batch norm", func(g *Graph) error {
	for _, gr := range g.Groups() {
		if gr.BatchNorm == nil {
			continue
		}
		if err := g.foldInto(gr.Anchor, gr.BatchNorm); err != nil {
			return err
		}
		g.absorb(gr.Anchor, gr.BatchNorm)
	}
	return g.NoBatchNorm()
}}

// NoBatchNorm reports a BatchNorm node, by name: one that no anchor before it
// can absorb.
func (g *Graph) NoBatchNorm() error {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(BatchNorm); ok {
			return fmt.Errorf("graph: node %q: a BatchNorm can be folded only into a convolution or dense layer directly before it, without an activation between: move it there", n.Name)
		}
	}
	return nil
}

// absorb removes next, which alone reads n's output, and any Dropout between
// them; n takes over next's output, name included.
func (g *Graph) absorb(n, next *Node) {
	for between := next; between != n; between = g.Producer(between.Inputs[InputX]) {
		defer g.Remove(between)
	}
	n.Output = next.Output
}

// foldInto replaces the anchor's weights and bias by the folded ones.
func (g *Graph) foldInto(anchor, bn *Node) error {
	w := anchor.Inputs[InputWeights]
	values := w.Float32s()
	if values == nil {
		return fmt.Errorf("graph: node %q: weights %q are not float32 data", anchor.Name, w.Name)
	}
	var bias []float32
	if b := anchor.Input(InputBias); b != nil {
		bias = b.Float32s()
	}
	factor, shift, err := BatchNormAffine(bn, bias)
	if err != nil {
		return err
	}
	folded := make([]float32, len(values))
	ScaleChannels(folded, values, factor)
	anchor.Inputs = []*Tensor{
		anchor.Inputs[InputX],
		{Name: w.Name, Role: Parameter, Shape: w.Shape, Data: folded},
		{Name: g.biasName(anchor), Role: Parameter, Shape: []int{len(shift)}, Data: shift},
	}
	return nil
}

// biasName returns the name of an anchor's bias, whether it has one or not.
func (g *Graph) biasName(anchor *Node) string {
	if b := anchor.Input(InputBias); b != nil {
		return b.Name
	}
	return g.Unique(anchor.Name + "/bias")
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
	for c, f := range factor {
		if !finite(f) || !finite(shift[c]) {
			return nil, nil, fmt.Errorf("graph: node %q: channel %d has gamma %v, beta %v, mean %v, variance %v", bn.Name, c, gamma[c], beta[c], mean[c], variance[c])
		}
	}
	return factor, shift, nil
}

func finite(v float32) bool { return v-v == 0 }

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

// ScaleChannels writes w*factor, channel by channel along the first axis.
// Shapes: dst and w [C, ...]; factor [C].
func ScaleChannels(dst, w, factor []float32) {
	inner := len(w) / len(factor)
	for i, v := range w {
		dst[i] = v * factor[i/inner]
	}
}

// FuseActivations absorbs activations into the anchors before them.
var FuseActivations = Pass{"fuse activations", func(g *Graph) error {
	for _, gr := range g.Groups() {
		if gr.Activation == nil || gr.BatchNorm != nil {
			continue
		}
		gr.Anchor.Op = gr.Anchor.Op.(Anchored).Fuse(gr.Fused())
		g.absorb(gr.Anchor, gr.Activation)
	}
	return nil
}}
