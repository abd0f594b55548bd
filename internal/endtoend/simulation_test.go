package endtoend

import (
	"context"
	"slices"
	"testing"

	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/parity"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
)

// onePath are the operators whose codes are copied, or rounded by one definition
// in simulation and kernel: they may not differ at all.
var onePath = []string{"input", "QUANTIZE", "CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RESHAPE", "RELU6", "PAD", "STRIDED_SLICE", "TRANSPOSE", "REDUCE_MAX", "RESIZE_NEAREST_NEIGHBOR", "MEAN"}

// The theorem the project rests on: fed what the integer operator is fed, the
// fake-quantized operator gives the same code or one beside it. The causes of a
// difference of one are requantization in fixed point, the rounding of biases and
// that of float32 sums.
func TestSimulationPredictsIntegers(t *testing.T) { predictIntegers(t, simulations) }

func predictIntegers(t *testing.T, simulations []source) {
	for _, s := range simulations {
		t.Run(s.name+"/"+s.kind, func(t *testing.T) {
			t.Parallel()
			q, err := s.graph()
			if err != nil {
				t.Fatal(err)
			}
			model, err := export.Integer(q, export.Options{})
			if err != nil {
				t.Fatal(err)
			}
			x, _ := s.testRows(t)
			operators, err := parity.Operators(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(model.Nodes) - 1; len(operators) != want { // all but DEQUANTIZE; QUANTIZE is the input's
				t.Errorf("%d operators compared, the model has %d on int8", len(operators), want)
			}
			for _, op := range operators {
				t.Log(op)
				limit := 1
				if slices.Contains(onePath, op.Op) && !requantized(t, model, op) {
					limit = 0
				}
				if steps, ok := wideSteps[op.Op]; ok && q.Recipe.Activations.Bits == 16 {
					limit = steps
				} else if op.Op == "SOFTMAX" && q.Recipe.Activations.Bits == 16 {
					shape := tensorNamed(t, model, op.Name).Shape
					limit = 2 * shape[len(shape)-1]
				}
				if op.Largest > limit {
					t.Errorf("%s %q: %d steps", op.Op, op.Name, op.Largest)
				}
			}
			agreement, err := parity.EndToEnd(q, model, x)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d of %d predictions agree", agreement.Same, agreement.Rows)
			// Each layer adds steps of one; rows whose two largest outputs are next to
			// each other may tip. The worst of these networks loses 3 of 360. Those of
			// the zoo have learned next to nothing.
			if s.sets == nil && agreement.Share() < 0.98 {
				t.Errorf("only %d of %d predictions agree", agreement.Same, agreement.Rows)
			}
		})
	}
}

// In a dynamic-range model nothing is rounded but inputs and weights, and fake
// quantization rounds these to the same codes: each operator's output is equal up
// to the rounding of float32 sums.
func TestSimulationPredictsDynamicRange(t *testing.T) { predictDynamicRange(t, networks) }

func predictDynamicRange(t *testing.T, networks []*network) {
	for _, n := range networks {
		for _, s := range n.hybrids() {
			t.Run(n.name+"/"+s.kind, func(t *testing.T) {
				t.Parallel()
				q, err := s.graph()
				if err != nil {
					t.Fatal(err)
				}
				model, err := export.DynamicRange(q)
				if err != nil {
					t.Fatal(err)
				}
				x, _ := n.testRows(t)
				rows := len(x) / model.Inputs[0].Elements()
				values := runInterp(t, model, x, rows)
				hybrids, worst := 0, 0.0
				for _, node := range model.Nodes {
					if !hybrid(node) {
						continue
					}
					hybrids++
					in, out := node.Inputs[graph.InputX], node.Output
					simulated, err := interp.RunNode(q, q.Producer(tensorNamed(t, q, out.Name)),
						map[*graph.Tensor]any{tensorNamed(t, q, in.Name): values[in]}, interp.Options{Batch: rows})
					if err != nil {
						t.Fatal(err)
					}
					worst = max(worst, relative(simulated.([]float32), values[out].([]float32)))
				}
				t.Logf("%d hybrid operators, largest difference %.2g of the largest value", hybrids, worst)
				if hybrids == 0 && slices.ContainsFunc(model.Tensors(), func(x *graph.Tensor) bool { return x.Type == graph.Int8 }) {
					t.Error("int8 weights, but no hybrid operator was compared")
				}
				if !(worst <= summation) {
					t.Errorf("off by %.3g of the largest value", worst)
				}
			})
		}
	}
}

// Every operator that files can hold is in an integer model of the networks that
// the tests above simulate.
func TestSimulationsHaveEveryOperator(t *testing.T) {
	missing := map[string]bool{}
	for _, op := range graph.Operators() {
		missing[op.Name()] = op.Class() != graph.TrainingOnly
	}
	for _, n := range slices.Concat(networks, zooNetworks, []*network{curved}) {
		g, err := n.layers.Build(n.input, 7)
		if err != nil {
			t.Fatal(err)
		}
		samples, _, err := n.data()
		if err != nil {
			t.Fatal(err)
		}
		model, err := posttrain.Quantize(context.Background(), g, quant.Int8(), samples, posttrain.Options{Calibration: posttrain.Calibration{Samples: 8}})
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range model.Nodes {
			missing[node.Op.Name()] = false
		}
	}
	for name, is := range missing {
		if is {
			t.Errorf("no network has %s", name)
		}
	}
}

// tensorNamed returns the tensor of a name, which must exist.
func tensorNamed(t *testing.T, g *graph.Graph, name string) *graph.Tensor {
	t.Helper()
	for _, x := range g.Tensors() {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no tensor %q", name)
	return nil
}
