package endtoend

import (
	"fmt"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// enlarging is a network that makes images smaller and larger again: transposed
// convolutions with BatchNorm and ReLU behind them, with a clamp, and bare. Gammas
// behind the first are negative and zero.
var enlarging = &network{
	name: "enlarging", input: layers.Input{8, 8, 1}, batchNorm: true,
	layers: layers.Sequential{
		layers.Conv2D{Filters: 10, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{},
		layers.ReLU{},
		layers.Conv2DTranspose{Filters: 9, Kernel: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{Name: "signs"},
		layers.ReLU{},
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 2}, Strides: [2]int{2, 1}, Activation: layers.ActReLU6},
		layers.UpSampling2D{Size: [2]int{1, 2}},
		layers.Conv2DTranspose{Filters: 7, Kernel: [2]int{2, 2}, Activation: layers.ActReLU6},
		layers.Conv2DTranspose{Filters: 6, Kernel: [2]int{1, 2}, Strides: [2]int{2, 1}},
		layers.Conv2D{Filters: 12, Kernel: [2]int{3, 3}, Strides: [2]int{3, 2}, Activation: layers.ActReLU},
		layers.Flatten{},
		layers.Dense{Units: 10},
	},
	prepare: func(g *graph.Graph) {
		gamma := variable(g, "signs/gamma")
		gamma[1], gamma[4], gamma[6] = -1, -0.5, -1.5
		pruneSigns(g)
	},
	prune: pruneSigns,
}

func transposedConvolutions(t *testing.T) (list []opCase) {
	const channels, outputs = 3, 11
	for i, w := range windows {
		if w.dilation != [2]int{1, 1} {
			continue
		}
		for j, p := range paddings {
			for _, s := range scalings {
				for k, act := range fused {
					op := graph.TransposeConv{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], Activate: act}
					bias := (i+j+k)%4 != 0
					m := anchor(t, op, s, []int{1, w.image[0], w.image[1], channels}, []int{outputs, w.kernel[0], w.kernel[1], channels}, bias)
					list = append(list, opCase{fmt.Sprintf("%+v on %v, bias %v, %s", op, w, bias, s), m})
				}
			}
		}
	}
	return list
}

// resizes has all options. A factor of 41 is only among those by which pixels have
// centers: without them the float32 rule of the reference kernels copies a wrong
// row, which LiteRT's default kernels do not, and layers.UpSampling2D never asks
// for it.
func resizes(t *testing.T) (list []opCase) {
	for _, corners := range []bool{false, true} {
		for _, centers := range []bool{false, true} {
			for _, size := range [][2]int{{10, 21}, {3, 4}, {1, 1}, {7, 9}, {205, 14}} {
				if size[0] == 205 && !centers {
					continue
				}
				list = append(list, copies(t, []int{1, 5, 7, 3},
					graph.ResizeNearestNeighbor{Height: size[0], Width: size[1], AlignCorners: corners, HalfPixelCenters: centers})...)
			}
		}
	}
	return list
}

// LiteRT quantizes the input of a hybrid transposed convolution asymmetrically,
// whether the scales of its weights differ or not; and it sums in float32, in an
// order that the interpreter keeps, so that the outputs are equal.
func TestHybridTransposeConv(t *testing.T) {
	o := oracle.Start(t)
	for _, w := range windows {
		if w.dilation != [2]int{1, 1} {
			continue
		}
		for i, p := range paddings {
			for _, scales := range [][]float32{{0.011}, {0.011, 0.011, 0.011}, {0.011, 0.0270001, 0.011}} {
				b := newBuilder(t)
				x := b.AddInput("x", graph.Float32, []int{1, w.image[0], w.image[1], 2})
				kernel := b.weights("w", 3, w.kernel[0], w.kernel[1], 2)
				kernel.Quant = &quant.Params{Scale: scales, ZeroPoint: make([]int32, len(scales))}
				bias := &graph.Tensor{Name: "b", Role: graph.Constant, Shape: []int{3}, Data: b.reals(3)}
				op := graph.TransposeConv{Padding: p, StrideH: w.stride[0], StrideW: w.stride[1], Activate: fused[i]}
				m := b.done(b.op(op, graph.Float32, nil, x, kernel, bias))
				run := runLiteRT(t, o, m, oracle.Reference, b.reals(7*x.Elements()))
				n := m.graph.Nodes[0]
				if d := run.compareNode(t, m.graph, n); d != 0 {
					t.Errorf("%+v on %v, scales %v: off by %.3g", op, w, scales, d)
				}
				run.compareCodes(t, n, run.scratch)
			}
		}
	}
}

// Where the range of a ReLU begins at 0, int8 saturation is its clamp, and
// transposed convolutions are written without it.
func TestIdleClamps(t *testing.T) {
	q, err := simulationOf(t, enlarging).graph()
	if err != nil {
		t.Fatal(err)
	}
	idle, err := export.Integer(q, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// A range that is wider than what ReLU6 lets through leaves it something to do.
	wide := q.Clone()
	observed(t, wide, "conv2d_transpose_1/relu6").SetRange(quant.Range{Min: -1, Max: 8, Weight: 1})
	busy, err := export.Integer(wide, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		g    *graph.Graph
		want []quant.Activation
	}{
		{idle, []quant.Activation{quant.NoActivation, quant.NoActivation, quant.NoActivation}},
		{busy, []quant.Activation{quant.NoActivation, quant.Relu6, quant.NoActivation}},
	} {
		var got []quant.Activation
		for _, n := range c.g.Nodes {
			if op, ok := n.Op.(graph.TransposeConv); ok {
				got = append(got, op.Activate)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("fused activations %v, want %v", got, c.want)
		}
	}
}

// simulationOf returns the first simulation of a network.
func simulationOf(t *testing.T, n *network) source {
	t.Helper()
	for _, s := range simulations {
		if s.network == n {
			return s
		}
	}
	t.Fatalf("no simulation of %s", n.name)
	return source{}
}
