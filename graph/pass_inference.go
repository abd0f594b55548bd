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
		g.Replace(gr.BatchNorm.Output, gr.BatchNorm.Inputs[InputX])
		g.Remove(gr.BatchNorm)
	}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(BatchNorm); ok {
			return fmt.Errorf("graph: node %q: a BatchNorm can be folded only into a convolution or dense layer directly before it, without activation between", n.Name)
		}
	}
	return nil
}}

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
	inner := len(values) / len(factor)
	for i, v := range values {
		folded[i] = v * factor[i/inner]
	}
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

// BatchNormAffine returns the per-channel factor gamma/sqrt(variance+epsilon)
// and the bias beta + (bias-mean)*factor that a BatchNorm node applies at
// inference to an anchor with the given bias (nil for none). Computed in
// float64, rounded once.
//
// Errors: statistics that are NaN, infinite or negative, by tensor and channel.
func BatchNormAffine(bn *Node, bias []float32) (factor, shift []float32, err error) {
	op := bn.Op.(BatchNorm)
	gamma, beta := bn.Inputs[InputGamma].Float32s(), bn.Inputs[InputBeta].Float32s()
	mean, variance := bn.Inputs[InputMean].Float32s(), bn.Inputs[InputVariance].Float32s()
	factor, shift = make([]float32, len(gamma)), make([]float32, len(gamma))
	for c := range gamma {
		f := float64(gamma[c]) / math.Sqrt(float64(variance[c])+float64(op.Epsilon))
		b := 0.0
		if bias != nil {
			b = float64(bias[c])
		}
		s := float64(beta[c]) + float64((b-float64(mean[c]))*f)
		if math.IsNaN(f) || math.IsNaN(s) || math.IsInf(f, 0) || math.IsInf(s, 0) {
			return nil, nil, fmt.Errorf("graph: node %q: channel %d has gamma %v, beta %v, mean %v, variance %v", bn.Name, c, gamma[c], beta[c], mean[c], variance[c])
		}
		factor[c], shift[c] = float32(f), float32(s)
	}
	return factor, shift, nil
}

// FuseActivations absorbs activations into the anchors before them.
var FuseActivations = Pass{"fuse activations", func(g *Graph) error {
	for _, gr := range g.Groups() {
		if gr.Activation == nil || gr.BatchNorm != nil {
			continue
		}
		gr.Anchor.Op = gr.Anchor.Op.(Anchored).Fuse(gr.Fused())
		g.Replace(gr.Activation.Output, gr.Activation.Inputs[0])
		g.Remove(gr.Activation)
	}
	return nil
}}
