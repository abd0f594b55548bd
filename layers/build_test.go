package layers_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
)

func build(t *testing.T, s layers.Sequential, in layers.Input, seed uint64) *graph.Graph {
	t.Helper()
	g, err := s.Build(in, seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGraph(t *testing.T) {
	golden(t, "fashion.graph", build(t, fashion(), layers.Input{28, 28, 1}, 1).String())
	golden(t, "everything.graph", build(t, everything(), layers.Input{12, 12, 1}, 1).String())
}

// TestBatches: the graph fits every batch.
func TestBatches(t *testing.T) {
	g := build(t, everything(), layers.Input{12, 12, 1}, 1)
	for _, batch := range []int{1, 2, 7} {
		shapes, err := g.Shapes(batch)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{batch, 3}, shapes[g.Outputs[0]]); diff != "" {
			t.Errorf("batch %d: output shape (-want +got):\n%s", batch, diff)
		}
	}
}

func TestNames(t *testing.T) {
	conv := layers.Conv2D{Filters: 1, Kernel: [2]int{1, 1}}
	g := build(t, layers.Sequential{
		conv, layers.BatchNorm{}, layers.ReLU{}, layers.ReLU6{}, layers.MaxPool2D{},
		layers.Sequential{conv, layers.Sequential{layers.ReLU{}}},
		layers.Sequential{layers.AveragePool2D{}},
		layers.Conv2D{Filters: 1, Kernel: [2]int{1, 1}, Name: "conv2d_2"}, conv,
		layers.Flatten{}, layers.Dropout{}, layers.Reshape{Shape: []int{-1}},
		layers.Dense{Units: 1, Activation: layers.ActReLU}, layers.Dense{Units: 1, Name: "head", Activation: layers.ActSoftmax},
	}, layers.Input{8, 8, 1}, 1)
	var got []string
	for _, n := range g.Nodes {
		got = append(got, n.Name)
	}
	want := []string{
		"conv2d", "batch_normalization", "re_lu", "re_lu6", "max_pooling2d",
		"conv2d_1", "re_lu_1", "average_pooling2d", "conv2d_2", "conv2d_3",
		"flatten", "dropout", "dense", "dense/relu", "head", "head/softmax", // a reshape that changes nothing is gone
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestOneForm: an activation as a field and as a layer give the same operators.
func TestOneForm(t *testing.T) {
	operators := func(s layers.Sequential) []graph.Op {
		var ops []graph.Op
		for _, n := range build(t, s, layers.Input{4}, 1).Nodes {
			ops = append(ops, n.Op)
		}
		return ops
	}
	for activation, layer := range map[layers.Activation]layers.Layer{
		layers.ActReLU: layers.ReLU{}, layers.ActReLU6: layers.ReLU6{}, layers.ActSoftmax: layers.Softmax{},
		layers.ActLeakyReLU: layers.LeakyReLU{NegativeSlope: 0.2}, layers.ActELU: layers.ELU{}, layers.ActHardSwish: layers.HardSwish{},
		layers.ActSwish: layers.Swish{}, layers.ActSigmoid: layers.Sigmoid{}, layers.ActTanh: layers.Tanh{},
	} {
		field := operators(layers.Sequential{layers.Dense{Units: 2, Activation: activation}})
		after := operators(layers.Sequential{layers.Dense{Units: 2}, layer})
		if diff := cmp.Diff(field, after); diff != "" {
			t.Errorf("activation %d (-field +layer):\n%s", activation, diff)
		}
	}
}

// variables returns the data of every variable by name, and the dropout seeds.
func variables(g *graph.Graph) map[string]any {
	m := map[string]any{}
	for _, v := range g.Variables() {
		m[v.Name] = v.Data
	}
	for _, n := range g.Nodes {
		if d, ok := n.Op.(graph.Dropout); ok {
			m[n.Name] = d.Seed
		}
	}
	return m
}

func TestSeed(t *testing.T) {
	in := layers.Input{12, 12, 1}
	first := variables(build(t, everything(), in, 1))
	if diff := cmp.Diff(first, variables(build(t, everything(), in, 1))); diff != "" {
		t.Errorf("the same seed gives another network:\n%s", diff)
	}
	other := variables(build(t, everything(), in, 2))
	for _, name := range []string{"conv2d/kernel", "dilated/kernel", "dense/kernel", "dense_1/kernel", "dropout"} {
		if cmp.Equal(first[name], other[name]) {
			t.Errorf("%s does not depend on the seed", name)
		}
	}
	// Adding at the end, and turning a bias off, leave everything else as it was.
	s := append(everything(), layers.Sequential{layers.Dense{Units: 4}}, layers.Dropout{Rate: 0.1})
	s[6] = layers.Dense{Units: 5, NoBias: true}
	longer := variables(build(t, s, in, 1))
	delete(first, "dense/bias")
	for name, want := range first {
		if diff := cmp.Diff(want, longer[name]); diff != "" {
			t.Errorf("%s changed with later layers:\n%s", name, diff)
		}
	}
	if cmp.Equal(longer["dropout"], longer["dropout_1"]) {
		t.Error("two dropout layers have one seed")
	}
}

// TestFirstWeights pins initial weights: a change here changes every trained
// model.
func TestFirstWeights(t *testing.T) {
	for _, c := range []struct {
		init layers.Initializer
		want []float32
	}{
		{layers.GlorotUniform{}, []float32{-0.01268084, 1.0849096, -1.1241841}},
		{layers.HeNormal{}, []float32{-0.013081729, 1.2246115, 0.78142834}},
	} {
		g := build(t, layers.Sequential{layers.Dense{Units: 3, KernelInit: c.init}}, layers.Input{1}, 1)
		if got := g.Parameters()[0].Float32s(); !slices.Equal(got, c.want) {
			t.Errorf("%T: %v, want %v", c.init, got, c.want)
		}
	}
}

// TestInitializers holds mean and variance of kernels against Keras' formulas. A
// kernel has n = 60,000 weights; the standard error of the mean is sqrt(v/n), and
// that of the variance at most v*sqrt(2/n) for distributions with no more
// kurtosis than a normal. Four of them are allowed; the seed is fixed.
func TestInitializers(t *testing.T) {
	const in, out, window = 40, 60, 5 * 5
	for _, c := range []struct {
		init     layers.Initializer
		variance float64 // of a dense kernel with in inputs and out outputs
		conv     float64 // of a convolution with these channels
		limit    float64 // greatest magnitude in standard deviations
	}{
		{nil, 2. / (in + out), 2. / (window * (in + out)), math.Sqrt(3)},
		{layers.GlorotUniform{}, 2. / (in + out), 2. / (window * (in + out)), math.Sqrt(3)},
		{layers.GlorotNormal{}, 2. / (in + out), 2. / (window * (in + out)), 2 / 0.87962566},
		{layers.HeUniform{}, 2. / in, 2. / (window * in), math.Sqrt(3)},
		{layers.HeNormal{}, 2. / in, 2. / (window * in), 2 / 0.87962566},
	} {
		dense := layers.Sequential{}
		for range window { // as many weights as the convolution has
			dense = append(dense, layers.Dense{Units: out, KernelInit: c.init, NoBias: true}, layers.Dense{Units: in, KernelInit: layers.Zeros{}, NoBias: true})
		}
		var weights []float32
		for i, p := range build(t, dense, layers.Input{in}, 3).Parameters() {
			if i%2 == 0 {
				weights = append(weights, p.Float32s()...)
			}
		}
		checkMoments(t, c.init, weights, c.variance, c.limit)
		conv := layers.Sequential{layers.Conv2D{Filters: out, Kernel: [2]int{5, 5}, KernelInit: c.init}}
		checkMoments(t, c.init, build(t, conv, layers.Input{9, 9, in}, 3).Parameters()[0].Float32s(), c.conv, c.limit)
	}
}

func checkMoments(t *testing.T, init layers.Initializer, weights []float32, variance, limit float64) {
	t.Helper()
	n := float64(len(weights))
	var mean, square, greatest float64
	for _, w := range weights {
		mean += float64(w) / n
		square += float64(w) * float64(w) / n
		greatest = max(greatest, math.Abs(float64(w)))
	}
	if math.Abs(mean) > 4*math.Sqrt(variance/n) {
		t.Errorf("%T: mean %v, want 0", init, mean)
	}
	if math.Abs(square-variance) > 4*variance*math.Sqrt(2/n) {
		t.Errorf("%T: variance %v, want %v", init, square, variance)
	}
	// The bounds are reached to within a percent by so many draws, and rounded.
	if bound := limit * math.Sqrt(variance); greatest > bound*(1+1e-6) || greatest < 0.99*bound {
		t.Errorf("%T: greatest magnitude %v, want nearly %v", init, greatest, bound)
	}
}

func TestConstantInitializers(t *testing.T) {
	for init, want := range map[layers.Initializer]float32{
		nil: 0, layers.Zeros{}: 0, layers.Ones{}: 1, layers.Constant{Value: -0.5}: -0.5,
	} {
		g := build(t, layers.Sequential{layers.Dense{Units: 2, BiasInit: init}}, layers.Input{3}, 1)
		if got := g.Parameters()[1].Float32s(); got[0] != want || got[1] != want {
			t.Errorf("%T gives %v, want %v", init, got, want)
		}
	}
}

func TestBatchNormDefaults(t *testing.T) {
	g := build(t, layers.Sequential{layers.BatchNorm{}, layers.BatchNorm{Momentum: 0.9, Epsilon: 1e-5}}, layers.Input{2}, 1)
	want := []graph.Op{graph.BatchNorm{Momentum: 0.99, Epsilon: 1e-3}, graph.BatchNorm{Momentum: 0.9, Epsilon: 1e-5}}
	if diff := cmp.Diff(want, []graph.Op{g.Nodes[0].Op, g.Nodes[1].Op}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, value := range []float32{1, 0, 0, 1} { // gamma, beta, mean, variance
		if got := g.Nodes[0].Inputs[i+1].Float32s()[0]; got != value {
			t.Errorf("%s starts at %v, want %v", g.Nodes[0].Inputs[i+1].Name, got, value)
		}
	}
}

// branches is a block of the kind that users may add: each part gets the input,
// one after the other's output is discarded, and a node of its own comes last.
type branches struct{ parts []layers.Layer }

func (branches) Identity() (class, name string) { return "Branches", "" }

func (l branches) Lower(b *layers.Builder, x *graph.Tensor) (*graph.Tensor, error) {
	var y *graph.Tensor
	for i, p := range l.parts {
		var err error
		if y, err = b.Lower(i, p, x); err != nil {
			return nil, err
		}
	}
	scale, err := b.Parameter("kernel", []int{2, 2}, layers.Ones{})
	if err != nil {
		return nil, err
	}
	return b.Add("mix", graph.FullyConnected{}, y, scale)
}

func TestOwnLayer(t *testing.T) {
	g := build(t, layers.Sequential{
		branches{[]layers.Layer{layers.Dense{Units: 2}, layers.Dense{Units: 2}}},
		layers.Dense{Units: 1},
	}, layers.Input{3}, 1)
	var names []string
	for _, p := range g.Parameters() {
		names = append(names, p.Name)
	}
	want := []string{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias", "branches/kernel", "dense_2/kernel", "dense_2/bias"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if cmp.Equal(g.Parameters()[0].Data, g.Parameters()[2].Data) {
		t.Error("the branches have the same weights")
	}
	_, err := layers.Sequential{branches{[]layers.Layer{layers.Flatten{}, layers.Dense{}}}}.Build(layers.Input{3}, 1)
	wantError(t, err, `layers: layer 0 (Branches "branches"): layer 0.1 (Dense "dense"): units is 0`)
}

// empty lowers to nothing.
type empty struct{ layers.ReLU }

func (empty) Lower(*layers.Builder, *graph.Tensor) (*graph.Tensor, error) { return nil, nil }

func TestErrors(t *testing.T) {
	nan := float32(math.NaN())
	conv := layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}}
	image, row := layers.Input{4, 4, 1}, layers.Input{6}
	for _, c := range []struct {
		name  string
		in    layers.Input
		layer layers.Layer
		want  string
	}{
		{"no units", row, layers.Dense{}, `layers: layer 0 (Dense "dense"): units is 0, want a positive number`},
		{"negative units", row, layers.Dense{Units: -1, Name: "head"}, `layer 0 (Dense "head"): units is -1`},
		{"far too many units", row, layers.Dense{Units: 1 << 30}, `kernel: shape [1073741824 6] has more than`},
		{"unknown activation", row, layers.Dense{Units: 1, Activation: 99}, `unknown activation 99`},
		{"bad initializer", row, layers.Dense{Units: 1, BiasInit: layers.Constant{Value: nan}}, `bias: initializer layers.Constant gives NaN at 0`},
		{"no filters", image, layers.Conv2D{Kernel: [2]int{3, 3}}, `layer 0 (Conv2D "conv2d"): filters is 0`},
		{"no kernel", image, layers.Conv2D{Filters: 2}, `kernel is [0 0], want two positive numbers`},
		{"half a kernel", image, layers.Conv2D{Filters: 2, Kernel: [2]int{3, 0}}, `kernel is [3 0]`},
		{"half a stride", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{2, 0}}, `strides is [2 0]`},
		{"negative stride", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{-1, -1}}, `strides is [-1 -1]`},
		{"negative dilation", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Dilation: [2]int{-1, 1}}, `dilation is [-1 1]`},
		{"enormous stride", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{math.MaxInt, 1}}, `must be between 1 and 32768`},
		{"strides and dilation", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Strides: [2]int{1, 2}, Dilation: [2]int{2, 1}}, `one of them must be 1`},
		{"padding", image, layers.Conv2D{Filters: 2, Kernel: [2]int{1, 1}, Padding: 7}, `unknown padding 7`},
		{"convolution of rows", row, conv, `layer 0 (Conv2D "conv2d"): graph: node "conv2d" (CONV_2D): input 0 has shape [1 6], want an image`},
		{"kernel larger than image", layers.Input{2, 5, 1}, conv, `input 0 has shape [1 2 5 1], want an image that holds a 3x3 window`},
		{"dilated kernel larger than image", image, layers.Conv2D{Filters: 2, Kernel: [2]int{3, 3}, Dilation: [2]int{2, 2}}, `holds a 5x5 window`},
		{"pool of rows", row, layers.MaxPool2D{}, `node "max_pooling2d" (MAX_POOL_2D): input 0 has shape [1 6]`},
		{"pool larger than image", layers.Input{1, 8, 1}, layers.AveragePool2D{}, `holds a 2x2 window`},
		{"negative pool", image, layers.MaxPool2D{Pool: [2]int{-2, 2}}, `pool is [-2 2]`},
		{"negative pool stride", image, layers.AveragePool2D{Strides: [2]int{-2, 2}}, `strides is [-2 2]`},
		{"reshape", row, layers.Reshape{Shape: []int{4}}, `node "reshape" (RESHAPE): input 0 has shape [6], want as many elements as [4]`},
		{"reshape to a part", row, layers.Reshape{Shape: []int{3}}, `as many elements as [3]`},
		{"reshape that does not divide", row, layers.Reshape{Shape: []int{4, -1}}, `as many elements as [4 -1]`},
		{"reshape with two free sizes", row, layers.Reshape{Shape: []int{-1, -1}}, `one may be -1`},
		{"reshape with zero", row, layers.Reshape{Shape: []int{0, -1}}, `sizes must be positive`},
		{"reshape to nothing", layers.Input{1}, layers.Reshape{}, `shape is empty`},
		{"rate of one", row, layers.Dropout{Rate: 1}, `layer 0 (Dropout "dropout"): rate is 1, want a number in [0, 1)`},
		{"negative rate", row, layers.Dropout{Rate: -0.1}, `rate is -0.1`},
		{"rate NaN", row, layers.Dropout{Rate: nan}, `rate is NaN`},
		{"momentum", row, layers.BatchNorm{Momentum: 1}, `momentum is 1`},
		{"momentum NaN", row, layers.BatchNorm{Momentum: nan}, `momentum is NaN`},
		{"epsilon", row, layers.BatchNorm{Epsilon: -1}, `epsilon is -1`},
		{"epsilon infinite", row, layers.BatchNorm{Epsilon: float32(math.Inf(1))}, `epsilon is +Inf`},
		{"slash", row, layers.ReLU{Name: "a/b"}, `layer 0 (ReLU): name "a/b" contains a slash`},
		{"name of the input", row, layers.ReLU{Name: "input"}, `name "input" belongs to the input`},
		{"nil layer", row, nil, `layers: layer 0 is nil`},
		{"nothing", row, empty{}, `layer 0 (ReLU "re_lu"): lowered to nothing`},
		{"empty block", row, layers.Sequential{}, `layer 0 (Sequential "sequential"): a Sequential without layers`},
		{"fault in a block", row, layers.Sequential{layers.ReLU{}, layers.Dense{}}, `layer 0 (Sequential "sequential"): layer 0.1 (Dense "dense"): units is 0`},
		{"no input shape", layers.Input{}, layers.ReLU{}, `layers: the input shape is empty`},
		{"input of zero", layers.Input{28, 0}, layers.ReLU{}, `layers: input: shape [28 0] has a size that is not positive`},
		{"input too large", layers.Input{1 << 30, 1 << 30, 1 << 30}, layers.ReLU{}, `layers: input: shape [1073741824 1073741824 1073741824] has more than`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := layers.Sequential{c.layer}.Build(c.in, 1)
			wantError(t, err, c.want)
			if g != nil {
				t.Error("a graph comes with the error")
			}
		})
	}
}

