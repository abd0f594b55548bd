package fakequant

import (
	"slices"
	"strconv"
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

// Weights have one scale, or one for each channel, as the recipe says of all or of
// their operator; what is not named is as it was.
func TestScalesByName(t *testing.T) {
	g, err := layers.Sequential{
		layers.Conv2D{Filters: 2, Kernel: [2]int{2, 2}, Name: "a"},
		layers.BatchNorm{},
		layers.ReLU{Name: "a_relu"},
		layers.DepthwiseConv2D{Kernel: [2]int{2, 2}, Name: "d"},
		layers.Flatten{},
		layers.Dense{Units: 3, Name: "b"},
	}.Build(layers.Input{5, 5, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		recipe          quant.Recipe
		tensor, channel []string
		want            string // axes of weights
	}{
		{quant.Int8(), nil, nil, "a 0 d 3 b 0"},
		{quant.Int8(), []string{"a*"}, nil, "a -1 d 3 b 0"}, // found by the name of its activation, too
		{quant.Int8(), []string{"d", "b"}, nil, "a 0 d -1 b -1"},
		{quant.Int8PerTensor(), nil, nil, "a -1 d -1 b -1"},
		{quant.Int8PerTensor(), nil, []string{"d"}, "a -1 d 3 b -1"},
		{quant.Int8Weights(), []string{"b"}, nil, "a 0 d 3 b -1"},
		{quant.DynamicRange(), []string{"a"}, nil, "a -1 d 3 b 0"},
	} {
		r := c.recipe
		r.PerTensor, r.PerChannel, r.MinElements = c.tensor, c.channel, 0
		q, err := Insert(g, r)
		if err != nil {
			t.Fatal(err)
		}
		var axes []string
		for _, n := range q.Nodes {
			f, ok := n.Op.(graph.FakeQuant)
			if name, _, weights := strings.Cut(n.Inputs[0].Name, "/"); ok && weights && f.Quantizer.Source == graph.LastValue {
				axes = append(axes, name, strconv.Itoa(f.Quantizer.Axis))
			}
			// The rule of LiteRT's hybrid convolution follows the scales of its weights.
			if ok && f.Quantizer.Source == graph.Dynamic && q.Consumers(n.Output)[0].Name == "a" && f.Quantizer.Symmetric != slices.Contains(c.tensor, "a") {
				t.Errorf("%s: the input of a has quantizer %+v", r.Name, f.Quantizer)
			}
		}
		if got := strings.Join(axes, " "); got != c.want {
			t.Errorf("%s, one scale for %q, several for %q: %s, want %s", r.Name, c.tensor, c.channel, got, c.want)
		}
	}
	r := quant.Int8()
	r.PerTensor = []string{"e"}
	if _, err := Insert(g, r); err == nil || !strings.Contains(err.Error(), `keeps "e" in one scale, which matches no operator`) {
		t.Errorf("error %v", err)
	}
}
