package fakequant

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/quant"
)

// branched has sums and products with fused activations, and concatenations of
// what is observed, copied, averaged, bounded and fixed.
func branched(t *testing.T) *graph.Graph {
	conv := func(filters int) layers.Layer {
		return layers.Conv2D{Filters: filters, Kernel: [2]int{1, 1}}
	}
	return build(t, layers.Sequential{
		layers.Concat{Branches: []layers.Layer{
			layers.Identity{},
			layers.Sequential{conv(2), layers.Dropout{Rate: 0.5}},
			layers.Sequential{conv(3), layers.Softmax{}, layers.Dropout{Rate: 0.5}},
			layers.Sequential{conv(1), layers.AveragePool2D{Pool: [2]int{2, 2}, Strides: [2]int{1, 1}, Padding: layers.Same}},
		}},
		layers.Residual{Body: layers.Sequential{conv(8), layers.BatchNorm{}}, Activation: layers.ActReLU},
		layers.Concat{Branches: []layers.Layer{
			layers.Identity{}, layers.ReLU6{},
			layers.Concat{Branches: []layers.Layer{layers.Identity{}, layers.MaxPool2D{Pool: [2]int{1, 1}}, conv(2)}},
		}},
		layers.Multiply{Branches: []layers.Layer{layers.Identity{}, layers.Sequential{layers.AveragePool2D{Pool: [2]int{4, 4}}, conv(34)}}},
		layers.Concat{Branches: []layers.Layer{layers.Softmax{}, layers.Softmax{}}},
	}, layers.Input{4, 4, 2})
}

func TestPlacementInBranches(t *testing.T) {
	q, err := Insert(branched(t), quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "branches.txt")
	if *update {
		if err := os.WriteFile(path, []byte(q.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), q.String()); diff != "" {
		t.Errorf("placement changed (-want +got), -update accepts it:\n%s", diff)
	}
}

// plain builds graphs by hand.
type plain struct {
	fatal func(...any)
	*graph.Graph
}

func (p plain) op(name string, op graph.Op, in ...*graph.Tensor) *graph.Tensor {
	y, err := p.Add(name, op, in...)
	if err != nil {
		p.fatal(err)
	}
	return y
}

func constant(name string, values ...float32) *graph.Tensor {
	return &graph.Tensor{Name: name, Role: graph.Constant, Shape: []int{len(values)}, Data: values}
}

// prescribed is an operator with a fixed output of its own scale.
type prescribed struct{ Scale float32 }

func (prescribed) Name() string       { return "PRESCRIBED" }
func (prescribed) Class() graph.Class { return graph.FixedOutput }
func (prescribed) Infer(in [][]int) ([]int, error) {
	return slices.Clone(in[0]), nil
}
func (o prescribed) FixedParams(int) (quant.Params, error) { return quant.PerTensor(o.Scale, 0), nil }

// members lists, by activation quantizer, the tensors whose codes it gives.
func members(q *graph.Graph) map[string][]string {
	list := map[string][]string{}
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Quantizer.Source != graph.LastValue {
			list[f.Quantizer.Name] = append(list[f.Quantizer.Name], n.Inputs[0].Name)
		}
	}
	return list
}