func TestErrorsBetweenLayers(t *testing.T) {
	for _, c := range []struct {
		s    layers.Sequential
		want string
	}{
		{nil, "layers: a Sequential without layers"},
		{layers.Sequential{layers.ReLU{Name: "a"}, layers.Flatten{}, layers.ReLU{Name: "a"}}, `layer 2 (ReLU): name "a" belongs to layer 0 (ReLU)`},
		{layers.Sequential{layers.Dense{Units: 1}, layers.Sequential{layers.ReLU{Name: "dense"}}}, `layer 1.0 (ReLU): name "dense" belongs to layer 0 (Dense)`},
		{layers.Sequential{layers.Flatten{}, layers.Conv2D{Filters: 1, Kernel: [2]int{1, 1}}}, `layer 1 (Conv2D "conv2d")`},
	} {
		_, err := c.s.Build(layers.Input{4, 4, 1}, 1)
		wantError(t, err, c.want)
	}
}

// TestShapeErrorsAreTyped: callers find node, input and shapes in the error.
func TestShapeErrorsAreTyped(t *testing.T) {
	for layer, want := range map[string]struct {
		layer layers.Layer
		err   graph.ShapeError
	}{
		"convolution": {
			layers.Conv2D{Filters: 1, Kernel: [2]int{9, 1}},
			graph.ShapeError{Node: "conv2d", Op: "CONV_2D", Got: []int{1, 4, 4, 1}, Want: "an image that holds a 9x1 window"},
		},
		"reshape": {
			layers.Reshape{Shape: []int{5}},
			graph.ShapeError{Node: "reshape", Op: "RESHAPE", Got: []int{4, 4, 1}, Want: "as many elements as [5]"},
		},
	} {
		_, err := layers.Sequential{want.layer}.Build(layers.Input{4, 4, 1}, 1)
		var got *graph.ShapeError
		if !errors.As(err, &got) {
			t.Fatalf("%s: error %v is no ShapeError", layer, err)
		}
		if diff := cmp.Diff(want.err, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", layer, diff)
		}
	}
}
