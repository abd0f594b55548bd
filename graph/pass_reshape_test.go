package graph

import "testing"

// TestCancelReshapes shows which reshapes go, by what is left of a network.
func TestCancelReshapes(t *testing.T) {
	expand := Reshape{Shape: []int{-1, 1, 6, 2}}
	drop := Reshape{Shape: []int{-1, 6, 2}}
	for _, c := range []struct {
		name  string
		build func(n *net, x *Tensor) *Tensor // x [1, 6, 2]
		left  int
	}{
		{"a pair", func(n *net, x *Tensor) *Tensor {
			return n.node("end", Relu{}, n.node("drop", drop, n.node("expand", expand, x)))
		}, 0},
		{"opposites around an activation", func(n *net, x *Tensor) *Tensor {
			y := n.node("relu", Relu{}, n.node("drop", drop, n.node("expand", expand, x)))
			return n.node("end", Relu{}, n.node("drop2", drop, n.node("expand2", expand, y)))
		}, 0},
		{"through BatchNorm and Dropout between images", func(n *net, x *Tensor) *Tensor {
			y := n.node("drop", drop, n.conv("conv", n.node("expand", expand, x)))
			y = n.node("dropout", Dropout{Rate: 0.5}, n.batchNorm("norm", y))
			return n.conv("conv2", n.node("expand2", expand, y))
		}, 1},
		{"the other reader keeps its shape", func(n *net, x *Tensor) *Tensor {
			y := n.node("drop", drop, n.node("image", Relu{}, n.node("expand", expand, x)))
			n.Outputs = append(n.Outputs, y)
			return n.node("end", Relu{}, n.node("expand2", expand, y))
		}, 2},
		{"two in a row are one", func(n *net, x *Tensor) *Tensor {
			y := n.node("second", Reshape{Shape: []int{-1, 4, 3}}, n.node("first", Reshape{Shape: []int{-1, 12}}, x))
			return n.node("end", Relu{}, y)
		}, 1},
		{"a reshape that mixes positions stays in front of softmax", func(n *net, x *Tensor) *Tensor {
			return n.node("softmax", Softmax{}, n.node("flat", Reshape{Shape: []int{-1, 12}}, x))
		}, 1},
		{"the last axis is not dropped", func(n *net, x *Tensor) *Tensor {
			y := n.node("drop", Reshape{Shape: []int{-1, 12}}, n.node("expand", Reshape{Shape: []int{-1, 12, 1}}, x))
			return n.node("softmax", Softmax{}, y)
		}, 1},
		{"the batch may not move", func(n *net, x *Tensor) *Tensor {
			return n.node("back", drop, n.node("turned", Reshape{Shape: []int{1, -1, 12}}, x))
		}, 2},
		{"an output keeps its node", func(n *net, x *Tensor) *Tensor {
			return n.node("drop", drop, n.node("expand", expand, x))
		}, 1},
	} {
		n := newNet(t)
		x := n.AddInput("x", Float32, []int{1, 6, 2})
		y := c.build(n, x)
		n.Outputs = append(n.Outputs, y)
		g, err := Passes{CancelReshapes}.Run(n.Graph)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		left := 0
		for _, node := range g.Nodes {
			if _, ok := node.Op.(Reshape); ok {
				left++
			}
		}
		if left != c.left {
			t.Errorf("%s: %d reshapes are left, want %d:\n%s", c.name, left, c.left, g)
		}
		for i, out := range g.Outputs {
			if want := n.Outputs[i]; out.Name != want.Name && out.Name != want.Name+"/squeeze" || Elements(out.Shape) != Elements(want.Shape) || len(out.Shape) != len(want.Shape) {
				t.Errorf("%s: output %v, want %v", c.name, out, want)
			}
		}
	}
}
