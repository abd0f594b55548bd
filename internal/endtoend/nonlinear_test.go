package endtoend

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/parity"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// squashing has every activation that anchors cannot fuse, but for ELU, and a
// softmax over the channels of images inside.
var squashing = &network{
	name: "squashing", input: layers.Input{8, 8, 1}, probabilities: true,
	layers: layers.Sequential{
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: layers.Same, Activation: layers.ActLeakyReLU},
		layers.Conv2D{Filters: 7, Kernel: [2]int{3, 3}, Activation: layers.ActHardSwish},
		layers.PReLU{SharedAxes: []int{1, 2}, AlphaInit: layers.Constant{Value: 0.25}},
		layers.Conv2D{Filters: 12, Kernel: [2]int{1, 2}, Activation: layers.ActSwish},
		layers.PReLU{},
		layers.Conv2D{Filters: 9, Kernel: [2]int{1, 1}},
		layers.Softmax{},
		layers.Flatten{},
		layers.Dense{Units: 24, Activation: layers.ActTanh},
		layers.LeakyReLU{},
		layers.Dense{Units: 16, Activation: layers.ActSigmoid},
		layers.Dense{Units: 10, Activation: layers.ActSigmoid},
	},
}

// nonlinear are the operators on single elements that anchors cannot fuse.
var nonlinear = []graph.Op{
	graph.LeakyRelu{Alpha: 0.3}, graph.LeakyRelu{Alpha: 0.1}, graph.LeakyRelu{Alpha: 1.5}, graph.LeakyRelu{Alpha: -0.25},
	graph.Elu{}, graph.HardSwish{}, graph.Logistic{}, graph.Tanh{},
}

// rescaled are parameters of input and output: equal, wider and narrower outputs,
// zero points at both ends, powers of two.
var rescaled = [][2]*quant.Params{
	{per(0.05, -3), per(0.05, -3)}, {per(0.05, -3), per(0.0235, -128)}, {per(0.05, -3), per(0.071, 20)},
	{per(0.0213, 127), per(0.0213, 127)}, {per(0.0213, -128), per(0.0213, -128)}, {per(0.25, 4), per(0.5, -100)},
	{per(0.004, -128), per(0.03, -128)}, {per(0.125, 0), per(0.0625, -90)}, {per(0.031, 100), per(0.011, 90)},
}

// nonlinears are files of one operator from the list, by name.
func nonlinears(name string) func(t *testing.T) []opCase {
	return func(t *testing.T) (list []opCase) {
		for _, op := range nonlinear {
			if op.Name() != name {
				continue
			}
			for _, p := range rescaled {
				list = append(list, elementwise(t, op, graph.Int8, graph.Int8, p[0], outputOf(op, p[1]), 1, 5, 7))
			}
		}
		return list
	}
}

// outputOf returns the output parameters of an operator: those it prescribes, or p.
func outputOf(op graph.Op, p *quant.Params) *quant.Params {
	if f, ok := op.(graph.FixedParams); ok {
		fixed, err := f.FixedParams(8)
		if err == nil { // 8 bits always have some
			return &fixed
		}
	}
	return p
}

// prelus are files with slopes of every shape, with zero points and without.
func prelus(t *testing.T) (list []opCase) {
	for _, shapes := range [][2][]int{
		{{1, 7}, {7}}, {{1, 7}, {1}}, {{1, 3, 5}, {1, 5}}, {{1, 3, 5}, {3, 5}},
		{{1, 3, 5, 4}, {1, 1, 4}}, {{1, 3, 5, 4}, {4}}, {{1, 3, 5, 4}, {3, 1, 1}}, {{1, 3, 5, 4}, {3, 5, 4}}, {{1, 3, 5, 4}, {1, 5, 1}},
	} {
		for i, p := range rescaled {
			b := newBuilder(t)
			x, alpha := b.input(graph.Int8, p[0], shapes[0]...), b.weights("alpha", shapes[1]...)
			alpha.Quant = []*quant.Params{per(0.004, 0), per(0.0131, -7), per(0x1p-8, 3)}[i%3]
			list = append(list, opCase{fmt.Sprintf("PRELU %v of %v by %v", shapes, p, alpha.Quant), b.done(b.op(graph.Prelu{}, graph.Int8, p[1], x, alpha))})
		}
	}
	return list
}

