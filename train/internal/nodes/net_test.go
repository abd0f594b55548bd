package nodes

import (
	"fmt"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// net builds test networks; every fault ends the test.
type net struct {
	t testing.TB
	*graph.Graph
	random *rng.Stream
}

// newNet starts a network with one input of the given shape, without the batch.
func newNet(t testing.TB, input ...int) (*net, *graph.Tensor) {
	n := &net{t: t, Graph: &graph.Graph{Name: t.Name()}, random: rng.New(7)}
	return n, n.AddInput("x", graph.Float32, append([]int{1}, input...))
}

// add appends a node and makes its output the network's.
func (n *net) add(name string, op graph.Op, in ...*graph.Tensor) *graph.Tensor {
	n.t.Helper()
	y, err := n.Add(name, op, in...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.Outputs = []*graph.Tensor{y}
	return y
}

// uniform returns a tensor of uniform values in [lo, hi).
func (n *net) uniform(name string, role graph.Role, lo, hi float32, shape ...int) *graph.Tensor {
	data := make([]float32, graph.Elements(shape))
	for i := range data {
		data[i] = lo + (hi-lo)*n.random.Float32()
	}
	return &graph.Tensor{Name: name, Role: role, Shape: shape, Data: data}
}

// parameter returns a trained tensor around zero.
func (n *net) parameter(name string, shape ...int) *graph.Tensor {
	return n.uniform(name, graph.Parameter, -0.5, 0.5, shape...)
}

// dense appends a FullyConnected layer without activation.
func (n *net) dense(name string, x *graph.Tensor, units int) *graph.Tensor {
	in := x.Shape[len(x.Shape)-1]
	return n.add(name, graph.FullyConnected{KeepDims: len(x.Shape) > 2}, x, n.parameter(name+"/w", units, in), n.parameter(name+"/b", units))
}

// conv appends a 3x3 convolution.
func (n *net) conv(name string, x *graph.Tensor, filters int, act quant.Activation) *graph.Tensor {
	return n.add(name, graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Activate: act},
		x, n.parameter(name+"/w", filters, 3, 3, x.Shape[3]), n.parameter(name+"/b", filters))
}

// batchNorm appends a BatchNorm with random statistics.
func (n *net) batchNorm(name string, x *graph.Tensor) *graph.Tensor {
	c := x.Shape[len(x.Shape)-1]
	return n.add(name, graph.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x,
		n.uniform(name+"/gamma", graph.Parameter, 0.5, 1.5, c), n.parameter(name+"/beta", c),
		n.uniform(name+"/mean", graph.Statistic, -0.5, 0.5, c), n.uniform(name+"/variance", graph.Statistic, 0.5, 1.5, c))
}

// separable appends a depthwise convolution and one of 1x1 taps, each with a
// BatchNorm, quantizers for all, and relu and relu6.
func (n *net) separable(x *graph.Tensor, filters int) *graph.Tensor {
	c := x.Shape[3]
	x = n.add("separable/depthwise", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1},
		x, n.lastValue(n.parameter("separable/depthwise/w", 1, 3, 3, c), 3))
	x = n.observed(n.add("separable/relu", graph.Relu{}, n.batchNorm("separable/bn1", x)))
	x = n.add("separable/point", graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
		x, n.lastValue(n.parameter("separable/point/w", filters, 1, 1, c), 0), n.parameter("separable/point/b", filters))
	return n.observed(n.add("separable/relu6", graph.Relu6{}, n.batchNorm("separable/bn2", x)))
}

// affine appends an Affine whose factor and shift have the given role.
func (n *net) affine(name string, role graph.Role, x *graph.Tensor) *graph.Tensor {
	c := x.Shape[len(x.Shape)-1]
	return n.add(name, graph.Affine{}, x, n.uniform(name+"/factor", role, -1.5, 1.5, c), n.uniform(name+"/shift", role, -0.5, 0.5, c))
}

// observed appends a FakeQuant with a moving average.
func (n *net) observed(x *graph.Tensor) *graph.Tensor {
	q := graph.NewObserved(x.Name, quant.Scheme{Bits: 8}, 0.9)
	return n.add(x.Name+"/fq", graph.FakeQuant{Quantizer: q, Observe: true}, x)
}

// lastValue appends a FakeQuant for weights, per channel along axis 0 or per
// tensor (axis -1).
func (n *net) lastValue(w *graph.Tensor, axis int) *graph.Tensor {
	q := &graph.Quantizer{Name: w.Name, Bits: 8, Symmetric: true, Narrow: true, Axis: axis, Source: graph.LastValue}
	return n.add(w.Name+"/fq", graph.FakeQuant{Quantizer: q}, w)
}

