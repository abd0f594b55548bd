package graph

import "slices"

// AnchorBatchNorm gives every BatchNorm that has no anchor to fold into one of
// its own: a 1x1 [DepthwiseConv2D] whose weights are ones,
//
//	batchnorm(x) = batchnorm(depthwise(x, 1))
//
// so that what is done to the BatchNorm of a convolution is done to it. Tensors
// that are no images [N, H, W, C] become images [N, 1, rows, C] around it and the
// activation that follows.
var AnchorBatchNorm = Pass{"anchor batch norm", func(g *Graph) error {
	folds := map[*Node]bool{}
	for _, gr := range g.Groups() {
		folds[gr.BatchNorm] = true
	}
	return g.anchorEach(func(n *Node) bool {
		_, ok := n.Op.(BatchNorm)
		return ok && !folds[n]
	}, func(n *Node) {
		channels := n.Inputs[InputGamma].Elements()
		ones := make([]float32, channels)
		for c := range ones {
			ones[c] = 1
		}
		name := g.Unique(n.Name + "/identity")
		anchor := &Node{Name: name, Op: onePixel, Output: &Tensor{Name: name, Type: n.Output.Type, Shape: slices.Clone(n.Output.Shape)}}
		anchor.Inputs = []*Tensor{n.Inputs[InputX], onePixelWeights(g.Unique(n.Name+"/ones"), Constant, ones)}
		n.Inputs = slices.Clone(n.Inputs)
		n.Inputs[InputX] = anchor.Output
		g.insertBefore(n, anchor)
	})
}}

// AnchorAffine makes every Affine that is not [Graph.Rescaled] a 1x1
// [DepthwiseConv2D]: factor are its weights, shift is its bias. Tensors that are
// no images are reshaped as by [AnchorBatchNorm].
var AnchorAffine = Pass{"anchor affine", func(g *Graph) error {
	return g.anchorEach(func(n *Node) bool {
		_, ok := n.Op.(Affine)
		return ok && !g.Rescaled(n)
	}, func(n *Node) {
		factor, shift := n.Inputs[InputFactor], n.Inputs[InputShift]
		n.Op = onePixel
		n.Inputs = []*Tensor{n.Inputs[InputX], onePixelWeights(factor.Name, factor.Role, factor.Float32s()), shift}
	})
}}

// onePixel is the depthwise convolution of windows of one pixel.
var onePixel = DepthwiseConv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1}

func onePixelWeights(name string, role Role, values []float32) *Tensor {
	return &Tensor{Name: name, Role: role, Shape: []int{1, 1, 1, len(values)}, Data: values}
}

// anchorEach brings the nodes that are meant onto images, the last ones first,
// and calls anchor for each of them.
func (g *Graph) anchorEach(meant func(*Node) bool, anchor func(*Node)) error {
	reshaped := false
	for _, n := range slices.Backward(slices.Clone(g.Nodes)) {
		if meant(n) {
			reshaped = g.onImages(n) || reshaped
			anchor(n)
		}
	}
	if reshaped {
		return CancelReshapes.Run(g) // those between two that are meant
	}
	return nil
}

// onImages lets n, and the activation that alone reads its output and could be
// fused into an anchor, work on images if its tensors are none. The tensor behind
// them stays what it was.
func (g *Graph) onImages(n *Node) bool {
	x := n.Inputs[InputX]
	if len(x.Shape) == 4 {
		return false
	}
	last := len(x.Shape) - 1
	image := []int{1, 1, Elements(x.Shape[1:last]), x.Shape[last]}
	tensor := func(name string) *Tensor {
		return &Tensor{Name: g.Unique(name), Type: x.Type, Shape: slices.Clone(image)}
	}
	reshape := func(name string, from, to *Tensor) *Node {
		return &Node{Name: g.Unique(name), Op: Reshape{Shape: append([]int{-1}, to.Shape[1:]...)}, Inputs: []*Tensor{from}, Output: to}
	}
	end := n
	if next := g.onlyConsumer(n.Output); next != nil {
		if _, ok := next.Op.(Fusable); ok {
			end = next
		}
	}
	in := reshape(n.Name+"/expand_dims", x, tensor(n.Name+"/expand_dims"))
	g.insertBefore(n, in)
	n.Inputs = slices.Clone(n.Inputs)
	n.Inputs[InputX] = in.Output
	out := end.Output
	if end != n {
		n.Output = tensor(n.Name + "/image")
		end.Inputs = []*Tensor{n.Output}
	}
	end.Output = tensor(end.Name + "/image")
	g.Nodes = slices.Insert(g.Nodes, slices.Index(g.Nodes, end)+1, reshape(end.Name+"/squeeze", end.Output, out))
	return true
}

// insertBefore puts a node in front of n.
func (g *Graph) insertBefore(n, added *Node) {
	g.Nodes = slices.Insert(g.Nodes, slices.Index(g.Nodes, n), added)
}
