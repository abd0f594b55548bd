package graph

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/quant"
)

// leftover is a network with a convolution of one pixel, whose weights are a
// multiple of the identity, and what add puts behind it.
func leftover(t *testing.T, conv Conv2D, add func(g *Graph, y *Tensor) *Tensor) *Graph {
	t.Helper()
	g := &Graph{Name: "leftover"}
	x := g.AddInput("x", Float32, []int{1, 1, 2, 2})
	w := &Tensor{Name: "w", Role: Parameter, Shape: []int{2, 1, 1, 2}, Data: []float32{2, 0, 0, 2}}
	b := &Tensor{Name: "b", Role: Parameter, Shape: []int{2}, Data: []float32{1, -1}}
	conv.StrideH, conv.StrideW, conv.DilationH, conv.DilationW = 1, 1, 1, 1
	y, err := g.Add("conv", conv, x, w, b)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = []*Tensor{add(g, y)}
	return g
}

func mustAdd(t *testing.T, g *Graph, name string, op Op, in ...*Tensor) *Tensor {
	t.Helper()
	y, err := g.Add(name, op, in...)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func floats(name string, shape []int, values ...float32) *Tensor {
	return &Tensor{Name: name, Role: Constant, Shape: shape, Data: values}
}

// What a BatchNorm leaves goes into the convolution before it, also through a
// reshape, and takes the activation along.
func TestFoldArithmetic(t *testing.T) {
	for name, c := range map[string]struct {
		conv Conv2D
		add  func(g *Graph, y *Tensor) *Tensor
		want string // the nodes
		w, b []float32
	}{
		"product and sum": {Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
			y = mustAdd(t, g, "mul", Mul{}, y, floats("f", []int{2}, 3, -1))
			return mustAdd(t, g, "add", Add{Activate: quant.Relu}, y, floats("s", []int{1, 1, 1, 2}, 10, 20))
		}, "CONV_2D relu", []float32{6, 0, 0, -2}, []float32{13, 21}},
		"differences": {Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
			y = mustAdd(t, g, "sub", Sub{}, y, floats("s", []int{}, 4))
			return mustAdd(t, g, "from", Sub{Activate: quant.Relu6}, floats("c", []int{2}, 1, 2), y)
		}, "CONV_2D relu6", []float32{-2, 0, 0, -2}, []float32{4, 7}},
		"through a reshape": {Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
			y = mustAdd(t, g, "series", Reshape{Shape: []int{-1, 2, 2}}, y)
			return mustAdd(t, g, "add", Add{Activate: quant.Relu}, y, floats("s", []int{2}, 1, 1))
		}, "CONV_2D relu RESHAPE", []float32{2, 0, 0, 2}, []float32{2, 0}},
		"behind an activation": {Conv2D{Activate: quant.Relu}, func(g *Graph, y *Tensor) *Tensor {
			y = mustAdd(t, g, "mul", Mul{}, floats("f", []int{2}, 3, -1), y)
			return mustAdd(t, g, "add", Add{Activate: quant.Relu}, y, floats("s", []int{2}, 10, 20))
		}, "CONV_2D relu AFFINE RELU", nil, nil},
		"one behind an activation": {Conv2D{Activate: quant.Relu}, func(g *Graph, y *Tensor) *Tensor {
			return mustAdd(t, g, "mul", Mul{}, y, floats("f", []int{}, 3))
		}, "CONV_2D relu MUL", nil, nil},
		"not by channels": {Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
			return mustAdd(t, g, "mul", Mul{}, y, floats("f", []int{1, 1, 2, 1}, 3, 4))
		}, "CONV_2D none MUL", nil, nil},
		"read by others": {Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
			return mustAdd(t, g, "add", Add{}, y, mustAdd(t, g, "mul", Mul{}, y, floats("f", []int{2}, 3, 4)))
		}, "CONV_2D none MUL ADD", nil, nil},
	} {
		g := leftover(t, c.conv, c.add)
		before := g.String()
		folded, err := Passes{FoldArithmetic}.Run(g)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var nodes []string
		for _, n := range folded.Nodes {
			nodes = append(nodes, n.Op.Name())
			if conv, ok := n.Op.(Conv2D); ok {
				nodes = append(nodes, conv.Activate.String())
			}
		}
		if got := strings.Join(nodes, " "); got != c.want {
			t.Errorf("%s: nodes %s, want %s", name, got, c.want)
		}
		if folded.Outputs[0].Name != g.Outputs[0].Name || g.String() != before {
			t.Errorf("%s: the output is %q, or the network was changed", name, folded.Outputs[0].Name)
		}
		if c.w != nil {
			sameFloats(t, name+": weights", folded.Nodes[0].Inputs[1].Float32s(), c.w)
			sameFloats(t, name+": bias", folded.Nodes[0].Inputs[2].Float32s(), c.b)
		}
		for _, n := range folded.Nodes {
			if _, ok := n.Op.(Affine); ok {
				sameFloats(t, name+": factor", n.Inputs[1].Float32s(), []float32{3, -1})
				sameFloats(t, name+": shift", n.Inputs[2].Float32s(), []float32{10, 20})
			}
		}
	}
}

// Weights that several operators share stay one.
func TestFoldArithmeticSharedWeights(t *testing.T) {
	g := leftover(t, Conv2D{}, func(g *Graph, y *Tensor) *Tensor {
		conv := g.Nodes[0]
		y = mustAdd(t, g, "mul", Mul{}, y, floats("f", []int{2}, 3, 4))
		return mustAdd(t, g, "again", conv.Op, y, conv.Inputs[1], conv.Inputs[2])
	})
	folded, err := Passes{FoldArithmetic}.Run(g)
	if err != nil || len(folded.Nodes) != 3 {
		t.Errorf("%v\n%s", err, folded)
	}
}

func sameFloats(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if len(got) != len(want) || got[i] != w {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}
