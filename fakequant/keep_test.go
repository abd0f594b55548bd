package fakequant

import (
	"strings"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// An operator that stays float32 has no quantizers inside, one in front and one
// behind; two in a row have none between them.
func TestKeepFloat(t *testing.T) {
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 2, Kernel: [2]int{2, 2}, Name: "a"},
		layers.BatchNorm{},
		layers.ReLU{Name: "a_relu"},
		layers.MaxPool2D{Name: "pool"},
		layers.Flatten{},
		layers.Dense{Units: 3, Name: "b"},
		layers.LeakyReLU{Name: "leaky"},
		layers.Dense{Units: 2, Name: "c"},
	}.Build(layers.Input{5, 5, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keep  []string
		kept  string   // names of the operators
		fakes []string // tensors with a quantizer
	}{
		{nil, "", []string{"a/kernel", "b/kernel", "c/kernel", "input", "a_relu", "b", "leaky", "c"}},
		{[]string{"a_relu"}, "a", []string{"b/kernel", "c/kernel", "input", "a_relu", "b", "leaky", "c"}},
		{[]string{"b", "leaky"}, "b leaky", []string{"a/kernel", "c/kernel", "input", "a_relu", "leaky", "c"}},
		{[]string{"pool"}, "pool", []string{"a/kernel", "b/kernel", "c/kernel", "input", "a_relu", "pool", "b", "leaky", "c"}},
		{[]string{"c*"}, "c", []string{"a/kernel", "b/kernel", "input", "a_relu", "b", "leaky", "c"}},
	} {
		r := quant.Int8()
		r.KeepFloat = c.keep
		q, err := Insert(g, r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(q.Recipe.KeepFloat, " "); got != c.kept {
			t.Errorf("%v: kept %q, want %q", c.keep, got, c.kept)
		}
		found := map[string]bool{}
		for _, n := range q.Nodes {
			if _, ok := n.Op.(graph.FakeQuant); ok {
				found[n.Inputs[0].Name] = true
			}
		}
		for _, name := range c.fakes {
			if !found[name] {
				t.Errorf("%v: %s has no quantizer", c.keep, name)
			}
			delete(found, name)
		}
		for name := range found {
			if !strings.HasPrefix(name, "flatten") {
				t.Errorf("%v: %s has a quantizer", c.keep, name)
			}
		}
	}
	r := quant.Int8()
	r.KeepFloat = []string{"conv*", "b"}
	if _, err := Insert(g, r); err == nil || !strings.Contains(err.Error(), `keeps "conv*" in float32, which matches no operator`) {
		t.Errorf("error %v", err)
	}
	weights := quant.DynamicRange()
	weights.MinElements, weights.KeepFloat = 0, []string{"b"}
	q, err := Insert(g, weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && n.Inputs[0].Name == "b/kernel" {
			t.Errorf("the weights of b have quantizer %v", f.Quantizer)
		}
	}
}
