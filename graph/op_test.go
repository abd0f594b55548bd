package graph

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goqat/goqat/quant"
)

// TestEveryOperatorIsInTheTable looks for operators in the source: types with a
// method Class.
func TestEveryOperatorIsInTheTable(t *testing.T) {
	var stored []string
	for _, decode := range operators {
		op, err := decode([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, strings.TrimPrefix(fmt.Sprintf("%T", op), "graph."))
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, path := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "Class" && f.Recv != nil {
				if name := f.Recv.List[0].Type.(*ast.Ident).Name; name != "Foreign" && name != "ForeignOutput" { // which only .tflite files keep
					declared = append(declared, name)
				}
			}
		}
	}
	slices.Sort(stored)
	slices.Sort(declared)
	if diff := cmp.Diff(declared, stored); diff != "" {
		t.Errorf("operators in the source and in the table of files (-source +table):\n%s", diff)
	}
}

// TestClasses: each class promises an interface.
func TestClasses(t *testing.T) {
	want := map[string]Class{
		"FULLY_CONNECTED": Anchor, "CONV_2D": Anchor, "DEPTHWISE_CONV_2D": Anchor, "TRANSPOSE_CONV": Anchor,
		"RELU": Requantize, "RELU6": Requantize, "MEAN": Requantize,
		"LEAKY_RELU": Requantize, "PRELU": Requantize, "ELU": Requantize, "HARD_SWISH": Requantize,
		"ADD": Requantize, "SUB": Requantize, "MUL": Requantize,
		"CONCATENATION": SameScale,
		"MAX_POOL_2D":   SameScale, "AVERAGE_POOL_2D": SameScale, "RESHAPE": SameScale,
		"PAD": SameScale, "STRIDED_SLICE": SameScale, "TRANSPOSE": SameScale, "RESIZE_NEAREST_NEIGHBOR": SameScale, "REDUCE_MAX": SameScale,
		"SOFTMAX": FixedOutput, "LOGISTIC": FixedOutput, "TANH": FixedOutput,
		"QUANTIZE": Border, "DEQUANTIZE": Border,
		"AFFINE": TrainingOnly, "BATCH_NORM": TrainingOnly, "FOLD_WEIGHTS": TrainingOnly, "FOLD_BIAS": TrainingOnly, "DROPOUT": TrainingOnly, "FAKE_QUANT": TrainingOnly,
	}
	got := map[string]Class{}
	for name, decode := range operators {
		op, err := decode([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = op.Class()
		if op.Class().String() == "" {
			t.Errorf("%s: class %d has no name", name, op.Class())
		}
		if _, ok := op.(Anchored); ok != (op.Class() == Anchor) {
			t.Errorf("%s: class %v, Anchored is %v", name, op.Class(), ok)
		}
		if _, ok := op.(FixedParams); ok != (op.Class() == FixedOutput) {
			t.Errorf("%s: class %v, FixedParams is %v", name, op.Class(), ok)
		}
		if _, ok := op.(Averaging); ok && op.Class() != SameScale {
			t.Errorf("%s: class %v, but it averages", name, op.Class())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}

func TestFuse(t *testing.T) {
	for _, op := range []Fusing{FullyConnected{KeepDims: true}, Conv2D{StrideH: 2}, DepthwiseConv2D{DilationW: 3, DepthMultiplier: 2}, TransposeConv{StrideW: 2}, Add{}, Sub{}, Mul{}} {
		fused := op.Fuse(quant.Relu6).(Fusing)
		if fused.Activation() != quant.Relu6 || op.Activation() != quant.NoActivation {
			t.Errorf("%s: fused %v, before %v", op.Name(), fused.Activation(), op.Activation())
		}
		if fused.Fuse(quant.NoActivation) != Op(op) {
			t.Errorf("%s: fusing changed more than the activation", op.Name())
		}
	}
}

func TestUnknownActivation(t *testing.T) {
	g := &Graph{}
	x := g.AddInput("x", Float32, []int{1, 3})
	w := &Tensor{Name: "w", Role: Parameter, Shape: []int{2, 3}, Data: make([]float32, 6)}
	_, err := g.Add("d", FullyConnected{Activate: 99}, x, w)
	want(t, err, `node "d" (FULLY_CONNECTED): quant: unknown activation 99`)
}

func TestFixedOutputs(t *testing.T) {
	for _, c := range []struct {
		op   FixedParams
		want quant.Params
	}{
		{Softmax{}, quant.PerTensor(1.0/256, -128)}, {Logistic{}, quant.PerTensor(1.0/256, -128)}, {Tanh{}, quant.PerTensor(1.0/128, 0)},
	} {
		p, err := c.op.FixedParams(8)
		if err != nil || !p.Equal(c.want) {
			t.Errorf("%T: parameters %v, %v", c.op, p, err)
		}
		if p, err := c.op.FixedParams(16); err != nil || !p.Equal(quant.PerTensor(1.0/32768, 0)) {
			t.Errorf("%T of 16 bits: parameters %v, %v", c.op, p, err)
		}
		_, err = c.op.FixedParams(4)
		want(t, err, "at 4 bits")
	}
}

// TestNames: every enumeration survives the way through text, and values that
// are no constants are refused both ways.
func TestNames(t *testing.T) {
	checkNames(t, len(typeNames), 0, Type.String, Type.MarshalText, (*Type).UnmarshalText)
	checkNames(t, len(roleNames), 0, Role.String, Role.MarshalText, (*Role).UnmarshalText)
	checkNames(t, len(sourceNames), 1, Source.String, Source.MarshalText, (*Source).UnmarshalText)
	checkNames(t, len(paddingNames), 0, Padding.String, Padding.MarshalText, (*Padding).UnmarshalText)
}

func checkNames[T ~uint8](t *testing.T, n, first int, name func(T) string, marshal func(T) ([]byte, error), unmarshal func(*T, []byte) error) {
	t.Helper()
	for v := T(first); int(v) < n; v++ {
		text, err := marshal(v)
		var back T
		if err != nil || string(text) != name(v) || unmarshal(&back, text) != nil || back != v {
			t.Errorf("%T %d: text %q (%v), name %q, read back as %d", v, v, text, err, name(v), back)
		}
	}
	var v T
	for _, unknown := range []T{T(n), 255} {
		if text, err := marshal(unknown); err == nil {
			t.Errorf("%T %d is written as %q", v, unknown, text)
		}
		if name(unknown) == "" && first == 0 {
			t.Errorf("%T %d prints as nothing", v, unknown)
		}
	}
	for _, text := range []string{"", "nonsense"} {
		if err := unmarshal(&v, []byte(text)); err == nil {
			t.Errorf("%T: %q is read as %d", v, text, v)
		}
	}
}
