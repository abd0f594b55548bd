package graph

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// net builds test graphs; its methods fail the test on errors.
type net struct {
	t *testing.T
	*Graph
}

func newNet(t *testing.T) *net { return &net{t, &Graph{Name: "net"}} }

func (n *net) node(name string, op Op, inputs ...*Tensor) *Tensor {
	n.t.Helper()
	y, err := n.Add(name, op, inputs...)
	if err != nil {
		n.t.Fatal(err)
	}
	return y
}

// parameter returns a parameter with the values 1, 2, 3 ... divided by 8.
func parameter(name string, shape ...int) *Tensor {
	d := make([]float32, Elements(shape))
	for i := range d {
		d[i] = float32(i+1) / 8
	}
	return &Tensor{Name: name, Role: Parameter, Shape: shape, Data: d}
}

func statistic(name string, values ...float32) *Tensor {
	return &Tensor{Name: name, Role: Statistic, Shape: []int{len(values)}, Data: values}
}

// conv appends a 3x3 convolution to two channels without a bias.
func (n *net) conv(name string, x *Tensor) *Tensor {
	n.t.Helper()
	w := parameter(name+"/kernel", 2, 3, 3, x.Shape[3])
	return n.node(name, Conv2D{Padding: Same, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}, x, w)
}

// batchNorm appends a BatchNorm over two channels.
func (n *net) batchNorm(name string, x *Tensor) *Tensor {
	n.t.Helper()
	return n.node(name, BatchNorm{Epsilon: 1e-3, Momentum: 0.99}, x,
		parameter(name+"/gamma", 2), parameter(name+"/beta", 2),
		statistic(name+"/moving_mean", 0.5, -1), statistic(name+"/moving_variance", 0.25, 4))
}

// dense appends a dense layer with a bias.
func (n *net) dense(name string, units int, x *Tensor) *Tensor {
	n.t.Helper()
	return n.node(name, FullyConnected{}, x, parameter(name+"/kernel", units, x.Shape[1]), parameter(name+"/bias", units))
}

// floatNet is convolution, BatchNorm, dropout, activation, pool, dense, softmax.
func floatNet(t *testing.T) *Graph {
	n := newNet(t)
	x := n.AddInput("image", Float32, []int{1, 4, 4, 1})
	x = n.batchNorm("norm", n.conv("conv", x))
	x = n.node("relu", Relu{}, n.node("dropout", Dropout{Rate: 0.25, Seed: 1<<64 - 1}, x))
	x = n.node("pool", MaxPool2D{Pool{FilterH: 2, FilterW: 2, StrideH: 2, StrideW: 2}}, x)
	x = n.node("flatten", Reshape{Shape: []int{-1, 8}}, x)
	n.Outputs = []*Tensor{n.node("softmax", Softmax{}, n.dense("dense", 3, x))}
	return n.Graph
}

// quantNet has every kind of quantizer, one of them shared by two nodes.
func quantNet(t *testing.T) *Graph {
	n := newNet(t)
	recipe := quant.Int8()
	n.Recipe = &recipe
	x := n.AddInput("x", Float32, []int{1, 2, 2, 2})
	in := NewObserved("x", recipe.Activations, 0.99)
	in.SetRange(quant.Range{Min: -1, Max: 3, Weight: 1})
	x = n.node("x/fake_quant", FakeQuant{Quantizer: in, Observe: true}, x)
	x = n.node("pool", AveragePool2D{Pool{FilterH: 2, FilterW: 2, StrideH: 1, StrideW: 1, Padding: Same}}, x)
	x = n.node("pool/fake_quant", FakeQuant{Quantizer: in}, x)
	x = n.node("flatten", Reshape{Shape: []int{-1, 8}}, x)
	x = n.node("dynamic", FakeQuant{Quantizer: &Quantizer{Name: "flatten", Bits: 8, Source: Dynamic}}, x)
	w := n.node("kernel/fake_quant", FakeQuant{Quantizer: &Quantizer{
		Name: "kernel", Bits: 8, Symmetric: true, Narrow: true, Source: LastValue, MinScale: []float32{0.5, 0, 0.1}}}, parameter("kernel", 3, 8))
	x = n.node("dense", FullyConnected{Activate: quant.Relu6}, x, w, nil)
	x = n.node("dense/fake_quant", FakeQuant{Quantizer: NewObserved("dense", recipe.Activations, 0.99), Observe: true}, x)
	fixed := quant.PerTensor(1.0/256, -128)
	x = n.node("softmax", Softmax{}, x)
	x = n.node("softmax/fake_quant", FakeQuant{Quantizer: &Quantizer{Name: "softmax", Bits: 8, Axis: -1, Source: Fixed, FixedParams: &fixed}}, x)
	n.Outputs = []*Tensor{x}
	return n.Graph
}

// integerNet holds integer tensors of every type with their parameters.
func integerNet(t *testing.T) *Graph {
	n := newNet(t)
	scale := func(s float32, zero int32) *quant.Params { p := quant.PerTensor(s, zero); return &p }
	x := n.AddInput("x", Float32, []int{1, 2})
	x = n.node("x/int8", Quantize{}, x)
	x.Type, x.Quant = Int8, scale(0.5, -3)
	w := &Tensor{Name: "w", Type: Int8, Role: Constant, Shape: []int{2, 2}, Data: []int8{1, -2, 3, -127},
		Quant: &quant.Params{Scale: []float32{0.25, 0.125}, ZeroPoint: []int32{0, 0}}}
	b := &Tensor{Name: "b", Type: Int32, Role: Constant, Shape: []int{2}, Data: []int32{-1 << 31, 1<<31 - 1},
		Quant: &quant.Params{Scale: []float32{0.125, 0.0625}, ZeroPoint: []int32{0, 0}}}
	y := n.node("dense", FullyConnected{}, x, w, b)
	y.Quant = scale(1, 0)
	y = n.node("y", Dequantize{}, y)
	y.Type = Float32
	n.Outputs = []*Tensor{y}
	return n.Graph
}

// want fails unless err has the substring; an empty one wants no error.
func want(t *testing.T, err error, substring string) {
	t.Helper()
	switch {
	case substring == "" && err != nil:
		t.Errorf("error %q, want none", err)
	case substring != "" && (err == nil || !strings.Contains(err.Error(), substring)):
		t.Errorf("error %v, want one with %q", err, substring)
	}
}
