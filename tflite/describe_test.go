package tflite_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/tflite/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDescribeGolden(t *testing.T) {
	for _, m := range models {
		if !strings.HasPrefix(m.name, "int8") && !strings.HasSuffix(m.name, "borders") && !strings.HasSuffix(m.name, "odd") {
			continue
		}
		d, err := tflite.Describe(marshal(t, m.build(t)))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := d.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + strings.ReplaceAll(m.name, " ", "-") + ".txt"
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s: %s", m.name, diff)
		}
	}
}

func TestDescribeBytes(t *testing.T) {
	for _, c := range []struct {
		name            string
		weights, biases int
	}{
		// 144 + 4608 + 15680 weights, 16 + 32 + 10 biases.
		{"float", 4 * 20432, 4 * 58},
		{"float16", 2 * 20432, 2 * 58},
		{"hybrid", 20432, 4 * 58},
		{"int8 per channel", 20432, 4 * 58},
	} {
		for _, m := range models {
			if m.name != c.name {
				continue
			}
			data := marshal(t, m.build(t))
			d, err := tflite.Describe(data)
			if err != nil {
				t.Fatal(err)
			}
			b := d.Bytes
			if b.Weights != c.weights || b.Biases != c.biases || b.Total != len(data) || b.Weights+b.Biases+b.Quantization+b.Structure != b.Total {
				t.Errorf("%s: %+v, want weights %d, biases %d, sum %d", c.name, b, c.weights, c.biases, len(data))
			}
			if quantized := c.name == "int8 per channel" || c.name == "hybrid"; quantized != (b.Quantization > 0) || b.Structure < 1000 {
				t.Errorf("%s: %+v", c.name, b)
			}
		}
	}
}

// Files with operators that cannot be read can still be described; what tools
// read as JSON has stable names.
func TestDescribeUnknown(t *testing.T) {
	r := denseFile()
	r.codes[0] = rawCode{old: 45, version: 2}
	r.operators[0].options = dense(schema.ActivationFunctionTypeRELU)
	r.tensors[1].typ = schema.TensorTypeINT4
	d, err := tflite.Describe(r.bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(d.Subgraphs[0].Operators)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"index":0,"name":"STRIDED_SLICE","version":2,"inputs":[0,1,2],"outputs":[3],"options":{"fused_activation_function":"RELU"}}]`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, _ := json.Marshal(d.Subgraphs[0].Tensors[1]); string(got) != `{"index":1,"name":"w","type":"int4","shape":[2,2],"scales":[0.25,0.125],"zero_points":[0,0],"bytes":4}` {
		t.Errorf("%s", got)
	}

	r.operators[0].opcode = 5
	if _, err := tflite.Describe(r.bytes()); err == nil || !strings.Contains(err.Error(), "names operator code 5") {
		t.Errorf("error %v", err)
	}
	if err := d.WriteText(failing{}); err == nil {
		t.Error("a failing writer is no error")
	}
}