func TestConcatShares(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(p plain, x *graph.Tensor) *graph.Tensor
		want  map[string][]string
	}{
		{"the same tensor twice", func(p plain, x *graph.Tensor) *graph.Tensor {
			return p.op("y", graph.Concat{Axis: 1}, x, x)
		}, map[string][]string{"x": {"x"}}},
		{"a graph input and a result", func(p plain, x *graph.Tensor) *graph.Tensor {
			return p.op("y", graph.Concat{Axis: 1}, p.op("a", graph.Relu{}, x), x)
		}, map[string][]string{"x": {"x", "a"}}},
		{"a tensor with other readers", func(p plain, x *graph.Tensor) *graph.Tensor {
			a, b := p.op("a", graph.Relu{}, x), p.op("b", graph.Mul{}, x, x)
			return p.op("z", graph.Add{}, p.op("y", graph.Concat{Axis: 1}, a, b), p.op("w", graph.Concat{Axis: 1}, a, a))
		}, map[string][]string{"x": {"x"}, "a": {"a", "b"}, "z": {"z"}}},
		{"behind a concatenation", func(p plain, x *graph.Tensor) *graph.Tensor {
			a, b := p.op("a", graph.Relu{}, x), p.op("b", graph.Relu{}, x)
			return p.op("y", graph.Concat{Axis: 1}, p.op("c", graph.Mul{}, x, x), p.op("z", graph.Concat{Axis: 1}, a, b))
		}, map[string][]string{"x": {"x"}, "a": {"a", "b", "c"}}},
		{"two concatenations that share a member", func(p plain, x *graph.Tensor) *graph.Tensor {
			a, b, c := p.op("a", graph.Relu{}, x), p.op("b", graph.Relu{}, x), p.op("c", graph.Relu{}, x)
			return p.op("z", graph.Add{}, p.op("y", graph.Concat{Axis: 1}, a, b), p.op("w", graph.Concat{Axis: 1}, b, c))
		}, map[string][]string{"x": {"x"}, "a": {"a", "b", "c"}, "z": {"z"}}},
		{"a member through Dropout", func(p plain, x *graph.Tensor) *graph.Tensor {
			a := p.op("d", graph.Dropout{Rate: 0.5}, p.op("a", graph.Relu{}, x))
			return p.op("y", graph.Concat{Axis: 1}, a, p.op("b", graph.Relu{}, x))
		}, map[string][]string{"x": {"x"}, "a": {"a", "b"}}},
		{"a bound of its own", func(p plain, x *graph.Tensor) *graph.Tensor {
			a := p.op("a", graph.Relu6{}, x)
			return p.op("y", graph.Concat{Axis: 1}, a, p.op("b", graph.Mul{}, x, x))
		}, map[string][]string{"x": {"x", "a", "b"}}},
		{"one fixed member", func(p plain, x *graph.Tensor) *graph.Tensor {
			return p.op("y", graph.Concat{Axis: 1}, p.op("s", graph.Softmax{}, x), p.op("a", graph.Relu{}, x))
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "a": {"a", "s/fake_quant"}}},
		{"a fixed member through Dropout", func(p plain, x *graph.Tensor) *graph.Tensor {
			s := p.op("d", graph.Dropout{Rate: 0.5}, p.op("s", graph.Softmax{}, x))
			return p.op("y", graph.Concat{Axis: 1}, s, p.op("a", graph.Relu{}, x), s)
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "a": {"s/fake_quant", "a"}}},
		{"a dropped fixed member with another reader", func(p plain, x *graph.Tensor) *graph.Tensor {
			s := p.op("d", graph.Dropout{Rate: 0.5}, p.op("s", graph.Softmax{}, x))
			y := p.op("y", graph.Concat{Axis: 1}, s, p.op("a", graph.Relu{}, x))
			return p.op("z", graph.Concat{Axis: 1}, y, p.op("b", graph.Relu{}, s))
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "a": {"a", "d", "b"}}},
		{"a fixed member twice", func(p plain, x *graph.Tensor) *graph.Tensor {
			s := p.op("s", graph.Softmax{}, x)
			return p.op("y", graph.Concat{Axis: 1}, s, p.op("a", graph.Relu{}, x), s)
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "a": {"a", "s/fake_quant"}}},
		{"equal fixed members", func(p plain, x *graph.Tensor) *graph.Tensor {
			return p.op("y", graph.Concat{Axis: 1}, p.op("s", graph.Softmax{}, x), p.op("r", graph.Softmax{}, x))
		}, map[string][]string{"x": {"x"}, "s": {"s", "r"}}},
		{"unequal fixed members", func(p plain, x *graph.Tensor) *graph.Tensor {
			return p.op("y", graph.Concat{Axis: 1}, p.op("s", graph.Softmax{}, x), p.op("r", prescribed{0.5}, x))
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "r": {"r"}, "y": {"s/fake_quant", "r/fake_quant"}}},
		{"a fixed member for two", func(p plain, x *graph.Tensor) *graph.Tensor {
			s := p.op("s", graph.Softmax{}, x)
			y := p.op("y", graph.Concat{Axis: 1}, s, p.op("a", graph.Relu{}, x))
			return p.op("z", graph.Add{}, y, p.op("w", graph.Concat{Axis: 1}, s, p.op("b", graph.Relu{}, x)))
		}, map[string][]string{"x": {"x"}, "s": {"s"}, "a": {"a", "s/fake_quant"}, "b": {"b", "s/fake_quant"}, "z": {"z"}}},
		{"constants of a sum", func(p plain, x *graph.Tensor) *graph.Tensor {
			c := constant("c", 1, 2)
			return p.op("y", graph.Sub{}, c, p.op("a", graph.Relu{}, p.op("z", graph.Add{}, x, c)))
		}, map[string][]string{"x": {"x"}, "a": {"a"}, "y": {"y"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plain{t.Fatal, &graph.Graph{Name: "test"}}
			p.Outputs = []*graph.Tensor{c.build(p, p.AddInput("x", graph.Float32, []int{1, 2}))}
			q, err := Insert(p.Graph, quant.Int8())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, members(q)); diff != "" {
				t.Errorf("members of each quantizer (-want +got):\n%s\n%v", diff, q)
			}
			checkSharing(t.Errorf, q)
		})
	}
}

