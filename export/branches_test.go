package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
)

// branched is a network with a fused sum, a concatenation with a fixed member and
// one of fixed members only, and a constant; ranges are by tensor, [-1, 2] for
// others.
func branched(t *testing.T, ranges map[string]quant.Range) *graph.Graph {
	t.Helper()
	dense := layers.Dense{Units: 3}
	g, err := layers.Sequential{
		layers.Residual{Body: layers.Sequential{dense}, Activation: layers.ActReLU},
		layers.Concat{Branches: []layers.Layer{layers.Sequential{dense, layers.Softmax{}}, dense}},
		layers.Concat{Branches: []layers.Layer{layers.Softmax{}, layers.Softmax{}}},
	}.Build(layers.Input{3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := &graph.Tensor{Name: "c", Role: graph.Constant, Shape: []int{12}, Data: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	y, err := g.Add("scaled", graph.Mul{}, g.Outputs[0], c)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs[0] = y
	q, err := fakequant.Insert(g, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range q.Quantizers() {
		if z.Source == graph.MovingAverage {
			z.SetRange(quant.Range{Min: -1, Max: 2, Weight: 1})
			if r, ok := ranges[z.Name]; ok {
				z.SetRange(r)
			}
		}
	}
	return q
}

func TestBranches(t *testing.T) {
	model, err := Integer(branched(t, nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "branches.txt")
	if *update {
		if err := os.WriteFile(path, []byte(model.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), model.String()); diff != "" {
		t.Errorf("the model changed (-want +got), -update accepts it:\n%s", diff)
	}
	if _, err := tflite.Marshal(model); err != nil {
		t.Error(err)
	}
}

// Where the shared range comes out as the fixed parameters there is nothing to
// requantize.
func TestEqualMembers(t *testing.T) {
	ranges := map[string]quant.Range{"dense_2": {Min: 0, Max: 255.0 / 256, Weight: 1}}
	model, err := Integer(branched(t, ranges), Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		t.Fatal(err)
	}
	if text := model.String(); strings.Contains(text, "QUANTIZE") || !strings.Contains(text, "concatenate = CONCATENATION{axis 1}(softmax, dense_2)") {
		t.Errorf("the softmax is requantized:\n%s", text)
	}
}

// Scales that LiteRT aborts on are refused by node; a sum that is always zero has
// a scale that will do.
func TestBranchesRefuse(t *testing.T) {
	if _, err := Integer(branched(t, map[string]quant.Range{"residual/relu": {Weight: 1}, "scaled": {Weight: 1}}), Options{}); err != nil {
		t.Errorf("dead outputs: %v", err)
	}
	for name, c := range map[string]struct {
		ranges map[string]quant.Range
		want   string
	}{
		"tiny sum":     {map[string]quant.Range{"residual/relu": {Max: 1e-7, Weight: 1}}, `node "residual": ADD: scales 0.011764706 and 0.011764706 are too large for an output of scale`},
		"tiny product": {map[string]quant.Range{"scaled": {Max: 1e-7, Weight: 1}}, `node "scaled": MUL: scales 0.00390625 and 0.043137256 are too large for an output of scale`},
	} {
		_, err := Integer(branched(t, c.ranges), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the output range is too narrow") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