// every returns a network with every operator, fused activation and quantizer
// source that can be trained.
func every(t testing.TB) *net {
	n, x := newNet(t, 8, 8, 2)
	x = n.observed(n.affine("affine", graph.Constant, x))
	c1 := n.add("conv1", graph.Conv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
		x, n.lastValue(n.parameter("conv1/w", 8, 3, 3, 2), 0))
	b1 := n.observed(n.add("relu1", graph.Relu{}, n.batchNorm("bn1", c1)))
	b1 = n.separable(b1, 8)
	p1 := n.add("pool1", graph.MaxPool2D{Pool: graph.Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}}, b1)

	p1 = n.branched(p1)

	// A convolution with its BatchNorm folded: gamma has two readers.
	gamma := n.uniform("conv2/gamma", graph.Parameter, 0.5, 1.5, 3)
	variance := n.uniform("conv2/variance", graph.Statistic, 0.5, 1.5, 3)
	w := n.add("conv2/fold", graph.FoldWeights{Epsilon: 1e-3}, n.parameter("conv2/w", 3, 2, 2, p1.Shape[3]), gamma, variance)
	b := n.add("conv2/foldbias", graph.FoldBias{Epsilon: 1e-3}, gamma, variance, n.parameter("conv2/beta", 3),
		n.uniform("conv2/mean", graph.Statistic, -0.1, 0.1, 3), n.parameter("conv2/b", 3))
	c2 := n.observed(n.add("conv2", graph.Conv2D{StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 1, Activate: quant.Relu6},
		p1, n.lastValue(w, -1), b))

	up := n.observed(n.add("up", graph.TransposeConv{Padding: graph.Same, StrideH: 1, StrideW: 2, Activate: quant.Relu},
		c2, n.lastValue(n.parameter("up/w", 3, 2, 2, 3), 0), n.parameter("up/b", 3)))
	c2 = n.add("resize", graph.ResizeNearestNeighbor{Height: 2, Width: 3}, up)

	p2 := n.add("pool2", graph.AveragePool2D{Pool: graph.Pool{Padding: graph.Same, FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 1}}, c2)
	dw := n.observed(n.add("depthwise", graph.DepthwiseConv2D{Padding: graph.Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1, Activate: quant.Relu},
		p2, n.lastValue(n.parameter("depthwise/w", 1, 2, 2, 3), 3), n.parameter("depthwise/b", 3)))
	moved := n.add("pad", graph.Pad{Paddings: [][2]int{{}, {1, 1}, {2, 2}, {}}}, dw)
	moved = n.add("slice", graph.StridedSlice{Begin: []int{0, 0, 1, 0}, End: []int{0, 0, 7, 3}, Strides: []int{1, -1, 1, 1}, BeginMask: 0b11, EndMask: 0b11}, moved)
	moved = n.add("transpose", graph.Transpose{Perm: []int{0, 2, 1, 3}}, moved)
	mean := n.observed(n.add("mean", graph.Mean{Reducer: graph.Reducer{Axes: []int{2}}}, moved))
	d := n.add("dropout", graph.Dropout{Rate: 0.25, Seed: 3}, mean)
	r := n.add("rows", graph.Reshape{Shape: []int{-1, 2, 9}}, d)

	// One weight matrix for two layers, on dynamically quantized rows.
	shared := n.lastValue(n.parameter("square/w", 9, 9), 0)
	dynamic := &graph.Quantizer{Name: "rows", Bits: 8, Axis: 1, Source: graph.Dynamic}
	h := n.add("square1", graph.FullyConnected{KeepDims: true, Activate: quant.ReluN1To1}, n.add("rows/fq", graph.FakeQuant{Quantizer: dynamic}, r), shared)
	h = n.add("relu6", graph.Relu6{}, n.add("square2", graph.FullyConnected{KeepDims: true}, h, shared, n.parameter("square2/b", 9)))
	top := n.add("max", graph.ReduceMax{Reducer: graph.Reducer{Axes: []int{1}, KeepDims: true}}, h)
	flat := n.add("flat", graph.Reshape{Shape: []int{-1, 9}}, top)
	logits := n.observed(n.dense("dense", n.squashed(flat), 5))
	fixed := quant.PerTensor(1.0/256, -128)
	s := n.add("softmax", graph.Softmax{}, logits)
	n.add("softmax/fq", graph.FakeQuant{Quantizer: &graph.Quantizer{Name: "softmax", Bits: 8, Axis: -1, Source: graph.Fixed, FixedParams: &fixed}}, s)
	return n
}

// compile compiles the network and closes the step with the test.
func compile(t testing.TB, g *graph.Graph, c Config) *Step {
	t.Helper()
	s, err := Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fill writes random rows and, if there is a target, random labels.
func fill(s *Step, random *rng.Stream, classes int) {
	for i := range s.Input() {
		s.Input()[i] = 2*random.Float32() - 1
	}
	for i := range s.Target() {
		s.Target()[i] = float32(random.IntN(classes))
	}
}

// sgd trains g for some steps, the last third of them with frozen statistics, and
// returns the losses.
func sgd(t testing.TB, g *graph.Graph, c Config, steps, classes int, rate float32) []float32 {
	t.Helper()
	s := compile(t, g, c)
	random := rng.New(11)
	fill(s, random, classes)
	var losses []float32
	for step := range steps {
		s.FreezeStatistics(3*step >= 2*steps)
		if err := s.Run(uint64(step)); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, s.Loss())
		for i, p := range g.Parameters() {
			w := p.Float32s()
			for j, d := range s.Gradients()[i] {
				w[j] -= float32(rate * d)
			}
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return losses
}

// variables returns all trained numbers of g.
func variables(g *graph.Graph) []float32 {
	var all []float32
	for _, v := range g.Variables() {
		all = append(all, v.Float32s()...)
	}
	return all
}

// same reports the first difference of two slices.
func same(t *testing.T, what string, a, b []float32) {
	t.Helper()
	if slices.Equal(a, b) {
		return
	}
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			t.Fatalf("%s: value %d of %d differs: %v", what, i, len(a), fmt.Sprint(a[i:min(i+3, len(a))], b[i:min(i+3, len(b))]))
		}
	}
	t.Fatalf("%s: %d and %d values", what, len(a), len(b))
}
