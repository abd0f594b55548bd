package tflite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

// Operators that are not known are kept with all they have, and written back.
func TestForeignRoundTrip(t *testing.T) {
	custom := floatFile(schema.BuiltinOperatorCUSTOM, 0, nil, 0, 1)
	custom.codes[0].old, custom.codes[0].custom, custom.codes[0].version = 32, "Mine", 3
	custom.operators[0].custom = []byte{1, 2, 3}
	resize := floatFile(schema.BuiltinOperatorRESIZE_BILINEAR, schema.BuiltinOptionsResizeBilinearOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.ResizeBilinearOptionsStart(b)
		schema.ResizeBilinearOptionsAddAlignCorners(b, true)
		return schema.ResizeBilinearOptionsEnd(b)
	}, 0, 1)
	newest := floatFile(schema.BuiltinOperatorGELU, schema.BuiltinOptionsGeluOptions, func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		schema.GeluOptionsStart(b)
		return schema.GeluOptionsEnd(b)
	}, 0)
	for _, c := range []struct {
		r    *raw
		want graph.Foreign
	}{
		{custom, graph.Foreign{Operator: "Mine", Custom: true, Version: 3, Raw: []byte{1, 2, 3}}},
		{resize, graph.Foreign{Operator: "RESIZE_BILINEAR", Version: 1, Table: "ResizeBilinear", Options: []graph.Option{{Name: "align_corners", Value: true}}}},
		{newest, graph.Foreign{Operator: "GELU", Version: 1, Table: "Gelu"}},
		{floatFile(schema.BuiltinOperatorABS, 0, nil, 0), graph.Foreign{Operator: "ABS", Version: 1}},
	} {
		c.want.Shape, c.want.Follows = []int{1, 2}, true
		data := c.r.bytes()
		for range 2 {
			g, err := tflite.Unmarshal(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(graph.Op(c.want), g.Nodes[0].Op); diff != "" {
				t.Error(diff)
			}
			if data, err = tflite.Marshal(g); err != nil {
				t.Fatal(err)
			}
			// What the operator needs of a runtime is not known.
			if d, err := tflite.Describe(data); err != nil || d.MinRuntime != "" {
				t.Errorf("%s: runs on %q, error %v", c.want.Operator, d.MinRuntime, err)
			}
		}
	}
}

// What cannot be written back is refused by name.
func TestForeignRefusals(t *testing.T) {
	file := func(change func(*raw)) *raw {
		r := floatFile(schema.BuiltinOperatorABS, 0, nil, 0)
		change(r)
		return r
	}
	for _, c := range []struct {
		r    *raw
		want string
	}{
		{file(func(r *raw) { r.codes[0].code = 999 }), `node "y": the format has no operator operator 999`},
		{file(func(r *raw) { r.operators[0].kind, r.operators[0].options = 130, dense(0) }), "its options, of kind 130, cannot be written"},
		{floatFile(schema.BuiltinOperatorLOGISTIC, 0, nil, 0, 1), "LOGISTIC (byte "},
	} {
		g, err := tflite.Unmarshal(c.r.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tflite.Marshal(g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// convertedFile reads a file of testdata.
func convertedFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The files that TensorFlow's converter and litert-torch wrote can be read, written and read again;
// nothing in them is foreign but what their script says.
func TestConverted(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.tflite")
	if err != nil || len(paths) < 12 {
		t.Fatalf("%d files, error %v", len(paths), err)
	}
	foreign := "RESIZE_BILINEAR GELU NEG SQUARED_DIFFERENCE RSQRT MIRROR_PAD L2_NORMALIZATION"
	for _, path := range paths {
		data, name := convertedFile(t, path), strings.TrimSuffix(filepath.Base(path), ".tflite")
		g, err := tflite.Unmarshal(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var unknown []string
		for _, n := range g.Nodes {
			if f, ok := n.Op.(graph.Foreign); ok {
				unknown = append(unknown, f.Operator)
			}
		}
		if want := map[string]string{"foreign": foreign, "recurrent": "WHILE STRIDED_SLICE"}[name]; strings.Join(unknown, " ") != want {
			t.Errorf("%s: foreign operators %v, want %v", name, unknown, want)
		}
		first, err := tflite.Marshal(g)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := tflite.Unmarshal(first)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if second, err := tflite.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: not stable: error %v, %s", name, err, cmp.Diff(g.String(), again.String()))
		}
	}
}

// A file of several subgraphs is shown whole.
func TestDescribeSubgraphs(t *testing.T) {
	d, err := tflite.Describe(convertedFile(t, "testdata/keras/recurrent.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Subgraphs) != 3 || len(d.Signatures) != 1 || len(d.Signatures[0].Inputs) != 1 {
		t.Errorf("%d subgraphs, signatures %+v", len(d.Subgraphs), d.Signatures)
	}
	var text bytes.Buffer
	if err := d.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"WHILE            body_subgraph_index 2, cond_subgraph_index 1\n",
		"\nsubgraph 2 \"sequential_1/gru_1/while_body\", inputs [0 1 2 3 4], outputs [22 17 39 38 4]\n",
		"bool     []       ",
		"LOGICAL_AND  -\n",
		"signature \"serving_default\" runs subgraph 0\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s\nlacks %q", &text, want)
		}
	}
	if b := d.Bytes; b.Weights != 388 || b.Weights+b.Biases+b.Quantization+b.Structure != b.Total {
		t.Errorf("%+v", b)
	}
}
