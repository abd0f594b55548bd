package tflite_test

import (
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// squashing has the activations that anchors cannot fuse, but for ELU, which
// LiteRT's reference kernels lack.
func squashing(t testing.TB, s storage) *graph.Graph {
	n := newNet(t, "squashing", s, false)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 4, 3, 5)
	op := func(op graph.Op, in ...*graph.Tensor) *graph.Tensor {
		typ, q := n.activation()
		if f, ok := op.(graph.FixedParams); ok && q != nil {
			p, err := f.FixedParams(8)
			if err != nil {
				t.Fatal(err)
			}
			q = &p
		}
		return n.add(op.Name(), op, typ, q, in...)
	}
	h := op(graph.LeakyRelu{Alpha: 0.3}, x)
	h = op(graph.Prelu{}, h, n.weights("alpha", 0, []int{1, 1, 5}))
	h = op(graph.HardSwish{}, h)
	h = op(graph.Softmax{}, h)
	return n.done(op(graph.Logistic{}, h), op(graph.Tanh{}, h))
}

func TestNonlinearVersions(t *testing.T) {
	for _, c := range []struct {
		op             graph.Op
		float, integer int
		runtime        string
	}{
		{graph.LeakyRelu{Alpha: 0.1}, 1, 1, "1.13.1"},
		{graph.Elu{}, 1, 1, "1.14.0"},
		{graph.HardSwish{}, 1, 1, "1.15.0"},
		{graph.Logistic{}, 1, 2, "1.14.0"},
		{graph.Tanh{}, 1, 2, "1.14.0"},
		{graph.Prelu{}, 1, 1, "1.8.0"},
	} {
		for s, version := range map[storage]int{float: c.float, int8s: c.integer} {
			n := newNet(t, "", s, false)
			typ, q := n.activation()
			inputs := []*graph.Tensor{n.input(typ, q, 1, 4)}
			if _, ok := c.op.(graph.Prelu); ok {
				inputs = append(inputs, n.weights("alpha", 0, []int{4}))
			}
			if f, ok := c.op.(graph.FixedParams); ok && s == int8s {
				p, err := f.FixedParams(8)
				if err != nil {
					t.Fatal(err)
				}
				q = &p
			}
			file := marshal(t, n.done(n.add("y", c.op, typ, q, inputs...)))
			d, err := tflite.Describe(file)
			if err != nil {
				t.Fatal(err)
			}
			if o := d.Subgraphs[0].Operators[0]; o.Name != c.op.Name() || o.Version != version || d.MinRuntime != c.runtime {
				t.Errorf("%s: version %d, runtime %q, want version %d, runtime %q", o.Name, o.Version, d.MinRuntime, version, c.runtime)
			}
			if g, err := tflite.Unmarshal(file); err != nil || g.Nodes[0].Op != c.op {
				t.Errorf("%v is read back as %v, %v", c.op, g, err)
			}
		}
	}
}

// Outputs of LOGISTIC and TANH must have the parameters that kernels take for
// granted.
func TestFixedOutputsAreVerified(t *testing.T) {
	for _, op := range []graph.Op{graph.Logistic{}, graph.Tanh{}} {
		n := newNet(t, "", int8s, false)
		x := n.input(graph.Int8, n.params(), 1, 4)
		p := quant.PerTensor(0.5, 3)
		_, err := tflite.Marshal(n.done(n.add("y", op, graph.Int8, &p, x)))
		if err == nil || !strings.Contains(err.Error(), `output "y" must have scale`) {
			t.Errorf("%s: error %v", op.Name(), err)
		}
	}
}

// A file without the option table has no alpha.
func TestReadLeakyRelu(t *testing.T) {
	_, err := understand(floatFile(schema.BuiltinOperatorLEAKY_RELU, schema.BuiltinOptionsNONE, nil, 0).bytes())
	if err == nil || !strings.Contains(err.Error(), "options are NONE, want LeakyReluOptions") {
		t.Errorf("error %v", err)
	}
	g, err := tflite.Unmarshal(floatFile(schema.BuiltinOperatorLEAKY_RELU, schema.BuiltinOptionsLeakyReluOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.LeakyReluOptionsStart(b)
		schema.LeakyReluOptionsAddAlpha(b, 0.125)
		return schema.LeakyReluOptionsEnd(b)
	}, 0).bytes())
	if err != nil || g.Nodes[0].Op != (graph.LeakyRelu{Alpha: 0.125}) {
		t.Errorf("read as %v, %v", g, err)
	}
}

// The slopes of a PRELU can be trained after a file was read, float or half.
func TestSlopesAreTrainable(t *testing.T) {
	for _, s := range []storage{float, half} {
		read, err := tflite.Unmarshal(marshal(t, squashing(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		g, err := graph.Passes{tflite.Trainable}.Run(read)
		if err != nil {
			t.Fatal(err)
		}
		if p := g.Parameters(); len(p) != 1 || p[0].Name != "alpha" {
			t.Errorf("storage %v: parameters %v", s, p)
		}
	}
}
