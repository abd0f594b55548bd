package fakequant

import (
	"slices"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
)

// weights quantizes the weights of one group, folding a BatchNorm in first
// where weights share one scale.
func (in *inserter) weights(gr graph.Group) error {
	anchor := gr.Head
	w := anchor.Inputs[graph.InputWeights]
	if in.keeps(anchor) {
		return nil
	}
	if in.recipe.Mode == quant.WeightOnly && w.Elements() < in.recipe.MinElements {
		return nil
	}
	if in.recipe.Mode == quant.WeightOnly && !in.recipe.FloatCompute {
		defer in.dynamic(anchor)
	}
	if p := in.g.Producer(w); p != nil && p.OnData() {
		return nil // another anchor shares the weights
	}
	q := &graph.Quantizer{
		Name: w.Name, Axis: -1, Source: graph.LastValue,
		Bits: in.weightBits(anchor), Symmetric: in.recipe.Weights.Symmetric, Narrow: in.recipe.Weights.Narrow,
	}
	if in.perChannel(anchor) {
		q.Axis = anchor.Op.(graph.Anchored).ChannelAxis()
	} else if gr.BatchNorm != nil {
		if err := in.fold(gr); err != nil {
			return err
		}
		w = anchor.Inputs[graph.InputWeights]
	}
	in.fake(w, w.Name+"/fake_quant", graph.FakeQuant{Quantizer: q}, in.position(anchor), in.sharers(anchor, w))
	return nil
}

// sharers returns the anchors with the same weights and the same axis of channels,
// of which anchor is the first.
func (in *inserter) sharers(anchor *graph.Node, w *graph.Tensor) []*graph.Node {
	axis := anchor.Op.(graph.Anchored).ChannelAxis()
	return slices.DeleteFunc(in.g.Consumers(w), func(n *graph.Node) bool {
		op, ok := n.Op.(graph.Anchored)
		return !ok || op.ChannelAxis() != axis || n.Inputs[graph.InputWeights] != w || in.keeps(n)
	})
}

// perChannel reports whether an anchor's weights have a scale for each channel.
func (in *inserter) perChannel(anchor *graph.Node) bool {
	if in.recipe.Weights.PerChannel {
		return !slices.Contains(in.recipe.PerTensor, anchor.Name)
	}
	return slices.Contains(in.recipe.PerChannel, anchor.Name)
}

// weightBits returns the width of an anchor's weights: 8 where the recipe says so
// and where kernels for 4 bits are missing, which weights that become float32 do not
// need.
func (in *inserter) weightBits(anchor *graph.Node) int {
	if slices.Contains(in.recipe.KeepInt8, anchor.Name) {
		return max(in.recipe.Weights.Bits, 8)
	}
	switch anchor.Op.(type) {
	case graph.DepthwiseConv2D, graph.TransposeConv:
		if !in.recipe.FloatCompute {
			return max(in.recipe.Weights.Bits, 8)
		}
	}
	return in.recipe.Weights.Bits
}

// fold replaces the BatchNorm of a group by FoldWeights and FoldBias nodes in
// front of the anchor.
func (in *inserter) fold(gr graph.Group) error {
	anchor, bn := gr.Head, gr.BatchNorm
	gamma, beta := bn.Inputs[graph.InputGamma], bn.Inputs[graph.InputBeta]
	mean, variance := bn.Inputs[graph.InputMean], bn.Inputs[graph.InputVariance]
	epsilon := bn.Op.(graph.BatchNorm).Epsilon
	w, err := in.before(anchor, anchor.Inputs[graph.InputWeights].Name+"/folded",
		graph.FoldWeights{Epsilon: epsilon, Axis: anchor.Op.(graph.Anchored).ChannelAxis()}, anchor.Inputs[graph.InputWeights], gamma, variance)
	if err != nil {
		return err
	}
	b, err := in.before(anchor, anchor.Name+"/folded_bias",
		graph.FoldBias{Epsilon: epsilon}, gamma, variance, beta, mean, anchor.Input(graph.InputBias))
	if err != nil {
		return err
	}
	anchor.Inputs = []*graph.Tensor{anchor.Inputs[graph.InputX], w, b}
	in.g.Absorb(anchor, bn)
	return nil
}

// before adds a node in front of n.
func (in *inserter) before(n *graph.Node, name string, op graph.Op, inputs ...*graph.Tensor) (*graph.Tensor, error) {
	at := in.position(n)
	out, err := in.g.Add(name, op, inputs...)
	if err != nil {
		return nil, err
	}
	last := len(in.g.Nodes) - 1
	added := in.g.Nodes[last]
	copy(in.g.Nodes[at+1:], in.g.Nodes[at:last])
	in.g.Nodes[at] = added
	return out, nil
}

// dynamic marks the input of an anchor with int8 weights as quantized at run
// time, row by row, by the rule of the hybrid kernels: asymmetric, but symmetric
// for a convolution, neither depthwise nor transposed, whose weights have a single
// scale.
func (in *inserter) dynamic(anchor *graph.Node) {
	x := anchor.Inputs[graph.InputX]
	q := &graph.Quantizer{Name: x.Name, Bits: 8, Source: graph.Dynamic}
	switch anchor.Op.(type) {
	case graph.FullyConnected:
		q.Axis = len(x.Shape) - 2 // every leading axis counts rows
	case graph.DepthwiseConv2D, graph.TransposeConv: // axis 0: one row an image
	default:
		channels := anchor.Inputs[graph.InputWeights].Shape[anchor.Op.(graph.Anchored).ChannelAxis()]
		q.Symmetric = !in.perChannel(anchor) || channels == 1 // axis 0: one row an image
	}
	in.fake(x, x.Name+"/fake_quant", graph.FakeQuant{Quantizer: q}, in.position(anchor), []*graph.Node{anchor})
}
