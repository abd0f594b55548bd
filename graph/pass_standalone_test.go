package graph

import (
	"math"
	"testing"
)

// TestAnchorBatchNorm shows what a BatchNorm without an anchor becomes: on an
// image, behind an activation, with another reader beside it, on vectors in a
// row, and on series. One behind a convolution stays as it is.
func TestAnchorBatchNorm(t *testing.T) {
	n := newNet(t)
	x := n.batchNorm("first", n.AddInput("x", Float32, []int{1, 4, 4, 2}))
	x = n.batchNorm("folds", n.conv("conv", x))
	x = n.node("relu", Relu{}, n.batchNorm("branch", n.node("positive", Relu{}, x)))
	rows := n.node("rows", Reshape{Shape: []int{-1, 16, 2}}, x)
	series := n.node("relu6", Relu6{}, n.batchNorm("series", rows))
	vector := n.batchNorm("again", n.node("relu_1", Relu{}, n.batchNorm("vector", n.dense("dense", 2, n.node("flat", Reshape{Shape: []int{-1, 32}}, series)))))
	last := n.batchNorm("last", vector)
	n.Outputs = []*Tensor{rows, last}
	before := n.String()
	out, err := Passes{AnchorBatchNorm}.Run(n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "anchored.txt", out.String())
	if n.String() != before {
		t.Error("the pass changed the graph it was given")
	}
	if again, err := (Passes{AnchorBatchNorm}).Run(out); err != nil || again.String() != out.String() {
		t.Errorf("a second run changes the graph: %v", err)
	}
}

// affine appends an Affine over two channels.
func (n *net) affine(name string, role Role, x *Tensor, factor, shift [2]float32) *Tensor {
	vector := func(suffix string, v [2]float32) *Tensor {
		return &Tensor{Name: name + suffix, Role: role, Shape: []int{2}, Data: v[:]}
	}
	return n.node(name, Affine{}, x, vector("/factor", factor), vector("/shift", shift))
}

// TestRescaled says which Affine needs no operator in a quantized model; others
// become depthwise convolutions.
func TestRescaled(t *testing.T) {
	half, none := [2]float32{0.5, 0.5}, [2]float32{}
	pool := MaxPool2D{Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}}
	conv := func(n *net, y *Tensor) []*Tensor { return []*Tensor{n.conv("conv", y)} }
	for _, c := range []struct {
		name  string
		build func(n *net, x *Tensor) []*Tensor
		want  bool
	}{
		{"a convolution", func(n *net, x *Tensor) []*Tensor { return conv(n, n.affine("a", Constant, x, half, none)) }, true},
		{"two convolutions behind a pool", func(n *net, x *Tensor) []*Tensor {
			y := n.node("dropout", Dropout{}, n.node("pool", pool, n.affine("a", Constant, x, half, none)))
			return []*Tensor{n.conv("conv", y), n.conv("conv2", y)}
		}, true},
		{"a dense layer behind a reshape", func(n *net, x *Tensor) []*Tensor {
			return []*Tensor{n.dense("dense", 2, n.node("flat", Reshape{Shape: []int{-1, 32}}, n.affine("a", Constant, x, half, none)))}
		}, true},
		{"two factors", func(n *net, x *Tensor) []*Tensor {
			return conv(n, n.affine("a", Constant, x, [2]float32{0.5, 0.25}, none))
		}, false},
		{"a negative factor", func(n *net, x *Tensor) []*Tensor {
			return conv(n, n.affine("a", Constant, x, [2]float32{-1, -1}, none))
		}, false},
		{"a shift", func(n *net, x *Tensor) []*Tensor {
			return conv(n, n.affine("a", Constant, x, half, [2]float32{0, 1}))
		}, false},
		{"trained", func(n *net, x *Tensor) []*Tensor { return conv(n, n.affine("a", Parameter, x, half, none)) }, false},
		{"not on the input", func(n *net, x *Tensor) []*Tensor {
			return conv(n, n.affine("a", Constant, n.node("relu", Relu{}, x), half, none))
		}, false},
		{"another reader of the input", func(n *net, x *Tensor) []*Tensor {
			return append(conv(n, n.affine("a", Constant, x, half, none)), n.conv("conv2", x))
		}, false},
		{"an activation reads it", func(n *net, x *Tensor) []*Tensor {
			y := n.affine("a", Constant, x, half, none)
			return append(conv(n, y), n.conv("conv2", n.node("relu", Relu{}, y)))
		}, false},
		{"an output", func(n *net, x *Tensor) []*Tensor {
			y := n.affine("a", Constant, x, half, none)
			return append(conv(n, y), y)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNet(t)
			n.Outputs = c.build(n, n.AddInput("x", Float32, []int{1, 4, 4, 2}))
			out, err := Passes{AnchorAffine}.Run(n.Graph)
			if err != nil {
				t.Fatal(err)
			}
			stays := false
			for i, node := range out.Nodes {
				if node.Name != "a" {
					continue
				}
				if op, depthwise := node.Op.(DepthwiseConv2D); depthwise {
					before := n.Nodes[i].Inputs
					w, b := node.Inputs[InputWeights], node.Inputs[InputBias]
					if op != onePixel || w.Float32s()[1] != before[InputFactor].Float32s()[1] || b.Float32s()[1] != before[InputShift].Float32s()[1] {
						t.Errorf("became %+v with weights %v and bias %v", op, w, b)
					}
				}
				_, stays = node.Op.(Affine)
			}
			if stays != c.want {
				t.Errorf("needs no operator: %t, want %t:\n%s", stays, c.want, out)
			}
		})
	}
}

// TestFoldBatchNormAlone: without an anchor, a BatchNorm is what it multiplies
// and adds.
func TestFoldBatchNormAlone(t *testing.T) {
	n := newNet(t)
	x := n.AddInput("x", Float32, []int{1, 2})
	n.Outputs = []*Tensor{n.batchNorm("alone", x), x}
	out, err := Passes{FoldBatchNorm}.Run(n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	node := out.Nodes[0]
	if _, ok := node.Op.(Affine); !ok || len(out.Nodes) != 1 {
		t.Fatalf("folding left\n%s", out)
	}
	// gamma 1/8 and 1/4, beta 1/8 and 1/4, mean 0.5 and -1, variance 0.25 and 4.
	factor := []float64{0.125 / math.Sqrt(0.25+float64(float32(1e-3))), 0.25 / math.Sqrt(4+float64(float32(1e-3)))}
	shift := []float64{0.125 - 0.5*float64(float32(factor[0])), 0.25 + float64(float32(factor[1]))}
	for c := range factor {
		if f, s := node.Inputs[InputFactor].Float32s()[c], node.Inputs[InputShift].Float32s()[c]; f != float32(factor[c]) || s != float32(shift[c]) {
			t.Errorf("channel %d: x*%v + %v, want x*%v + %v", c, f, s, factor[c], shift[c])
		}
	}
}
