package nodes

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/rng"
)

// foreign is an operator that this package does not know.
type foreign struct{ graph.Relu }

func (foreign) Name() string { return "FOREIGN" }

func TestCompileErrors(t *testing.T) {
	logits := &Loss{Kind: SparseCategoricalCrossentropy, FromLogits: true}
	dense := func(n *net, x *graph.Tensor) { n.dense("dense", x, 2) }
	for _, c := range []struct {
		name   string
		config Config
		build  func(n *net, x *graph.Tensor)
		want   string
	}{
		{"batch", Config{}, dense, "batch 0 is not positive"},
		{"executor", Config{Batch: 1, Executor: 7}, dense, "unknown executor 7"},
		{"no loss", Config{Batch: 1, Training: true}, dense, "training without a loss"},
		{"unknown loss", Config{Batch: 1, Loss: &Loss{}}, dense, "unknown loss 0"},
		{"logits for a regression", Config{Batch: 1, Loss: &Loss{Kind: MeanSquaredError, FromLogits: true}}, dense, "mean squared error takes predictions, not logits"},
		{"smoothing", Config{Batch: 1, Loss: &Loss{Kind: CategoricalCrossentropy, Smoothing: 1.5}}, dense, "label smoothing is 1.5, want 0 to 1"},
		{"smoothed regression", Config{Batch: 1, Loss: &Loss{Kind: Hinge, Smoothing: 0.5}}, dense, "hinge loss has no label smoothing"},
		{"no delta", Config{Batch: 1, Loss: &Loss{Kind: Huber}}, dense, "huber loss: delta is 0, want a positive number"},
		{"softmax and logits", Config{Batch: 1, Loss: logits}, func(n *net, x *graph.Tensor) {
			n.observed(n.add("probabilities", graph.Softmax{}, n.dense("dense", x, 2)))
		}, `ends in SOFTMAX (node "probabilities")`},
		{"faulty graph", Config{Batch: 1}, func(n *net, x *graph.Tensor) { dense(n, x); n.Nodes[0].Output.Shape = []int{1, 9} }, "output has shape [1 9]"},
		{"no output", Config{Batch: 1}, func(n *net, x *graph.Tensor) {}, "no outputs"},
		{"two outputs", Config{Batch: 1}, func(n *net, x *graph.Tensor) { dense(n, x); n.Outputs = append(n.Outputs, n.Outputs[0]) }, "1 inputs and 2 outputs"},
		{"flat output", Config{Batch: 1, Loss: logits}, func(n *net, x *graph.Tensor) { n.add("r", graph.Reshape{Shape: []int{-1}}, x) }, `output "r" has shape [3]`},
		{"unknown operator", Config{Batch: 1}, func(n *net, x *graph.Tensor) { n.add("strange", foreign{}, x) }, `node "strange": operator FOREIGN cannot be trained`},
		{"quantize", Config{Batch: 1}, func(n *net, x *graph.Tensor) { n.add("q", graph.Quantize{}, x) }, `node "q": operator QUANTIZE cannot be trained`},
		{"dequantize", Config{Batch: 1}, func(n *net, x *graph.Tensor) { n.add("q", graph.Dequantize{}, x) }, `node "q": operator DEQUANTIZE cannot be trained`},
		{"integers", Config{Batch: 1}, func(n *net, x *graph.Tensor) { dense(n, x); n.Outputs[0].Type = graph.Int8 }, `tensor "dense" is int8`},
		{"batch norm of one row", Config{Batch: 1, Training: true, Loss: logits}, func(n *net, x *graph.Tensor) { n.batchNorm("bn", x) }, `node "bn" (BATCH_NORM): batch normalization over a batch of one`},
		{"trained statistics", Config{Batch: 2, Training: true, Loss: logits}, func(n *net, x *graph.Tensor) {
			n.batchNorm("bn", x)
			n.Nodes[0].Inputs[graph.InputMean].Role = graph.Parameter
		}, `input 3 ("bn/mean") is a statistic`},
		{"trained statistics of a fold", Config{Batch: 2, Training: true, Loss: logits}, func(n *net, x *graph.Tensor) {
			n.add("d", graph.FullyConnected{}, x, n.add("f", graph.FoldWeights{}, n.parameter("w", 2, 3), n.parameter("g", 2), n.parameter("v", 2)))
		}, `input 2 ("v") is a statistic`},
		{"dropout rate", Config{Batch: 2}, func(n *net, x *graph.Tensor) { n.add("d", graph.Dropout{Rate: 1}, x) }, `node "d" (DROPOUT): rate 1 is outside [0, 1)`},
		{"dynamic axis", Config{Batch: 2}, func(n *net, x *graph.Tensor) {
			n.add("d", graph.FakeQuant{Quantizer: &graph.Quantizer{Name: "h", Bits: 8, Axis: 2, Source: graph.Dynamic}}, x)
		}, `dynamic quantizer of tensor "h"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, x := newNet(t, 3)
			c.build(n, x)
			if s, err := Compile(n.Graph, c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v; want %q", s, err, c.want)
			}
		})
	}
}

// TestPanics: a panic, in an operator as it is built or as it runs, becomes an
// error; the tape machine runs operators in a goroutine of its own.
func TestPanics(t *testing.T) {
	defer delete(builders, "FOREIGN")
	n, x := newNet(t, 3)
	n.add("strange", foreign{}, x)
	builders["FOREIGN"] = func(*compiler, *graph.Node) (*operator, error) { panic("while building") }
	if _, err := Compile(n.Graph, Config{Batch: 1}); err == nil || !strings.Contains(err.Error(), "compile: panic: while building") {
		t.Errorf("building: %v", err)
	}
	builders["FOREIGN"] = func(c *compiler, n *graph.Node) (*operator, error) {
		return &operator{out: newValue(c.shapes[n.Output]), run: func(in [][]float32) error {
			in[0][len(in[0])] = 1
			return nil
		}}, nil
	}
	for _, e := range []Executor{Fast, Tape} {
		s := compile(t, n.Graph, Config{Batch: 1, Executor: e})
		for range 2 {
			err := s.Run(0)
			if err == nil || !strings.Contains(err.Error(), `node "strange" (FOREIGN): panic: runtime error: index out of range`) {
				t.Errorf("executor %d: %v", e, err)
			}
		}
		if err := s.Commit(); err != nil {
			t.Errorf("executor %d: commit after a failed run: %v", e, err)
		}
	}
}

// TestHashCollision gives two parameters names for which Gorgonia would take
// them for one, and checks that they are not.
func TestHashCollision(t *testing.T) {
	g := gorgonia.NewGraph()
	matrix := gorgonia.NewMatrix(g, gorgonia.Float32, gorgonia.WithShape(3, 3), gorgonia.WithName("m"))
	kind := fmt.Sprintf("%v%v", matrix.Type(), matrix.Shape())
	// The names that the compiler gives to the third and the fifth node.
	hash := func(name string) uint32 {
		h := uint32(2166136261)
		for _, c := range []byte(kind + name + "\x00") {
			h = (h ^ uint32(c)) * 16777619
		}
		return h
	}
	first := map[uint32]int{}
	for i := range 1 << 17 {
		first[hash(fmt.Sprintf("0.3 a%d", i))] = i
	}
	a, b := -1, 0
	for a < 0 { // some 2^15 times
		b++
		if i, ok := first[hash(fmt.Sprintf("0.5 b%d", b))]; ok {
			a = i
		}
	}
	n, x := newNet(t, 3)
	v, w := n.parameter(fmt.Sprintf("a%d", a), 3, 3), n.parameter(fmt.Sprintf("b%d", b), 3, 3)
	n.add("second", graph.FullyConnected{}, n.add("first", graph.FullyConnected{}, x, v), w)
	config := Config{Batch: 2, Training: true, Loss: &Loss{Kind: MeanSquaredError}}
	if _, err := newCompiler(n.Graph, config, 0).compile(); err != errCollision {
		t.Fatalf("parameters %q and %q do not collide: %v", v.Name, w.Name, err)
	}
	s := compile(t, n.Graph, config)
	fill(s, rng.New(1), 2)
	checkGradients(t, n.Graph, s)
}
