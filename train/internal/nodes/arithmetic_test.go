package nodes

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// branched appends every operator on several tensors: sums and products of a
// tensor with itself, with a gate for each channel and with constants, and a
// concatenation of it all, which has the shape of x but for twice the channels.
func (n *net) branched(x *graph.Tensor) *graph.Tensor {
	channels := x.Shape[len(x.Shape)-1]
	double := n.add("double", graph.Add{Activate: quant.Relu6}, x, x)
	gate := n.uniform("gate", graph.Parameter, 0.5, 1.5, channels)
	gated := n.add("gated", graph.Mul{}, gate, n.add("less", graph.Sub{}, double, n.uniform("offset", graph.Constant, -1, 1, 1)))
	return n.add("joined", graph.Concat{Axis: len(x.Shape) - 1}, gated, n.observed(double))
}

// TestBranchGradients: operators on two tensors and concatenation, with
// broadcasting on either side, the same tensor twice, and tensors that are not
// trained.
func TestBranchGradients(t *testing.T) {
	type build struct {
		name  string
		input []int
		build func(n *net, x *graph.Tensor)
	}
	var list []build
	for _, op := range []struct {
		name string
		of   func(quant.Activation) graph.Op
	}{
		{"add", func(a quant.Activation) graph.Op { return graph.Add{Activate: a} }},
		{"sub", func(a quant.Activation) graph.Op { return graph.Sub{Activate: a} }},
		{"mul", func(a quant.Activation) graph.Op { return graph.Mul{Activate: a} }},
	} {
		for _, act := range []quant.Activation{quant.NoActivation, quant.Relu, quant.Relu6, quant.ReluN1To1} {
			list = append(list, build{fmt.Sprintf("%s %v", op.name, act), []int{4}, func(n *net, x *graph.Tensor) {
				n.add("y", op.of(act), n.dense("a", x, 5), n.dense("b", x, 5))
			}})
		}
		y := op.of(quant.NoActivation)
		list = append(list,
			build{op.name + " of itself", []int{4}, func(n *net, x *graph.Tensor) {
				h := n.add("h", graph.Mul{}, x, n.parameter("scale", 4)) // x - x has no gradient
				n.add("y", graph.Add{}, n.add("twice", y, h, h), n.dense("a", h, 4))
			}},
			build{op.name + " of an input with itself", []int{4}, func(n *net, x *graph.Tensor) {
				n.dense("a", n.add("y", graph.Add{}, n.add("twice", y, x, x), n.parameter("bias", 4)), 3)
			}},
			build{op.name + " with constants", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
				h := n.add("channels", y, n.conv("a", x, 4, quant.NoActivation), n.uniform("c", graph.Constant, 0.5, 1.5, 4))
				n.add("number", y, n.uniform("d", graph.Constant, 0.5, 1.5), h)
			}},
			build{op.name + " with parameters", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
				h := n.add("channels", y, x, n.parameter("c", 4))
				h = n.add("rows", y, n.parameter("d", 3, 1, 1), h)
				n.add("number", y, h, n.parameter("e"))
			}},
			build{op.name + " with a gate", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
				h := n.add("flat", graph.Reshape{Shape: []int{-1, 24}}, x)
				gate := n.add("gate", graph.Reshape{Shape: []int{-1, 1, 1, 4}}, n.dense("a", h, 4))
				n.add("y", y, gate, n.conv("b", x, 4, quant.NoActivation))
			}},
			build{op.name + " with a mask", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
				n.add("y", y, n.conv("b", x, 4, quant.NoActivation), n.conv("m", x, 1, quant.NoActivation))
			}},
		)
	}
	for axis, shape := range [][]int{nil, {4}, {3, 4}, {3, 2, 4}} {
		if axis > 0 {
			list = append(list, build{fmt.Sprintf("concat along axis %d", axis), shape, func(n *net, x *graph.Tensor) {
				h := n.add("h", graph.Mul{}, x, n.parameter("scale", shape...))
				k := n.add("k", graph.Add{}, x, n.parameter("bias", shape...))
				// A member of its own, one twice, the input, one behind a concatenation.
				n.add("y", graph.Concat{Axis: axis}, k, h, x, h, n.add("z", graph.Concat{Axis: axis}, h, k))
			}})
		}
	}
	list = append(list, build{"everything", []int{3, 2, 4}, func(n *net, x *graph.Tensor) {
		n.branched(n.conv("a", x, 4, quant.NoActivation))
	}})
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			n, x := newNet(t, c.input...)
			c.build(n, x)
			s := compile(t, n.Graph, Config{Batch: 4, Training: true, Seed: 9, Loss: &Loss{Kind: MeanSquaredError}})
			random := rng.New(3)
			for _, data := range [][]float32{s.Input(), s.Target()} {
				for i := range data {
					data[i] = 2*random.Float32() - 1
				}
			}
			checkGradients(t, n.Graph, s)
		})
	}
}
