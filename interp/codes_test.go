package interp_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

func TestRunFloatIsRun(t *testing.T) {
	forEach(t, func(t *testing.T, g *graph.Graph, input, output any) {
		x, err := interp.Decode(g.Inputs[0], input)
		if err != nil {
			t.Fatal(err)
		}
		want, err := interp.Decode(g.Outputs[0], output)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 3, batch, 100} {
			ip := start(t, g, interp.Options{Batch: size})
			got, err := ip.RunFloat(x)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "output", got, want)
			if size >= batch {
				equal(t, "codes", ip.Output(0), output)
			}
		}
	})
}

func TestRunFloatErrors(t *testing.T) {
	ip := start(t, int8Net(t, true), interp.Options{Batch: 2})
	x := make([]float32, 5*189)
	x[4*189+17] = float32(math.NaN())
	for _, c := range []struct {
		x    []float32
		want string
	}{
		{nil, `interp: input "in": 0 elements are not one or more rows of 189`},
		{make([]float32, 190), `190 elements`},
		{x, `interp: input: tensor "in", row 4: element 17 is NaN, which has no code`},
	} {
		if _, err := ip.RunFloat(c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	b := newBuilder(t, 1)
	b.input("x", graph.Float32, nil, 1, 2)
	g := b.done(b.float(graph.FoldBias{}, b.floats("gamma", 2), b.positive("variance", 2), b.floats("beta", 2), b.floats("mean", 2)))
	if _, err := start(t, g, interp.Options{Batch: 2}).RunFloat(make([]float32, 4)); err == nil || !strings.Contains(err.Error(), `output "FOLD_BIAS": 2 elements for 2 rows, want 2 for each`) {
		t.Errorf("an output without batch: %v", err)
	}
}

// Real values come back within half a step; codes come back as they were.
func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := &graph.Tensor{Name: "x", Type: graph.Int8, Shape: []int{1, 1}}
		zero := rapid.Int32Range(-128, 127).Draw(t, "zero point")
		if rapid.Bool().Draw(t, "unsigned") {
			x.Type, zero = graph.UInt8, zero+128
		}
		scale := rapid.Float32Range(1e-3, 10).Draw(t, "scale")
		x.Quant = ptr(scale, zero)
		lowest := int32(0)
		if x.Type == graph.Int8 {
			lowest = -128
		}
		v := quant.Value(lowest+rapid.Int32Range(0, 255).Draw(t, "code"), scale, zero)
		shift := rapid.Float32Range(-0.49, 0.49).Draw(t, "shift") * scale
		codes, err := interp.Encode(x, []float32{v, v + shift})
		if err != nil {
			t.Fatal(err)
		}
		back, err := interp.Decode(x, codes)
		if err != nil || back[0] != v || back[1] != v {
			t.Fatalf("%v and %v became %v and %v (%v)", v, v+shift, codes, back, err)
		}
	})
}

func TestEncodeDecodeErrors(t *testing.T) {
	codes := func(typ graph.Type, p *quant.Params) *graph.Tensor {
		return &graph.Tensor{Name: "x", Type: typ, Shape: []int{1, 2}, Quant: p}
	}
	inf := float32(math.Inf(-1))
	channels := &quant.Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}, Axis: 1}
	for _, c := range []struct {
		x    *graph.Tensor
		want string
	}{
		{codes(graph.Int8, nil), `interp: encode: tensor "x" is int8 without scale and zero point`},
		{codes(graph.Int8, channels), `interp: encode: tensor "x" has 2 scales, an activation has one`},
		{codes(graph.Int32, ptr(1, 0)), `interp: encode: tensor "x": int32 codes are not supported`},
		{codes(graph.UInt8, ptr(1, 0)), `interp: encode: tensor "x", row 1: element 1 is -Inf`},
	} {
		if _, err := interp.Encode(c.x, []float32{0, 0, 0, inf}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	for _, c := range []struct {
		x    *graph.Tensor
		data any
		want string
	}{
		{codes(graph.Int8, nil), []int8{1}, `interp: decode: tensor "x" is int8 without scale and zero point`},
		{codes(graph.Int8, nil), []uint8{1}, `interp: decode: tensor "x": data is []uint8, want []int8`},
		{codes(graph.Int64, nil), []int64{1}, `interp: decode: tensor "x" is int64 without scale and zero point`},
		{codes(graph.Int8, channels), []int8{1, 2, 3}, `interp: decode: tensor "x": quant: 3 values do not fill shape [1 2]`},
	} {
		if _, err := interp.Decode(c.x, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	got, err := interp.Decode(codes(graph.Int32, channels), []int32{-3, 100000})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "int32 per channel", got, []float32{-3, 200000})
	if got, err = interp.Decode(codes(graph.Int64, channels), []int64{-1 << 40, 1 << 40}); err != nil {
		t.Fatal(err)
	}
	equal(t, "int64 per channel", got, []float32{-1 << 40, 1 << 41})
}