// model returns the kernels that the interpreter's are held to: the reference set,
// but for ELU, of which LiteRT has one kernel and only in the optimized set.
func (m *made) model() oracle.Resolver {
	for _, n := range m.graph.Nodes {
		if _, ok := n.Op.(graph.Elu); ok {
			return oracle.Optimized
		}
	}
	return oracle.Reference
}

// On all 256 codes, for many random scales and zero points that let the output
// cover its codes, the interpreter's codes are those of LiteRT's reference
// kernels: the functions of real numbers round where LiteRT's do.
func TestNonlinearTablesEqualLiteRT(t *testing.T) {
	all := make([]int8, 256)
	for i := range all {
		all[i] = int8(i - 128)
	}
	const pairs = 60
	for _, op := range nonlinear {
		t.Run(fmt.Sprintf("%s %v", op.Name(), op), func(t *testing.T) {
			t.Parallel()
			o, random := oracle.Start(t), newRandom(3)
			codes, differ := 0, difference{}
			for range pairs {
				in := per(float32(0.002*math.Pow(250, random.Float64())), int32(random.IntN(256)-128))
				out := outputOf(op, per(in.Scale[0]*float32(0.2+2*random.Float64()), int32(random.IntN(256)-128)))
				b := newBuilder(t)
				c := opCase{fmt.Sprintf("%v to %v", in, out), b.done(b.op(op, graph.Int8, out, b.input(graph.Int8, in, 1, 256)))}
				want := c.runOracle(t, o, c.model(), []any{all}, 1)
				ip, err := interp.New(c.graph, interp.Options{})
				if err == nil {
					err = ip.Run(all)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := sameElements(ip.Output(0), want); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
				codes += len(all)
				differ.add(steps(c.runOracle(t, o, oracle.Default, []any{all}, 1), want))
			}
			t.Logf("%d codes equal; default kernels: %v", codes, differ)
		})
	}
}

// curved has ELU, alone and behind anchors. It is not among the networks: LiteRT's
// reference kernels do not run its files.
var curved = prepared(&network{
	name: "curved", input: layers.Input{8, 8, 1},
	layers: layers.Sequential{
		layers.Conv2D{Filters: 8, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, Activation: layers.ActELU},
		layers.MaxPool2D{Strides: [2]int{1, 1}},
		layers.ELU{},
		layers.Flatten{},
		layers.Dense{Units: 20, Activation: layers.ActELU},
		layers.Dense{Units: 10},
	},
})[0]

// ELU inside of networks: on LiteRT's own inputs its codes are LiteRT's and its
// real values as near as sums are; simulation predicts it within a step.
func TestEluInNetworks(t *testing.T) {
	o := oracle.Start(t)
	x, labels := curved.testRows(t)
	each := func(t *testing.T, model *graph.Graph, compare func(n *graph.Node, ours, theirs any)) {
		t.Helper()
		m, err := readBack(model)
		if err != nil {
			t.Fatal(err)
		}
		run, found := runLiteRT(t, o, m, oracle.Optimized, x), 0
		for _, n := range m.graph.Nodes {
			if _, ok := n.Op.(graph.Elu); !ok {
				continue
			}
			found++
			ours, err := interp.RunNode(m.graph, n, map[*graph.Tensor]any{n.Inputs[0]: run.values[n.Inputs[0]]}, interp.Options{Batch: run.rows})
			if err != nil {
				t.Fatal(err)
			}
			compare(n, ours, run.values[n.Output])
		}
		if found != 3 {
			t.Errorf("%d ELU operators, want 3", found)
		}
	}
	float, err := curved.float()
	if err == nil {
		float, err = export.Float32(float)
	}
	if err != nil {
		t.Fatal(err)
	}
	each(t, float, func(n *graph.Node, ours, theirs any) {
		if d := relative(ours.([]float32), theirs.([]float32)); !(d <= summation) {
			t.Errorf("%q: off by %.3g of the largest value", n.Name, d)
		}
	})
	for _, r := range recipes {
		for kind, simulation := range map[string]func(quant.Recipe) (*graph.Graph, error){"ptq": curved.calibrated, "qat": curved.fineTuned} {
			t.Run(r.Name+" "+kind, func(t *testing.T) {
				q, err := simulation(r)
				if err != nil {
					t.Fatal(err)
				}
				model, err := export.Integer(q, export.Options{})
				if err != nil {
					t.Fatal(err)
				}
				each(t, model, func(n *graph.Node, ours, theirs any) {
					if err := sameElements(ours, theirs); err != nil {
						t.Errorf("%q: %v", n.Name, err)
					}
				})
				operators, err := parity.Operators(q, model, x)
				if err != nil {
					t.Fatal(err)
				}
				for _, op := range operators {
					t.Log(op)
					if op.Largest > 1 {
						t.Errorf("%v", op)
					}
				}
				right := 0
				for i, c := range classes(t, model, x) {
					if float32(c) == labels[i] {
						right++
					}
				}
				t.Logf("%d of %d right", right, len(labels))
				if right < len(labels)*85/100 {
					t.Errorf("only %d of %d right", right, len(labels))
				}
			})
		}
	}
}

// A network that ends in one sigmoid learns to tell digits from 5 on by binary
// cross-entropy, with fake quantization too, and its integers do as LiteRT's.
func TestBinaryClassifier(t *testing.T) {
	n := &network{input: layers.Input{8, 8, 1}}
	training, test, err := n.data()
	if err != nil {
		t.Fatal(err)
	}
	halves := func(ds data.Dataset) (data.Dataset, []float32, []float32) {
		x, y, err := rows(ds)
		if err != nil {
			t.Fatal(err)
		}
		for i, label := range y {
			y[i] = 0
			if label >= 5 {
				y[i] = 1
			}
		}
		set, err := data.NewMemory(data.Arrays{InputShape: n.input, X: x, Y: y})
		if err != nil {
			t.Fatal(err)
		}
		return set, x, y
	}
	samples, _, _ := halves(training)
	_, x, labels := halves(test)
	net, err := layers.Sequential{
		layers.Flatten{}, layers.Dense{Units: 24, Activation: layers.ActTanh}, layers.Dense{Units: 1, Activation: layers.ActSigmoid},
	}.Build(n.input, 7)
	if err != nil {
		t.Fatal(err)
	}
	fit := func(g *graph.Graph, epochs int) {
		m, err := train.Compile(g, train.Config{Optimizer: train.Adam{LearningRate: 3e-3}, Loss: train.BinaryCrossentropy{}, BatchSize: 32})
		if err == nil {
			defer m.Close()
			_, err = m.Fit(context.Background(), samples, train.FitConfig{Epochs: epochs, Seed: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fit(net, 10)
	q, err := n.insert(net, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	fit(q, 2)
	model, err := export.Integer(q, export.Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		t.Fatal(err)
	}
	m, err := readBack(model)
	if err != nil {
		t.Fatal(err)
	}
	run := runLiteRT(t, oracle.Start(t), m, oracle.Reference, x)
	got := runInterp(t, m.graph, run.input, run.rows)[m.graph.Outputs[0]]
	if err := sameElements(got, run.values[m.graph.Outputs[0]]); err != nil {
		t.Error(err)
	}
	right := 0
	for i, code := range got.([]int8) {
		if (code >= 0) == (labels[i] == 1) { // code 0 is one half
			right++
		}
	}
	t.Logf("%d of %d right", right, len(labels))
	if right < len(labels)*9/10 {
		t.Errorf("only %d of %d right", right, len(labels))
	}
}
