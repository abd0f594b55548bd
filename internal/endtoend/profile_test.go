package endtoend

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// TensorFlow Lite Micro's integers are LiteRT's, operator by operator on equal
// inputs, but for FULLY_CONNECTED, where it rounds in fixed point, twice, and
// LiteRT in float64, once, for MUL, SUB and PRELU, whose factors the two compute
// in float32 or float64, and for LOGISTIC and TANH, which Micro computes in fixed
// point: of a million codes one or two differ. RELU6, which Micro does not rescale, is equal because
// fakequant gives it one scale.
func TestMicroProfile(t *testing.T) {
	for _, f := range integerFiles {
		if f.border != graph.Int8.String() {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			m := f.must(t)
			x, _ := f.testRows(t)
			rows := len(x) / m.graph.Inputs[0].Elements()
			input, err := interp.Encode(m.graph.Inputs[0], x)
			if err != nil {
				t.Fatal(err)
			}
			litert := runInterp(t, m.graph, input, rows)
			for _, n := range m.graph.Nodes {
				given := map[*graph.Tensor]any{}
				for _, x := range n.Inputs {
					if x != nil && x.Role == graph.Activation {
						given[x] = litert[x]
					}
				}
				micro, err := interp.RunNode(m.graph, n, given, interp.Options{Batch: rows, Profile: interp.TFLM})
				if err != nil {
					t.Fatal(err)
				}
				d := steps(micro, litert[n.Output])
				limit := 0
				switch n.Op.(type) {
				case graph.FullyConnected, graph.Mul, graph.Sub, graph.Prelu, graph.Logistic, graph.Tanh:
					t.Logf("%s %q: %v", n.Op.Name(), n.Name, d)
					limit = 1
				}
				if d.steps > limit {
					t.Errorf("%s %q: %v", n.Op.Name(), n.Name, d)
				}
			}
		})
	}
}