// A constant is quantized once, by its own values, whoever reads it.
func TestConstants(t *testing.T) {
	p := plain{t.Fatal, &graph.Graph{Name: "test"}}
	c := constant("c", -1, 1.55)
	y := p.op("y", graph.Mul{}, c, p.op("a", graph.Add{}, p.AddInput("x", graph.Float32, []int{1, 2}), c))
	p.Outputs = []*graph.Tensor{y}
	q, err := Insert(p.Graph, quant.Int8())
	if err != nil {
		t.Fatal(err)
	}
	if text := q.String(); strings.Count(text, "(c)") != 1 || !strings.Contains(text, "c: 8 bits asymmetric, last value scale 0.01 zero -28}(c)") {
		t.Errorf("the constant is quantized otherwise:\n%v", text)
	}
	p.Outputs = []*graph.Tensor{p.op("z", graph.Concat{Axis: 0}, c, c)}
	if _, err := Insert(p.Graph, quant.Int8()); err == nil || !strings.Contains(err.Error(), `node "z": input "c" has no quantizer to share`) {
		t.Errorf("a concatenation of constants gives %v", err)
	}
}

// checkSharing holds a placement to its purpose: operators that copy codes have
// one quantizer around them, every range is observed, and every activation that
// an operator computes has codes.
func checkSharing(fault func(string, ...any), q *graph.Graph) {
	of, seen := q.Codes(), map[*graph.Quantizer]bool{}
	for _, n := range q.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok {
			seen[f.Quantizer] = seen[f.Quantizer] || f.Observe
			continue
		}
		// A Dropout inside a fusion group has no codes on either side.
		if _, ok := n.Op.(graph.Dropout); n.Op.Class() != graph.SameScale && (!ok || of[n.Inputs[0]] == nil) {
			continue
		}
		for _, x := range n.Inputs {
			if of[x] == nil || of[x] != of[n.Output] {
				fault("%q: input %q has other codes than the output", n.Name, x.Name)
			}
		}
	}
	for _, z := range q.Quantizers() {
		if (z.Source == graph.MovingAverage) != seen[z] {
			fault("the %v quantizer of %q is observed: %v", z.Source, z.Name, seen[z])
		}
	}
}

