package tflite_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/oracle"
	"github.com/goqat/goqat/tflite"
)

// LiteRT must load every kind of file and see in it what was written.
func TestLiteRT(t *testing.T) {
	o := oracle.Start(t)
	for _, m := range models {
		t.Run(m.name, func(t *testing.T) {
			data := marshal(t, m.build(t))
			seen, err := o.Inspect(data)
			if err != nil {
				t.Fatal(err)
			}
			d, err := tflite.Describe(data)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen.Inputs, d.Subgraphs[0].Inputs) || !slices.Equal(seen.Outputs, d.Subgraphs[0].Outputs) {
				t.Errorf("inputs %v, outputs %v; LiteRT sees %v, %v", d.Subgraphs[0].Inputs, d.Subgraphs[0].Outputs, seen.Inputs, seen.Outputs)
			}
			for i, x := range seen.Tensors {
				w := d.Subgraphs[0].Tensors[i]
				if x.Name != w.Name || !slices.Equal(x.Shape, w.Shape) || !slices.Equal(x.Scales, w.Scales) || x.QuantizedDimension != w.Axis ||
					fmt.Sprint(x.ZeroPoints) != fmt.Sprint(w.ZeroPoints) || len(x.Data) != w.Bytes {
					t.Errorf("tensor %d: wrote %+v, LiteRT sees %+v", i, w, x)
				}
			}
			for i, x := range seen.Operators {
				if w := d.Subgraphs[0].Operators[i]; x.Name != w.Name || x.Version != w.Version || !slices.Equal(x.Inputs, w.Inputs) || !slices.Equal(x.Outputs, w.Outputs) {
					t.Errorf("operator %d: wrote %+v, LiteRT sees %+v", i, w, x)
				}
			}
			run(t, o, data, m.build(t).Inputs[0])
		})
	}
}

// run runs a file on zeros, with the reference kernels and the default ones:
// Prepare and Eval see every option.
func run(t *testing.T, o *oracle.Oracle, data []byte, x *graph.Tensor) {
	t.Helper()
	var in oracle.Tensor
	switch n := x.Elements(); x.Type {
	case graph.Float32:
		in = oracle.Input(make([]float32, n))
	case graph.Int8:
		in = oracle.Input(make([]int8, n))
	case graph.UInt8:
		in = oracle.Input(make([]uint8, n))
	}
	for _, r := range []oracle.Resolver{oracle.Reference, oracle.Default} {
		if _, err := o.Run(data, oracle.Options{Resolver: r}, []oracle.Tensor{in}); err != nil {
			t.Errorf("resolver %d: %v", r, err)
		}
	}
}
