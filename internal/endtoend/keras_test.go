package endtoend

import (
	"fmt"
	"os"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/tflite"
)

// kerasFiles are float networks that TensorFlow's converter wrote, and the range
// of their inputs. See tflite/testdata/keras/make.py.
var kerasFiles = []struct {
	name   string
	lo, hi float32
}{
	{"branches", -1, 1},
	{"enlarging", 0, 1},
	{"leftovers", -2, 2},
	{"mobile", 0, 255},
	{"rearranged", -1, 1},
	{"series", -1, 1},
	{"unrolled", -1, 1},
}

func kerasFile(t *testing.T, name string) *made {
	t.Helper()
	bytes, err := os.ReadFile(fmt.Sprintf("../../tflite/testdata/keras/%s.tflite", name))
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
func TestReadNetworksOfKeras(t *testing.T) {
	for _, f := range kerasFiles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o, m := oracle.Start(t), kerasFile(t, f.name)
			const rows = 3
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