// drawGraph draws a network of operators on rows of any width.
func drawGraph(t *rapid.T) plain {
	p := plain{t.Fatal, &graph.Graph{Name: "random"}}
	list := []*graph.Tensor{p.AddInput("x", graph.Float32, []int{1, 2}), p.AddInput("y", graph.Float32, []int{1, 2})}
	for i := range rapid.IntRange(1, 14).Draw(t, "nodes") {
		pick := func() *graph.Tensor { return rapid.SampledFrom(list).Draw(t, "tensor") }
		name, a := fmt.Sprintf("n%d", i), pick()
		var y *graph.Tensor
		switch rapid.IntRange(0, 8).Draw(t, "operator") {
		case 0:
			y = p.op(name, graph.Relu{}, a)
		case 1:
			y = p.op(name, graph.Relu6{}, a)
		case 2:
			y = p.op(name, graph.Softmax{}, a)
		case 3:
			y = p.op(name, prescribed{rapid.SampledFrom([]float32{1.0 / 128, 0.5}).Draw(t, "scale")}, a)
		case 4:
			y = p.op(name, graph.Dropout{}, a)
		case 5:
			y = p.op(name, graph.Reshape{Shape: []int{-1, a.Shape[1]}}, a)
		case 6:
			y = p.op(name, graph.Add{}, a, a)
		default: // the purpose of it all
			in := []*graph.Tensor{a, pick()}
			if rapid.Bool().Draw(t, "three") {
				in = append(in, pick())
			}
			if len(in)*max(in[0].Shape[1], in[1].Shape[1], in[len(in)-1].Shape[1]) > 1000 {
				in = in[:1]
			}
			y = p.op(name, graph.Concat{Axis: 1}, in...)
		}
		list = append(list, y)
	}
	p.Outputs = list[len(list)-1:]
	return p
}

// TestSharingOfRandomGraphs holds the sets of tensors that share a quantizer to
// what they should be, found by passing labels back and forth until nothing
// changes: tensors on two sides of an operator that copies have one label, but
// those with fixed parameters keep them.
func TestSharingOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		q, err := Insert(g.Graph, quant.Int8())
		if err != nil {
			t.Fatal(err)
		}
		checkSharing(t.Fatalf, q)

		inside := (&inserter{g: g.Graph}).groupInterior()
		fixed := map[*graph.Tensor]float32{} // the scale; 0 for none
		label := map[*graph.Tensor]int{}
		for _, x := range g.Tensors() {
			label[x] = len(label)
		}
		shares := func(n *graph.Node) bool {
			switch n.Op.(type) {
			case graph.Dropout, graph.Reshape, graph.Concat:
				return !inside[n.Output]
			case graph.Relu6:
				return !(&inserter{g: g.Graph}).ends(n)
			}
			return false
		}
		for _, n := range g.Nodes {
			if o, ok := n.Op.(graph.FixedParams); ok {
				p, _ := o.FixedParams(8)
				fixed[n.Output] = p.Scale[0]
			} else if shares(n) {
				s := fixed[n.Inputs[0]]
				for _, x := range n.Inputs {
					if fixed[x] != s {
						s = 0
					}
				}
				fixed[n.Output] = s
			}
		}
		for changed := true; changed; {
			changed = false
			for _, n := range g.Nodes {
				if !shares(n) {
					continue
				}
				for _, x := range n.Inputs {
					if fixed[x] != fixed[n.Output] {
						continue // requantized
					}
					if least := min(label[x], label[n.Output]); label[x] != least || label[n.Output] != least {
						label[x], label[n.Output], changed = least, least, true
					}
				}
			}
		}
		of := q.Codes()
		quantizer := map[string]*graph.Quantizer{} // by the tensor's name in the float network
		for _, x := range q.Tensors() {
			if of[x] != nil {
				quantizer[strings.TrimSuffix(x.Name, "/fake_quant")] = of[x]
			}
		}
		skip := func(x *graph.Tensor) bool { // what is fixed may be requantized in front of a Dropout or behind
			p := g.Producer(x)
			return inside[x] || fixed[x] != 0 && isDropout(p)
		}
		for _, x := range g.Tensors() {
			if skip(x) {
				continue
			}
			for _, y := range g.Tensors() {
				if !skip(y) && (label[x] == label[y]) != (quantizer[x.Name] == quantizer[y.Name]) {
					t.Fatalf("%q and %q share a quantizer: %v, should: %v in\n%v", x.Name, y.Name, quantizer[x.Name] == quantizer[y.Name], label[x] == label[y], q)
				}
			}
		}
	})
}
