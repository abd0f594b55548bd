package graph

import (
	"slices"
	"strings"
	"testing"

	"github.com/goqat/goqat/quant"
)

func TestBroadcastShapes(t *testing.T) {
	s := func(d ...int) []int { return append([]int{}, d...) }
	for _, c := range []struct{ a, b, want []int }{
		{s(2, 5, 6, 3), s(2, 5, 6, 3), s(2, 5, 6, 3)},
		{s(2, 5, 6, 3), s(3), s(2, 5, 6, 3)},
		{s(2, 5, 6, 3), s(), s(2, 5, 6, 3)},
		{s(2, 1, 1, 3), s(2, 5, 6, 3), s(2, 5, 6, 3)},
		{s(2, 5, 1, 3), s(1, 6, 1), s(2, 5, 6, 3)},
		{s(), s(), s()},
		{s(2, 1, 1, 1, 3), s(2, 1, 1, 1, 3), s(2, 1, 1, 1, 3)},
		{s(2, 1, 1, 1, 3), s(3), nil}, // more axes than kernels broadcast
		{s(2, 3), s(2), nil},
		{s(2, 5, 6, 3), s(2, 5, 5, 3), nil},
	} {
		for _, pair := range [][2][]int{{c.a, c.b}, {c.b, c.a}} {
			for _, op := range []Op{Add{}, Sub{}, Mul{}} {
				got, err := op.Infer(pair[:])
				if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
					t.Errorf("%s of %v: %v, %v, want %v", op.Name(), pair, got, err, c.want)
				}
			}
		}
	}
	g := &Graph{}
	x := g.AddInput("x", Float32, s(1, 4, 3))
	_, err := g.Add("sum", Add{}, x, g.AddInput("z", Float32, s(1, 4, 2)))
	want(t, err, `node "sum" (ADD): input 1 has shape [1 4 2], want [1 4 3] or sizes of 1`)
	_, err = g.Add("sum", Add{}, x)
	want(t, err, "1 inputs, want 2 to 2")
	_, err = g.Add("sum", Mul{Activate: 99}, x, x)
	want(t, err, "unknown activation 99")
}

func TestConcatShapes(t *testing.T) {
	s := func(d ...int) []int { return append([]int{}, d...) }
	for _, c := range []struct {
		axis int
		in   [][]int
		want []int
		text string
	}{
		{1, [][]int{s(2, 3), s(2, 4), s(2, 1)}, s(2, 8), ""},
		{3, [][]int{s(2, 5, 6, 3), s(2, 5, 6, 4)}, s(2, 5, 6, 7), ""},
		{1, [][]int{s(2, 5, 6), s(2, 1, 6)}, s(2, 6, 6), ""},
		{1, [][]int{s(2, 5)}, s(2, 5), ""},
		{2, [][]int{s(2, 5)}, nil, "axis 2 of shape [2 5]"},
		{-1, [][]int{s(2, 5)}, nil, "axis -1 of shape [2 5]"},
		{1, [][]int{s(2, 5), s(3, 5)}, nil, "input 1 has shape [3 5], want [2 5] but for axis 1"},
		{1, [][]int{s(2, 5), s(2, 5, 1)}, nil, "input 1 has shape [2 5 1]"},
		{1, [][]int{s(2, 5), nil}, nil, "input 1 is missing"},
		{1, nil, nil, "no inputs"},
	} {
		got, err := Concat{Axis: c.axis}.Infer(c.in)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("axis %d of %v: %v, %v, want %v", c.axis, c.in, got, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("axis %d of %v: error %v, want %q", c.axis, c.in, err, c.text)
		}
	}
}

func TestCheckScales(t *testing.T) {
	for _, c := range []struct {
		op        Rescaling
		bits      int
		a, b, out float32
		want      string
	}{
		{Add{}, 8, 1, 0.5, 0x1.01p-19, ""},
		{Add{}, 8, 0.5, 1, 0x1p-19, "the output range is too narrow"},
		{Sub{}, 8, 1, 0.5, 0x1.01p-19, ""},
		{Sub{}, 8, 1, 0.5, 0x1p-19, "need 2*1/(2^20*1.9073486e-06) below 1"},
		{HardSwish{}, 8, 1, 0, 0x1.01p-7, ""},
		{HardSwish{}, 8, 1, 0, 0x1p-7, "input scale 1 is not below 128 times the output scale 0.0078125"},
		{Prelu{}, 8, 1, 0.5, 0x1p-16, "leave int32"},
		{Mul{}, 8, 1, 0.5, 0x1.01p-16, ""},
		{Mul{}, 8, 1, 0.5, 0x1p-16, "leave int32"},
		{Add{}, 16, 1, 0.5, 0x1.01p-14, ""},
		{Sub{}, 16, 1, 0.5, 0x1p-14, "need 2*1/(2^15*6.1035156e-05) below 1"},
		{Mul{}, 16, 1, 0.5, 0x1.01p-1, ""},
		{Mul{}, 16, 1, 0.5, 0x1p-1, "leave int32"},
	} {
		err := c.op.CheckScales(c.bits, []float32{c.a, c.b}, c.out)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T of %d bits on %v, %v and %v: error %v, want %q", c.op, c.bits, c.a, c.b, c.out, err, c.want)
		}
	}
}

// TestArithmeticHeadsGroups: an activation that alone reads a sum is fused into
// it, looked at through Dropout; one that does not is left alone. A BatchNorm
// behind a sum stays outside.
func TestArithmeticHeadsGroups(t *testing.T) {
	g := &Graph{Name: "groups"}
	x := g.AddInput("x", Float32, []int{1, 3})
	add := func(name string, op Op, in ...*Tensor) *Tensor {
		t.Helper()
		y, err := g.Add(name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	sum := add("sum", Add{}, x, x)
	fused := add("fused", Relu{}, add("dropout", Dropout{Rate: 0.5}, sum))
	shared := add("shared", Mul{}, fused, x)
	alone := add("alone", Relu6{}, shared)
	busy := add("busy", Sub{Activate: quant.Relu6}, alone, shared)
	after := add("after", Relu{}, busy)
	vector := func(name string) *Tensor {
		return &Tensor{Name: name, Role: Parameter, Shape: []int{3}, Data: make([]float32, 3)}
	}
	statistic := func(name string) *Tensor { v := vector(name); v.Role = Statistic; return v }
	normal := add("normal", BatchNorm{Momentum: 0.9, Epsilon: 1}, add("last", Add{}, after, x), vector("gamma"), vector("beta"), statistic("mean"), statistic("variance"))
	g.Outputs = []*Tensor{normal}
	if n := len(g.Groups()); n != 0 {
		t.Errorf("%d groups of anchors in a graph without", n)
	}
	var got []string
	for _, gr := range g.Fusions() {
		line := gr.Head.Name
		if gr.BatchNorm != nil {
			line += " with " + gr.BatchNorm.Name
		}
		if gr.Activation != nil {
			line += " and " + gr.Activation.Name
		}
		got = append(got, line+" to "+gr.Output().Name)
	}
	if want := []string{"sum and fused to fused", "shared to shared", "busy to busy", "last to last"}; !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
	fine, err := Passes{DropDropout, FuseActivations}.Run(g)
	if err != nil {
		t.Fatal(err)
	}
	if want := "sum: fused = ADD{activation relu}(x, x) -> float32[1 3]"; !strings.Contains(fine.String(), want) {
		t.Errorf("no %q in\n%v", want, fine)
	}
}
