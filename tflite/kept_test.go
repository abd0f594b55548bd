package tflite_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// Tensors that graphs do not compute with are kept, and so are the operators on
// them: neither runs, which is said with both names, and what the file can say of
// them is written back.
func TestKept(t *testing.T) {
	abs := func(change func(*raw)) *raw {
		r := floatFile(schema.BuiltinOperatorABS, 0, nil, 0)
		change(r)
		return r
	}
	weights := func(change func(*raw)) *raw {
		r := denseFile()
		change(r)
		return r
	}
	for _, c := range []struct {
		name, refusal, unwritable string
		r                         *raw
	}{
		{"sparse", `operator FULLY_CONNECTED is not supported in this form: tensor "w": sparse storage is not supported`, `tensor "w": sparse storage cannot be written`,
			weights(func(r *raw) { r.tensors[1].sparse = true })},
		{"elsewhere", `tensor "w": data in another file is not supported`, `tensor "w": data in another file cannot be written`,
			weights(func(r *raw) { r.tensors[1].external = 1 })},
		{"details", `tensor "w": quantization other than scale and zero point is not supported`, `tensor "w": quantization other than scale and zero point cannot be written`,
			weights(func(r *raw) { r.tensors[1].details = true })},
		{"type", `tensor "w": type INT2 is not supported`, "", weights(func(r *raw) { r.tensors[1].typ = schema.TensorTypeINT2 })},
		{"state", `tensor "w": state kept between runs is not supported`, "", weights(func(r *raw) { r.tensors[1].variable, r.tensors[1].buffer = true, 0 })},
		{"state from outside", `tensor "x": state kept between runs is not supported`, "", weights(func(r *raw) { r.tensors[0].variable = true })},
		{"input of unknown size", `tensor "x": shape signature [1 -1]: sizes known only at run time are not supported, except the batch`, "",
			weights(func(r *raw) { r.tensors[0].signature = []int32{1, -1} })},
		{"output of unknown size", `tensor "y": shape signature [-1 -1]: sizes known only at run time`, "", abs(func(r *raw) { r.tensors[2].signature = []int32{-1, -1} })},
		{"bool", `tensor "y": type BOOL is not supported`, "", abs(func(r *raw) { r.tensors[2].typ = schema.TensorTypeBOOL })},
		{"state that changes", "operator ABS is not one that this program knows", "", abs(func(r *raw) { r.operators[0].mutating = true })},
		{"tensors of its own", "operator ABS is not one that this program knows", "it has tensors of its own, which cannot be written", abs(func(r *raw) { r.operators[0].intermediate = true })},
		{"two outputs", "operator ABS is not one that this program knows", "", abs(func(r *raw) {
			r.tensors = append(r.tensors, rawTensor{name: "z", shape: []int32{1, 3}})
			r.operators[0].outputs = []int32{2, 3}
		})},
		{"no outputs", "operator ABS is not one that this program knows", "", abs(func(r *raw) {
			r.tensors = append(r.tensors, rawTensor{name: "z", shape: []int32{1, 2}})
			r.operators = append(r.operators, rawOperator{inputs: []int32{0}, outputs: []int32{3}})
			r.operators[0].outputs, r.outputs = nil, []int32{3}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := tflite.Unmarshal(c.r.bytes())
			if err != nil {
				t.Fatal(err)
			}
			_, err = interp.New(g, interp.Options{})
			if f, ok := g.Nodes[0].Op.(graph.Foreign); !ok || err == nil || !strings.Contains(f.Refusal()+"\n"+err.Error(), c.refusal) {
				t.Errorf("refused with %v, want %q\n%v", err, c.refusal, g)
			}
			first, err := tflite.Marshal(g)
			if c.unwritable != "" {
				if err == nil || !strings.Contains(err.Error(), c.unwritable) {
					t.Errorf("error %v, want %q", err, c.unwritable)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := tflite.Unmarshal(first)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.String(), again.String()); diff != "" {
				t.Error(diff)
			}
			if second, err := tflite.Marshal(again); err != nil || !bytes.Equal(first, second) {
				t.Errorf("not stable: %v", err)
			}
			one, err1 := tflite.Describe(c.r.bytes())
			two, err2 := tflite.Describe(first)
			if err1 != nil || err2 != nil || len(one.Subgraphs[0].Operators[0].Outputs) != len(two.Subgraphs[0].Operators[0].Outputs) {
				t.Errorf("written as %+v, was %+v", two, one)
			}
			for _, x := range one.Subgraphs[0].Tensors {
				i := slices.IndexFunc(two.Subgraphs[0].Tensors, func(y tflite.TensorInfo) bool { return x.Name == y.Name })
				if i >= 0 && (x.Type != two.Subgraphs[0].Tensors[i].Type || x.Note != two.Subgraphs[0].Tensors[i].Note) {
					t.Errorf("%+v was written as %+v", x, two.Subgraphs[0].Tensors[i])
				}
			}
		})
	}
}

// A tensor with time in front of the batch, which a graph does not have, is computed
// for the operators that are kept and for outputs of the network.
func TestTimeInFrontOfForeign(t *testing.T) {
	r := floatFile(schema.BuiltinOperatorTRANSPOSE, 0, nil, 0, 1)
	r.codes = append(r.codes, rawCode{code: schema.BuiltinOperatorABS, version: 1})
	r.buffers[1].data = []byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}
	r.tensors = []rawTensor{
		{name: "x", shape: []int32{1, 5, 3}}, {name: "perm", typ: schema.TensorTypeINT32, shape: []int32{3}, buffer: 1},
		{name: "time", shape: []int32{5, 1, 3}}, {name: "y", shape: []int32{5, 1, 3}},
	}
	r.operators = append(r.operators, rawOperator{opcode: 1, inputs: []int32{2}, outputs: []int32{3}})
	r.outputs = []int32{2, 3}
	g, err := tflite.Unmarshal(r.bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := "time = FOREIGN TRANSPOSE{version 1}(x, perm) -> float32[5 1 3]\ny = FOREIGN ABS{version 1}(time) -> float32[5 1 3]\noutput time\noutput y\n"
	if !strings.HasSuffix(g.String(), want) {
		t.Errorf("%v\nwant at the end\n%s", g, want)
	}
	data := marshal(t, g)
	if again, err := tflite.Unmarshal(data); err != nil || again.String() != g.String() {
		t.Errorf("read back as %v, error %v", again, err)
	}
}

// The networks of a file beside the first are read, kept and written back with
// their operators, options and signatures; what would run or quantize them says so.
func TestSubgraphs(t *testing.T) {
	file := convertedFile(t, "testdata/keras/recurrent.tflite")
	g, err := tflite.Unmarshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Subgraphs) != 2 || g.Subgraphs[0].Name != "sequential_1/gru_1/while_cond" || g.Subgraphs[1].Name != "sequential_1/gru_1/while_body" {
		t.Fatalf("subgraphs %v", g.Subgraphs)
	}
	if _, err := interp.New(g, interp.Options{}); err == nil ||
		!strings.Contains(err.Error(), `node "sequential_1/gru_1/while": operator WHILE is not supported in this form: it runs subgraph 1, "sequential_1/gru_1/while_cond", and subgraph 2, "sequential_1/gru_1/while_body"`) {
		t.Errorf("error %v", err)
	}
	net, err := graph.Passes{tflite.Trainable}.Run(g)
	if err != nil {
		t.Fatal(err)
	}
	_, err = posttrain.Quantize(context.Background(), net, quant.Int8(), nil, posttrain.Options{})
	for _, want := range []string{`node "sequential_1/gru_1/while": FOREIGN WHILE cannot be quantized: operator WHILE`, `subgraph 2, "sequential_1/gru_1/while_body", cannot be quantized`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	was, err := tflite.Describe(file)
	if err != nil {
		t.Fatal(err)
	}
	is, err := tflite.Describe(marshal(t, g))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range was.Subgraphs[1:] {
		now := is.Subgraphs[1+i]
		if s.Name != now.Name || len(s.Inputs) != len(now.Inputs) || len(s.Operators) != len(now.Operators) {
			t.Fatalf("subgraph %d is %+v, was %+v", i, now, s)
		}
		names := func(s tflite.SubgraphInfo, list []int) (names []string) {
			for _, t := range list {
				names = append(names, strings.TrimRight(s.Tensors[t].Name, "0123456789")+" "+s.Tensors[t].Type)
			}
			return names
		}
		for k, o := range s.Operators {
			n := now.Operators[k]
			if o.Name != n.Name || o.Version != n.Version || !cmp.Equal(names(s, o.Inputs), names(now, n.Inputs)) || !cmp.Equal(names(s, o.Outputs), names(now, n.Outputs)) || !cmp.Equal(o.Options, n.Options) {
				t.Errorf("operator %+v was %+v", n, o)
			}
		}
	}

	// Under signatures of their own: one may quantize the first, and keep the second.
	r := denseFile()
	r.subgraphs, r.others, r.runtime = 2, []string{"second"}, "1.14.0"
	if g, err = tflite.Unmarshal(r.bytes()); err != nil {
		t.Fatal(err)
	}
	d, err := tflite.Describe(marshal(t, g.Clone()))
	if err != nil || len(d.Signatures) != 2 || d.Signatures[0].Key != "main" || d.Signatures[1].Key != "second" || d.Signatures[1].Subgraph != 1 {
		t.Errorf("%+v, error %v", d, err)
	}
	r.others[0] = "main"
	wants(t, r, `two signatures are named "main"`)

	// Faults of other subgraphs are named.
	r = floatFile(schema.BuiltinOperatorABS, 0, nil, 0)
	r.subgraphs, r.operators[0].inputs = 2, []int32{9}
	if _, err := tflite.Unmarshal(r.bytes()); err == nil || !strings.Contains(err.Error(), "tflite: subgraph 1, operator 0, ABS (byte ") {
		t.Errorf("error %v", err)
	}
}
