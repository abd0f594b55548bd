package export

import (
	"fmt"
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// foldRescaling removes the Affine nodes of a quantized graph, which are all
// [graph.Graph.Rescaled]: the anchors that they reach take the factor into their
// weights, as scales or values, and the codes of the input stay what they are, at
// 1/factor of the scale.
var foldRescaling = graph.Pass{Name: "fold rescaling", Run: func(g *graph.Graph) error {
	for _, n := range affines(g) {
		factor, uniform := graph.Uniform(n)
		anchors, ok := g.ScaleReaders(n.Output)
		if !ok || !uniform {
			return fmt.Errorf("node %q: not only operators with weights read what it scales", n.Name)
		}
		for _, a := range anchors {
			a.Inputs = slices.Clone(a.Inputs)
			a.Inputs[graph.InputWeights] = scaled(a.Inputs[graph.InputWeights], factor)
		}
		for _, r := range g.Consumers(n.Output) {
			if f, ok := r.Op.(graph.FakeQuant); ok && f.Quantizer.Source == graph.MovingAverage {
				p, err := f.Quantizer.Params()
				if err != nil {
					return err
				}
				p = quant.PerTensor(float32(float64(p.Scale[0])/float64(factor)), p.ZeroPoint[0])
				*f.Quantizer = graph.Quantizer{Name: f.Quantizer.Name, Bits: f.Quantizer.Bits, Axis: -1, Source: graph.Fixed, FixedParams: &p}
			}
		}
		g.Replace(n.Output, n.Inputs[graph.InputX])
		g.Remove(n)
	}
	return nil
}}

// affines returns the Affine nodes, the last one first.
func affines(g *graph.Graph) (list []*graph.Node) {
	for _, n := range slices.Backward(g.Nodes) {
		if _, ok := n.Op.(graph.Affine); ok {
			list = append(list, n)
		}
	}
	return list
}

// scaled returns weights, codes or values, that stand for factor times as much.
func scaled(w *graph.Tensor, factor float32) *graph.Tensor {
	s := *w
	if w.Quant == nil {
		values := slices.Clone(w.Float32s())
		for i := range values {
			values[i] *= factor
		}
		s.Data = values
		return &s
	}
	p := quant.Params{Scale: slices.Clone(w.Quant.Scale), ZeroPoint: w.Quant.ZeroPoint, Axis: w.Quant.Axis}
	for i := range p.Scale {
		p.Scale[i] *= factor
	}
	s.Quant = &p
	return &s
}

// foldAffine removes the Affine nodes of a float graph. Where only anchors read
// one, directly or behind a Reshape, it goes into their weights and biases:
//
//	w'[o,...,c] = w[o,...,c]*factor[c],  b'[o] = b[o] + sum of w[o,...,c]*shift[c]
//
// which holds unless a shift meets windows that reach outside of their image. One
// positive factor for all channels passes pools, too. Any other Affine becomes a
// 1x1 depthwise convolution.
var foldAffine = graph.Pass{Name: "fold affine", Run: func(g *graph.Graph) error {
	takeAffines(g)
	if err := graph.AnchorAffine.Run(g); err != nil {
		return err
	}
	takeAffines(g) // those in front of what is now an anchor
	return nil
}}

// takeAffines folds each Affine that its readers can take.
func takeAffines(g *graph.Graph) {
	for _, n := range affines(g) {
		anchors, ok := g.ScaleReaders(n.Output)
		if _, uniform := graph.Uniform(n); !uniform {
			ok = ok && !slices.ContainsFunc(anchors, func(a *graph.Node) bool { return !takes(g, a, n) })
		}
		if !ok {
			continue
		}
		for _, a := range anchors {
			take(g, a, n)
		}
		g.Replace(n.Output, n.Inputs[graph.InputX])
		g.Remove(n)
	}
}

// takes reports whether anchor a can take what the Affine n does to each channel.
func takes(g *graph.Graph, a, n *graph.Node) bool {
	for x := a.Inputs[graph.InputX]; x != n.Output; {
		p := g.Producer(x)
		if _, ok := p.Op.(graph.Reshape); !ok {
			return false
		}
		x = p.Inputs[0]
	}
	shift := n.Inputs[graph.InputShift]
	shifts := slices.ContainsFunc(shift.Float32s(), func(v float32) bool { return v != 0 })
	channels, _ := graph.InputChannels(a)
	return channels%shift.Elements() == 0 && !(shifts && graph.PadsInput(a))
}

// take multiplies the Affine n into the weights and bias of anchor a.
func take(g *graph.Graph, a, n *graph.Node) {
	factor, shift := n.Inputs[graph.InputFactor].Float32s(), n.Inputs[graph.InputShift].Float32s()
	w, axis := a.Inputs[graph.InputWeights], a.Op.(graph.Anchored).ChannelAxis()
	channels, each := graph.InputChannels(a)
	values, sums := make([]float32, w.Elements()), make([]float64, w.Shape[axis])
	inner, shifts := graph.Inner(w.Shape, axis), false
	for i, v := range w.Float32s() {
		c := i / each % channels % len(factor)
		values[i] = v * factor[c]
		sums[i/inner%len(sums)] += float64(v) * float64(shift[c])
		shifts = shifts || shift[c] != 0
	}
	weights := *w
	weights.Data = values
	a.Inputs = []*graph.Tensor{a.Inputs[graph.InputX], &weights, a.Input(graph.InputBias)}
	if !shifts {
		return
	}
	bias := &graph.Tensor{Name: graph.BiasName(g, a), Role: graph.Parameter, Shape: []int{len(sums)}}
	if b := a.Input(graph.InputBias); b != nil {
		for o, v := range b.Float32s() {
			sums[o] += float64(v)
		}
	}
	shifted := make([]float32, len(sums))
	for o, v := range sums {
		shifted[o] = float32(v)
	}
	bias.Data = shifted
	a.Inputs[graph.InputBias] = bias
}
