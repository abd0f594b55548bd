package endtoend

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// convertedFiles are float networks that TensorFlow's converter and litert-torch
// wrote, and the range of their inputs. See tflite/testdata/keras/make.py and
// tflite/testdata/torch/make.py.
var convertedFiles = []struct {
	name   string
	lo, hi float32
	keep   []string // in float32, in one of the files that are made of it
}{
	{"keras/branches", -1, 1, []string{"*conv2d_2_1*", "*/permute*", "*/concat*"}},
	{"keras/enlarging", 0, 1, []string{"*conv2d_transpose*", "*Sigmoid"}},
	{"keras/leftovers", -2, 2, []string{"*add_1", "*dense_1_2*"}},
	{"keras/mobile", 0, 255, []string{"*add_1/Add", "*conv2d_4*", "*/truediv"}},
	{"keras/rearranged", -1, 1, []string{"*lambda_1*"}},
	{"keras/series", -1, 1, []string{"*max_pooling1d*", "StatefulPartitionedCall*", "*conv1d_1_2*", "*Leaky*"}},
	{"keras/unrolled", -1, 1, []string{"*gru_cell_9/*"}},
	{"torch/plain", -1, 1, []string{"*Conv2d_4*", "*Flatten*"}},
	{"torch/residual", -1, 1, []string{"*Hardswish*", "*Conv2d_3*"}},
	{"torch/signal", -1, 1, []string{"*Tanh*", "*MaxPool1d_2;2*"}},
}

func convertedFile(t *testing.T, name string) *made {
	t.Helper()
	bytes, err := os.ReadFile(fmt.Sprintf("../../tflite/testdata/%s.tflite", name))
	if err != nil {
		t.Fatal(err)
	}
	g, err := tflite.Unmarshal(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &made{bytes, g}
}

// uniform returns rows of an input.
func uniform(x *graph.Tensor, rows int, lo, hi float32) []float32 {
	values, r := make([]float32, rows*x.Elements()), rng.New(1)
	for i := range values {
		values[i] = lo + (hi-lo)*r.Float32()
	}
	return values
}

// What is read of a file that others wrote means what the file means: every tensor
// that is in both has the same values, up to the order of summation, for several
// rows.
func TestReadConvertedNetworks(t *testing.T) {
	for _, f := range convertedFiles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), convertedFile(t, f.name)
			rows := 3
			if strings.HasPrefix(f.name, "torch/") {
				rows = 1
			}
			x := uniform(m.graph.Inputs[0], rows, f.lo, f.hi)
			tensors, err := o.Run(m.bytes, oracle.Options{Resolver: oracle.Optimized, Batch: rows}, []oracle.Tensor{oracle.Input(x)})
			if err != nil {
				t.Fatal(err)
			}
			named := map[string][]oracle.Tensor{}
			for _, tensor := range tensors {
				named[tensor.Name] = append(named[tensor.Name], tensor)
			}
			compared, worst := 0, 0.0
			for tensor, got := range runInterp(t, m.graph, x, rows) {
				theirs := named[tensor.Name]
				if len(theirs) != 1 || theirs[0].Role == oracle.Constant {
					continue
				}
				want, err := oracle.Values[float32](theirs[0])
				if err != nil {
					t.Fatal(err)
				}
				compared++
				ours := got.([]float32)
				if len(want) == rows*len(ours) {
					want = want[:len(ours)] // computed from constants: the same for each row
				}
				worst = max(worst, relative(ours, want))
			}
			if _, err := interp.New(m.graph, interp.Options{}); err != nil {
				t.Error(err)
			}
			t.Logf("%d nodes, %d tensors compared, largest error %.2g of the largest value", len(m.graph.Nodes), compared, worst)
			if !(worst <= summation) || compared < 8 {
				t.Errorf("%d tensors compared, largest error %v", compared, worst)
			}
		})
	}
}

