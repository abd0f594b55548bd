package graph

import "fmt"

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

// FreezeVariables makes constants of what training could still change. The data stay
// those of the graph: a copy of its own, as in [Passes.Run].
var FreezeVariables = Pass{"freeze variables", func(g *Graph) error {
	for _, t := range g.Tensors() {
		if t.Variable() {
			t.Role = Constant
		}
	}
	return nil
}}

// FoldBatchNorm multiplies each BatchNorm of a float graph into the anchor before
// it, with the moving statistics:
//
//	f = gamma/sqrt(variance + epsilon)
//	w' = w*f per output channel,  b' = beta + (b - mean)*f
//
// A BatchNorm without an anchor becomes an [Affine] of factor f and shift
// beta - mean*f.
var FoldBatchNorm = Pass{"fold batch norm", func(g *Graph) error {
	for _, gr := range g.Groups() {
		if gr.BatchNorm == nil {
			continue
		}
		if err := g.foldInto(gr.Head, gr.BatchNorm); err != nil {
			return err
		}
		g.Absorb(gr.Head, gr.BatchNorm)
	}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(BatchNorm); !ok {
			continue
		}
		factor, shift, err := BatchNormAffine(n, nil)
		if err != nil {
			return err
		}
		vector := func(suffix string, values []float32) *Tensor {
			return &Tensor{Name: g.Unique(n.Name + suffix), Role: Parameter, Shape: []int{len(values)}, Data: values}
		}
		n.Op, n.Inputs = Affine{}, []*Tensor{n.Inputs[InputX], vector("/factor", factor), vector("/shift", shift)}
	}
	return nil
}}

// Absorb removes next, which alone reads n's output, and any Dropout between
// them; n takes over next's output, name included.
func (g *Graph) Absorb(n, next *Node) {
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
		if bias = b.Float32s(); bias == nil {
			return fmt.Errorf("graph: node %q: bias %q is not float32 data", anchor.Name, b.Name)
		}
	}
	factor, shift, err := BatchNormAffine(bn, bias)
	if err != nil {
		return err
	}
	folded := make([]float32, len(values))
	ScaleChannels(folded, values, factor, Inner(w.Shape, anchor.Op.(Anchored).ChannelAxis()))
	anchor.Inputs = []*Tensor{
		anchor.Inputs[InputX],
		{Name: w.Name, Role: Parameter, Shape: w.Shape, Data: folded},
		{Name: BiasName(g, anchor), Role: Parameter, Shape: []int{len(shift)}, Data: shift},
	}
	return nil
}

// FuseActivations absorbs activations into the operators before them.
var FuseActivations = Pass{"fuse activations", func(g *Graph) error {
	for _, gr := range g.Fusions() {
		if gr.Activation == nil || gr.BatchNorm != nil {
			continue
		}
		gr.Head.Op = gr.Head.Op.(Fusing).Fuse(gr.Fused())
		g.Absorb(gr.Head, gr.Activation)
	}
	return nil
}}
