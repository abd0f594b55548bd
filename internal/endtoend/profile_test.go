package endtoend

import (
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
)

// TensorFlow Lite Micro's integers are LiteRT's, operator by operator on equal
// inputs, but for FULLY_CONNECTED: there it rounds in fixed point, twice, and
// LiteRT in float64, once. RELU6, which Micro does not rescale, is equal because
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
				micro, err := interp.RunNode(m.graph, n, map[*graph.Tensor]any{n.Inputs[graph.InputX]: litert[n.Inputs[graph.InputX]]},
					interp.Options{Batch: rows, Profile: interp.TFLM})
				if err != nil {
					t.Fatal(err)
				}
				d := steps(micro, litert[n.Output])
				switch _, dense := n.Op.(graph.FullyConnected); {
				case dense:
					t.Logf("%s %q: %v", n.Op.Name(), n.Name, d)
					if d.steps > 1 {
						t.Errorf("%s %q: %v", n.Op.Name(), n.Name, d)
					}
				case d.differ > 0:
					t.Errorf("%s %q: %v", n.Op.Name(), n.Name, d)
				}
			}
		})
	}
}
