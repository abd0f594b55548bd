package nodes

import (
	"math"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// TestGradients compares the gradient of every operator with finite differences
// of the mean squared error, which is computed in float64 from the float32
// output.
func TestGradients(t *testing.T) {
	window := func(p graph.Padding, filter, stride int) graph.Pool {
		return graph.Pool{Padding: p, FilterH: filter, FilterW: filter, StrideH: stride, StrideW: stride}
	}
	for _, c := range []struct {
		name  string
		input []int
		build func(n *net, x *graph.Tensor) // adds the operator behind parameters
	}{
		{"dense", []int{4}, func(n *net, x *graph.Tensor) { n.dense("b", n.dense("a", x, 5), 3) }},
		{"dense without bias", []int{4}, func(n *net, x *graph.Tensor) {
			n.add("a", graph.FullyConnected{Activate: quant.Relu}, x, n.parameter("w", 6, 4))
		}},
		{"dense on leading axes", []int{3, 4}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.FullyConnected{KeepDims: true, Activate: quant.ReluN1To1}, x, n.uniform("w", graph.Parameter, -2, 2, 5, 4))
			n.dense("b", h, 2)
		}},
		{"only the bias is trained", []int{4}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.FullyConnected{Activate: quant.Relu}, x, n.uniform("w", graph.Constant, -1, 1, 5, 4), n.parameter("b", 5))
			n.add("c", graph.FullyConnected{}, h, n.uniform("v", graph.Constant, -1, 1, 3, 5))
		}},
		{"conv", []int{5, 6, 2}, func(n *net, x *graph.Tensor) {
			n.conv("b", n.conv("a", x, 3, quant.Relu), 2, quant.NoActivation)
		}},
		{"conv with strides", []int{7, 6, 2}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.Conv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1, Activate: quant.Relu6}, x, n.uniform("w", graph.Parameter, -3, 3, 3, 3, 2, 2), n.parameter("b", 3))
			n.add("c", graph.Conv2D{StrideH: 1, StrideW: 2, DilationH: 2, DilationW: 1}, h, n.parameter("v", 2, 2, 3, 3))
		}},
		{"depthwise", []int{5, 6, 3}, func(n *net, x *graph.Tensor) {
			op := graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1, Activate: quant.Relu}
			h := n.add("a", op, x, n.uniform("w", graph.Parameter, -1, 1, 1, 3, 3, 3), n.parameter("b", 3))
			n.add("c", op, h, n.uniform("v", graph.Parameter, -1, 1, 1, 3, 2, 3))
		}},
		{"depthwise with strides and multipliers", []int{9, 8, 2}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2, DepthMultiplier: 3, Activate: quant.Relu6}, x, n.uniform("w", graph.Parameter, -3, 3, 1, 3, 2, 6), n.parameter("b", 6))
			n.add("c", graph.DepthwiseConv2D{StrideH: 1, StrideW: 2, DilationH: 2, DilationW: 1, DepthMultiplier: 2}, h, n.uniform("v", graph.Parameter, -1, 1, 1, 2, 2, 12), n.parameter("d", 12))
		}},
		{"depthwise with folded batch norm", []int{4, 4, 2}, func(n *net, x *graph.Tensor) {
			gamma := n.uniform("gamma", graph.Parameter, 0.5, 1.5, 4)
			variance := n.uniform("variance", graph.Statistic, 0.5, 1.5, 4)
			w := n.add("fold", graph.FoldWeights{Epsilon: 1e-3, Axis: 3}, n.parameter("w", 1, 2, 2, 4), gamma, variance)
			n.add("a", graph.DepthwiseConv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 2}, x, w)
		}},
		{"transposed conv", []int{3, 4, 2}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.TransposeConv{Padding: graph.Same, StrideH: 2, StrideW: 1, Activate: quant.Relu6}, x, n.uniform("w", graph.Parameter, -3, 3, 3, 3, 2, 2), n.parameter("b", 3))
			n.add("c", graph.TransposeConv{StrideH: 1, StrideW: 2}, h, n.parameter("v", 2, 2, 3, 3))
		}},
		{"transposed conv with holes", []int{3, 2, 2}, func(n *net, x *graph.Tensor) {
			h := n.add("a", graph.TransposeConv{StrideH: 2, StrideW: 3, Activate: quant.Relu}, x, n.parameter("w", 3, 1, 2, 2), n.parameter("b", 3))
			n.conv("c", h, 2, quant.NoActivation)
		}},
		{"resize nearest", []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			h := n.add("r", graph.ResizeNearestNeighbor{Height: 7, Width: 8}, n.conv("a", x, 2, quant.NoActivation))
			n.add("s", graph.ResizeNearestNeighbor{Height: 2, Width: 9, HalfPixelCenters: true}, n.conv("b", h, 2, quant.NoActivation))
		}},
		{"max pool", []int{6, 6, 1}, func(n *net, x *graph.Tensor) {
			n.add("p", graph.MaxPool2D{Pool: window(graph.Same, 3, 2)}, n.conv("a", x, 2, quant.NoActivation))
		}},
		{"average pool", []int{5, 6, 1}, func(n *net, x *graph.Tensor) {
			n.add("p", graph.AveragePool2D{Pool: window(graph.Same, 3, 2)}, n.conv("a", x, 2, quant.NoActivation))
		}},
		{"reshape", []int{2, 4, 1}, func(n *net, x *graph.Tensor) {
			n.dense("b", n.add("r", graph.Reshape{Shape: []int{-1, 16}}, n.conv("a", x, 2, quant.NoActivation)), 3)
		}},
		{"pad", []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			p := n.add("p", graph.Pad{Paddings: [][2]int{{}, {2, 1}, {0, 3}, {1, 0}}}, n.conv("a", x, 2, quant.NoActivation))
			n.add("c", graph.Conv2D{StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 1}, p, n.parameter("v", 2, 3, 3, 3))
		}},
		{"slice", []int{5, 6, 1}, func(n *net, x *graph.Tensor) {
			n.conv("b", n.add("s", graph.StridedSlice{
				Begin: []int{0, 1, -2, 0}, End: []int{0, -1, 0, 3}, Strides: []int{1, 1, -2, 2}, BeginMask: 1, EndMask: 1,
			}, n.conv("a", x, 3, quant.NoActivation)), 2, quant.NoActivation)
		}},
		{"transpose", []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			n.dense("b", n.add("t", graph.Transpose{Perm: []int{0, 3, 1, 2}}, n.conv("a", x, 2, quant.NoActivation)), 3)
		}},
		{"mean", []int{3, 5, 1}, func(n *net, x *graph.Tensor) {
			n.dense("b", n.add("m", graph.Mean{Reducer: graph.Reducer{Axes: []int{1, 2}}}, n.conv("a", x, 4, quant.NoActivation)), 2)
		}},
		{"mean over channels", []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			n.add("m", graph.Mean{Reducer: graph.Reducer{Axes: []int{-1}, KeepDims: true}}, n.conv("a", x, 5, quant.Relu))
		}},
		{"reduce max", []int{3, 4, 1}, func(n *net, x *graph.Tensor) {
			n.dense("b", n.add("m", graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{2, 1}, KeepDims: true}}, n.conv("a", x, 3, quant.NoActivation)), 2)
		}},
		{"relu", []int{4}, func(n *net, x *graph.Tensor) { n.add("r", graph.Relu{}, n.dense("a", x, 5)) }},
		{"relu6", []int{4}, func(n *net, x *graph.Tensor) {
			n.add("r", graph.Relu6{}, n.add("a", graph.FullyConnected{}, x, n.uniform("w", graph.Parameter, -8, 8, 6, 4)))
		}},
		{"softmax", []int{4}, func(n *net, x *graph.Tensor) { n.dense("b", n.add("s", graph.Softmax{}, n.dense("a", x, 5)), 3) }},
		{"batch norm of rows", []int{4}, func(n *net, x *graph.Tensor) { n.dense("c", n.batchNorm("b", n.dense("a", x, 3)), 2) }},
		{"batch norm of images", []int{3, 3, 2}, func(n *net, x *graph.Tensor) {
			n.conv("d", n.batchNorm("c", n.conv("b", n.batchNorm("a", x), 3, quant.NoActivation)), 2, quant.NoActivation)
		}},
		{"batch norms that convolutions compute", []int{5, 6, 2}, func(n *net, x *graph.Tensor) {
			h := n.batchNorm("na", n.conv("a", x, 8, quant.NoActivation))
			h = n.add("b", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1}, h, n.uniform("b/w", graph.Parameter, -1, 1, 1, 3, 3, 8))
			n.conv("c", n.batchNorm("nb", h), 3, quant.NoActivation)
		}},
		{"a batch norm in front of a convolution", []int{3, 3, 8}, func(n *net, x *graph.Tensor) {
			n.conv("b", n.batchNorm("n", n.affine("a", graph.Parameter, x)), 3, quant.NoActivation)
		}},
		{"a batch norm behind a convolution", []int{3, 3, 2}, func(n *net, x *graph.Tensor) {
			h := n.batchNorm("n", n.conv("a", x, 8, quant.NoActivation))
			n.dense("c", n.add("m", graph.Mean{Reducer: graph.Reducer{Axes: []int{1, 2}}}, h), 2)
		}},
		{"affine", []int{4}, func(n *net, x *graph.Tensor) { n.dense("c", n.affine("b", graph.Constant, n.dense("a", x, 3)), 2) }},
		{"affine that is trained", []int{3, 3, 2}, func(n *net, x *graph.Tensor) { n.conv("b", n.affine("a", graph.Parameter, x), 3, quant.NoActivation) }},
		{"folded batch norm", []int{4, 4, 2}, func(n *net, x *graph.Tensor) {
			gamma := n.uniform("gamma", graph.Parameter, 0.5, 1.5, 3)
			variance := n.uniform("variance", graph.Statistic, 0.5, 1.5, 3)
			w := n.add("fold", graph.FoldWeights{Epsilon: 1e-3}, n.parameter("w", 3, 2, 2, 2), gamma, variance)
			b := n.add("foldbias", graph.FoldBias{Epsilon: 1e-3}, gamma, variance, n.parameter("beta", 3), n.uniform("mean", graph.Statistic, -1, 1, 3), n.parameter("b", 3))
			n.add("a", graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, x, w, b)
		}},
		{"folded batch norm without bias", []int{4, 4, 2}, func(n *net, x *graph.Tensor) {
			gamma := n.uniform("gamma", graph.Parameter, 0.5, 1.5, 3)
			variance := n.uniform("variance", graph.Statistic, 0.5, 1.5, 3)
			b := n.add("foldbias", graph.FoldBias{Epsilon: 1e-3}, gamma, variance, n.parameter("beta", 3), n.uniform("mean", graph.Statistic, -1, 1, 3), nil)
			n.add("a", graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, x, n.parameter("w", 3, 2, 2, 2), b)
		}},
		{"dropout", []int{4}, func(n *net, x *graph.Tensor) {
			n.dense("b", n.add("d", graph.Dropout{Rate: 0.4, Seed: 1}, n.dense("a", x, 8)), 3)
		}},
		{"a tensor with three readers", []int{4}, func(n *net, x *graph.Tensor) {
			w := n.add("r", graph.Relu{}, n.parameter("w", 4, 4))
			for _, name := range []string{"a", "b", "c"} {
				x = n.add(name, graph.FullyConnected{}, x, w, n.parameter(name+"/b", 4))
			}
		}},
	} {
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
			if len(s.statistics) > 0 {
				s.FreezeStatistics(true)
				checkGradients(t, n.Graph, s)
			}
		})
	}
}

