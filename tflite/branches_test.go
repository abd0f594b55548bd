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

// branches has the operators on several tensors, with constants on either side
// and the same tensor twice.
func branches(t testing.TB, s storage) *graph.Graph {
	n := newNet(t, "branches", s, false)
	typ, q := n.activation()
	x := n.input(typ, q, 1, 4, 3, 5)
	op := func(name string, op graph.Op, in ...*graph.Tensor) *graph.Tensor {
		typ, q := n.activation()
		return n.add(name, op, typ, q, in...)
	}
	twice := op("twice", graph.Add{Activate: quant.Relu6}, x, x)
	gate := n.same("gate", graph.MaxPool2D{Pool: graph.Pool{FilterH: 4, FilterW: 3, StrideH: 1, StrideW: 1}}, twice)
	gated := op("gated", graph.Mul{Activate: quant.ReluN1To1}, gate, x)
	less := op("less", graph.Sub{Activate: quant.Relu}, n.weights("c", 0, []int{5}), gated)
	number := op("number", graph.Mul{}, less, n.weights("one", 0, []int{}))
	rows := n.add("rows", graph.Concat{Axis: 1}, number.Type, number.Quant, number, number)
	return n.done(n.add("joined", graph.Concat{Axis: 3}, rows.Type, rows.Quant, rows, rows, rows))
}

func TestBranchVersions(t *testing.T) {
	pair := func(op graph.Op, s storage, a, b, y float32) *graph.Graph {
		n := newNet(t, "", s, false)
		typ, _ := n.activation()
		params := func(scale float32) *quant.Params {
			if s != int8s {
				return nil
			}
			p := quant.PerTensor(scale, 0)
			return &p
		}
		x := n.input(typ, params(a), 1, 4)
		z := n.g.AddInput("z", typ, []int{1, 4})
		z.Quant = params(b)
		return n.done(n.add("y", op, typ, params(y), x, z))
	}
	for _, c := range []struct {
		op      graph.Op
		s       storage
		y       float32 // the scale of the output; those of the inputs are 0.5 and 0.25
		version int
		runtime string
	}{
		{graph.Add{}, float, 0, 1, "1.5.0"},
		{graph.Add{}, int8s, 1, 2, "1.14.0"},
		{graph.Sub{}, float, 0, 1, "1.6.0"},
		{graph.Sub{}, int8s, 1, 2, "1.14.0"},
		{graph.Mul{}, float, 0, 1, "1.5.0"},
		{graph.Mul{}, int8s, 0.126, 2, "1.14.0"},
		{graph.Mul{}, int8s, 0.125, 3, "1.15.0"}, // a factor of 1
		{graph.Concat{Axis: 1}, float, 0, 1, "1.5.0"},
	} {
		d, err := tflite.Describe(marshal(t, pair(c.op, c.s, 0.5, 0.25, c.y)))
		if err != nil {
			t.Errorf("%s: %v", c.op.Name(), err)
			continue
		}
		if o := d.Subgraphs[0].Operators[0]; o.Name != c.op.Name() || o.Version != c.version || d.MinRuntime != c.runtime {
			t.Errorf("%s of scale %v: %s version %d, runtime %q, want version %d, runtime %q", c.op.Name(), c.y, o.Name, o.Version, d.MinRuntime, c.version, c.runtime)
		}
	}
	shared := quant.PerTensor(0.5, 3)
	n := newNet(t, "", int8s, false)
	x := n.input(graph.Int8, &shared, 1, 4)
	d, err := tflite.Describe(marshal(t, n.done(n.add("y", graph.Concat{Axis: 1}, graph.Int8, &shared, x, x, x))))
	if err != nil || d.Subgraphs[0].Operators[0].Version != 2 || d.MinRuntime != "1.14.0" {
		t.Errorf("CONCATENATION of int8: %+v, %v", d, err)
	}
	for want, g := range map[string]*graph.Graph{
		"ADD (byte ": pair(graph.Add{}, int8s, 0.5, 0.25, 1e-8), // LiteRT aborts on these scales
		`input "z" and output "y" must have the same scale`: pair(graph.Concat{Axis: 1}, int8s, 0.5, 0.25, 0.5),
	} {
		if _, err := tflite.Marshal(g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// joined is a file of a CONCATENATION of x with itself.
func joined(axis int32, a schema.ActivationFunctionType) *raw {
	r := floatFile(schema.BuiltinOperatorCONCATENATION, schema.BuiltinOptionsConcatenationOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.ConcatenationOptionsStart(b)
		schema.ConcatenationOptionsAddAxis(b, axis)
		schema.ConcatenationOptionsAddFusedActivationFunction(b, a)
		return schema.ConcatenationOptionsEnd(b)
	}, 0, 0)
	r.tensors[2].shape = []int32{1, 4}
	return r
}

// The axis of a file may count from the end.
func TestReadBranches(t *testing.T) {
	for _, axis := range []int32{-1, 1} {
		g, err := tflite.Unmarshal(joined(axis, 0).bytes())
		if err != nil {
			t.Fatal(err)
		}
		if op := g.Nodes[0].Op.(graph.Concat); op.Axis != 1 {
			t.Errorf("axis %d is read as %d", axis, op.Axis)
		}
	}
	for want, r := range map[string]*raw{
		"axis -1 of shape [1 2]":        joined(-3, 0),
		"axis 2 of shape [1 2]":         joined(2, 0),
		"fused activation RELU is not":  joined(1, schema.ActivationFunctionTypeRELU),
		"options are NONE, want AddOpt": floatFile(schema.BuiltinOperatorADD, 0, nil, 0, 0),
	} {
		if _, err := understand(r.bytes()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	empty := joined(1, 0)
	empty.operators[0].inputs = nil
	if _, err := understand(empty.bytes()); err == nil {
		t.Error("a CONCATENATION of nothing is read")
	}
}