// convertedNetwork is the network of a file as it is quantized.
func convertedNetwork(t *testing.T, m *made) *graph.Graph {
	t.Helper()
	g, err := graph.Passes{posttrain.FoldConstants, tflite.Trainable, graph.FoldArithmetic, graph.CancelReshapes}.Run(m.graph)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Networks that others wrote are quantized in every mode, and the files have in
// the interpreter the integers that LiteRT's reference kernels give them. The
// signal to noise of the outputs says that they are still these networks.
func TestQuantizeConvertedNetworks(t *testing.T) {
	for _, f := range convertedFiles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), convertedFile(t, f.name)
			in := m.graph.Inputs[0]
			const rows = 7
			x := uniform(in, 64, f.lo, f.hi)
			samples, err := data.NewMemory(data.Arrays{InputShape: in.Shape[1:], X: x, Y: make([]float32, 64)})
			if err != nil {
				t.Fatal(err)
			}
			x = x[:rows*in.Elements()]
			want := runInterp(t, m.graph, x, rows)[m.graph.Outputs[0]].([]float32)
			swish := slices.ContainsFunc(m.graph.Nodes, func(n *graph.Node) bool { return n.Op.Name() == "HARD_SWISH" })
			small := quant.DynamicRange()
			small.MinElements = 0
			partly := quant.Int8()
			partly.Name, partly.KeepFloat = "partly int8", f.keep
			for _, r := range []quant.Recipe{quant.Int8(), quant.Int8PerTensor(), quant.Int16x8(), partly, small, quant.Float16()} {
				model, err := posttrain.Quantize(context.Background(), convertedNetwork(t, m), r, samples, posttrain.Options{})
				if swish && r.Activations.Bits == 16 {
					if err == nil || !strings.Contains(err.Error(), "HARD_SWISH has no kernel for codes of 16 bits") {
						t.Errorf("%s: error %v", r.Name, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", r.Name, err)
					continue
				}
				bytes, err := tflite.Marshal(model)
				if err != nil {
					t.Errorf("%s: %v", r.Name, err)
					continue
				}
				if model, err = tflite.Unmarshal(bytes); err != nil {
					t.Fatal(err)
				}
				run := runLiteRT(t, o, &made{bytes, model}, oracle.Reference, x)
				theirs := run.values[model.Outputs[0]].([]float32)
				ours := runInterp(t, model, x, rows)
				for tensor, got := range ours {
					if r.Mode != quant.Integer {
						break
					}
					if floats, ok := got.([]float32); ok && tensor.Role == graph.Activation {
						if d := relative(floats, run.values[tensor].([]float32)); d > summation {
							t.Errorf("%s: %s: %v of the largest value", r.Name, tensor.Name, d)
						}
						continue
					}
					if err := sameElements(got, run.values[tensor]); err != nil {
						t.Errorf("%s: %s: %v", r.Name, tensor.Name, err)
					}
				}
				if r.Mode != quant.Integer || len(r.KeepFloat) > 0 { // what is computed in float32 is ours
					run.values = ours
				}
				equalOutputs(t, model, run)
				y := ours[model.Outputs[0]].([]float32)
				db := decibels(y, want)
				t.Logf("%s: %d bytes, %d nodes, outputs at %.1f dB", r.Name, len(bytes), len(model.Nodes), db)
				// What the worst of these networks, with weights that were never
				// trained, falls below when something is wrong.
				if least := map[quant.Mode]float64{quant.Integer: 25, quant.WeightOnly: 35, quant.HalfFloat: 60}[r.Mode]; !(db > least) {
					t.Errorf("%s: outputs at %.1f dB, want %v", r.Name, db, least)
				}
				if r.Mode == quant.HalfFloat && relative(y, theirs) > summation {
					t.Errorf("%s: the output is not LiteRT's", r.Name)
				}
			}
		})
	}
}

// decibels is the ratio of signal to noise.
func decibels(got, want []float32) float64 {
	var signal, noise float64
	for i, w := range want {
		signal += float64(w) * float64(w)
		noise += (float64(got[i]) - float64(w)) * (float64(got[i]) - float64(w))
	}
	return 10 * math.Log10(signal/noise)
}