// squaredLoss runs the step and returns the mean squared error in float64.
func squaredLoss(t *testing.T, s *Step) float64 {
	t.Helper()
	if err := s.Run(2); err != nil {
		t.Fatal(err)
	}
	var sum float64
	for i, y := range s.Output() {
		d := float64(y) - float64(s.Target()[i])
		sum += d * d
	}
	return sum / float64(len(s.Output()))
}

// checkGradients compares the gradients of s with finite differences.
//
// Central differences at h and h/2 are extrapolated, which leaves an error of
// order h^4, about 1e-8, and the float32 rounding of the outputs divided by h,
// about 1e-5. Both are far below the tolerance of 1/500 of the tensor's largest
// gradient, which a wrong term exceeds. For a smooth loss the second difference
// at h is four times that at h/2; where it is not, a kink (relu, maximum) lies
// between: such elements are left out, but not too many.
func checkGradients(t *testing.T, g *graph.Graph, s *Step) {
	t.Helper()
	squaredLoss(t, s)
	var grads [][]float32
	for _, d := range s.Gradients() {
		grads = append(grads, append([]float32(nil), d...))
	}
	const h = 1.0 / 128
	checked, kinks, worst := 0, 0, 0.0
	for i, p := range g.Parameters() {
		var largest float64
		for _, d := range grads[i] {
			largest = max(largest, math.Abs(float64(d)))
		}
		if largest == 0 {
			t.Errorf("%s: no gradient", p.Name)
		}
		tolerance := largest/500 + 1e-5
		w := p.Float32s()
		for j := 0; j < len(w); j += 1 + len(w)/24 {
			at := w[j]
			loss := func(h float32) float64 {
				defer func() { w[j] = at }()
				w[j] = at + h // exact up to a part in 10,000 of h
				return squaredLoss(t, s)
			}
			here, up, down, halfUp, halfDown := loss(0), loss(h), loss(-h), loss(h/2), loss(-h/2)
			if bend := (up - 2*here + down) - 4*(halfUp-2*here+halfDown); math.Abs(bend/h) > tolerance/2 {
				kinks++
				continue
			}
			wide, narrow := (up-down)/(2*h), (halfUp-halfDown)/h
			checked++
			want := (4*narrow - wide) / 3
			off := math.Abs(want - float64(grads[i][j]))
			if off > tolerance {
				t.Errorf("%s[%d]: gradient %v, finite difference %v", p.Name, j, grads[i][j], want)
			}
			worst = max(worst, off/max(largest, 1e-3)) // below, the differences' own rounding shows
		}
	}
	t.Logf("%d elements checked, off by at most %.2g of their tensor's largest gradient", checked, worst)
	if kinks > checked/4 {
		t.Errorf("%d elements checked, %d left out", checked, kinks)
	}
}
