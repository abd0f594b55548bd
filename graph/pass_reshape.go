package graph

import "slices"

// CancelReshapes removes Reshape nodes that undo each other, as those do that
// one-dimensional layers put around their images of height 1:
//
//   - a reshape of a reshape is one reshape;
//   - a reshape to the shape that its input has is its input;
//   - an operator that treats each position by itself (an activation, a
//     BatchNorm, a sum ...) commutes with a reshape in front of it that drops an
//     axis of size 1: the reshape moves behind it, where it may meet its
//     opposite.
//
// The values of all other tensors stay, and so do the names: a tensor whose
// reshape moved keeps its name in the shape with the axis. Run it before fusion:
// a reshape between a convolution and its BatchNorm or activation keeps them
// apart.
var CancelReshapes = Pass{"cancel reshapes", func(g *Graph) error {
	for i := 0; i < len(g.Nodes); i++ {
		n := g.Nodes[i]
		if _, ok := n.Op.(Reshape); ok {
			g.shortenReshape(n)
		} else {
			g.raiseAxis(n, i)
		}
	}
	g.removeUnread()
	return nil
}}

// shortenReshape makes a reshape read what an earlier reshape read, and takes it
// out of its readers' way if it changes nothing.
func (g *Graph) shortenReshape(n *Node) {
	x := n.Inputs[0]
	if p := g.Producer(x); p != nil {
		if _, ok := p.Op.(Reshape); ok && batchFirst(p) && batchFirst(n) {
			x = p.Inputs[0]
			n.Inputs = []*Tensor{x}
		}
	}
	if batchFirst(n) && slices.Equal(x.Shape, n.Output.Shape) && !g.IsOutput(n.Output) {
		g.Replace(n.Output, x)
	}
}

// batchFirst reports whether a reshape keeps the batch as the first axis.
func batchFirst(n *Node) bool {
	return n.Op.(Reshape).Shape[0] == -1 && n.Inputs[0].Shape[0] == n.Output.Shape[0]
}

// raiseAxis moves the reshapes in front of node i, which all drop the same axis,
// behind it. Inputs that hold data belong to the last axis and stay.
func (g *Graph) raiseAxis(n *Node, i int) {
	inputs, axis := slices.Clone(n.Inputs), 0
	for k, t := range inputs {
		if t == nil || t.Role != Activation {
			continue
		}
		p := g.Producer(t)
		if p == nil {
			return
		}
		dropped := droppedAxis(p)
		if dropped == 0 || axis != 0 && dropped != axis {
			return
		}
		inputs[k], axis = p.Inputs[0], dropped
	}
	if axis == 0 {
		return
	}
	op, ok := withAxis(n.Op, axis)
	if !ok {
		return
	}
	raised := &Node{Name: n.Name, Op: op, Inputs: inputs}
	shape, err := raised.infer(func(t *Tensor) []int { return t.Shape })
	if want := slices.Insert(slices.Clone(n.Output.Shape), axis, 1); err != nil || !slices.Equal(shape, want) {
		return
	}
	name, low := n.Output.Name, n.Output
	low.Name = g.Unique(name + "/squeeze")
	n.Op, n.Inputs, n.Output = op, inputs, &Tensor{Name: name, Type: low.Type, Shape: shape}
	g.Nodes = slices.Insert(g.Nodes, i+1, &Node{
		Name: low.Name, Op: Reshape{Shape: append([]int{-1}, low.Shape[1:]...)}, Inputs: []*Tensor{n.Output}, Output: low,
	})
}

// droppedAxis returns the axis of size 1, between the batch and the last axis,
// that n drops from its input and does nothing else; 0 for other nodes.
func droppedAxis(n *Node) int {
	if _, ok := n.Op.(Reshape); !ok || !batchFirst(n) {
		return 0
	}
	x, y := n.Inputs[0].Shape, n.Output.Shape
	for axis := 1; axis < len(x)-1; axis++ {
		if x[axis] == 1 && slices.Equal(slices.Delete(slices.Clone(x), axis, axis+1), y) {
			return axis
		}
	}
	return 0
}

// withAxis returns what op is on inputs that have one more axis of size 1; ok is
// false for operators that do not compute each position from the same position
// of their inputs, or from all elements of their last axis there.
func withAxis(op Op, axis int) (raised Op, ok bool) {
	switch op := op.(type) {
	case Relu, Relu6, LeakyRelu, Prelu, Elu, HardSwish, Logistic, Tanh, Softmax, Add, Sub, Mul, Affine, BatchNorm, Dropout:
		return op, true
	case FullyConnected:
		return op, op.KeepDims
	case Concat:
		if op.Axis >= axis {
			op.Axis++
		}
		return op, true
	}
	return nil, false
}

// removeUnread removes reshapes whose output nobody reads.
func (g *Graph) removeUnread() {
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if _, ok := n.Op.(Reshape); ok && !g.IsOutput(n.Output) && len(g.Consumers(n.Output)) == 0 {
			g.Remove(n)
		}
	}
}
