package q8

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/quant"
)

// makers are the operators by name.
var makers = map[string]func(ArithmeticSpec) (*Arithmetic, error){"add": NewAdd, "sub": NewSub, "mul": NewMul}

// outer pairs every code with every code.
var outer = axes.Broadcast([]int{256, 1}, []int{256})

func TestArithmeticGolden(t *testing.T) {
	spec := ArithmeticSpec{A: quant.PerTensor(.05, -3), B: quant.PerTensor(.031, 7), Output: quant.PerTensor(.07, -11)}
	m := func(mantissa int32, exponent int) quant.Multiplier {
		return quant.Multiplier{Mantissa: mantissa, Exponent: exponent}
	}
	for _, c := range []struct {
		name        string
		profile     Profile
		multipliers [3]quant.Multiplier // of both inputs and the output
		sum         uint32              // of the codes; 0 where no reference was run
	}{
		{"add", LiteRT, [3]quant.Multiplier{m(1073741824, 0), m(1331439820, -1), m(1533916908, -19)}, 0x494a1b73},
		{"add", TFLM, [3]quant.Multiplier{m(1073741824, 0), m(1331439820, -1), m(1533916908, -19)}, 0x494a1b73},
		{"sub", LiteRT, [3]quant.Multiplier{m(1073741824, 0), m(1331439820, -1), m(1533916908, -19)}, 0x3fc9a86c},
		// Quotients in float32, whose mantissas end in seven zeros.
		{"sub", TFLM, [3]quant.Multiplier{m(1073741824, 0), m(1331439872, -1), m(1533916928, -19)}, 0},
		{"mul", LiteRT, [3]quant.Multiplier{{}, {}, m(1521645568, -5)}, 0x04f2e4ac},
		{"mul", TFLM, [3]quant.Multiplier{{}, {}, m(1521645548, -5)}, 0x04f2e4ac},
	} {
		spec.Profile = c.profile
		o, err := makers[c.name](spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]quant.Multiplier{o.left.multiplier, o.right.multiplier, o.multiplier}; got != c.multipliers {
			t.Errorf("%s, profile %v: multipliers %v, want %v", c.name, c.profile, got, c.multipliers)
		}
		got := make([]int8, 1<<16)
		o.Run(outer, got, allCodes(), allCodes())
		if c.sum != 0 && crc(got) != c.sum {
			t.Errorf("%s, profile %v: checksum %08x, want %08x", c.name, c.profile, crc(got), c.sum)
		}
	}
}

func drawParams(t *rapid.T, name string) quant.Params {
	return quant.PerTensor(rapid.Float32Range(.001, 2).Draw(t, name), int32(rapid.Int8().Draw(t, name+" zero")))
}

// TestArithmeticKernels holds the fast kernel to the formula, for shapes that broadcast in every way.
func TestArithmeticKernels(t *testing.T) { rapid.Check(t, arithmeticConforms) }

func FuzzArithmetic(f *testing.F) { atEveryLevel(f, arithmeticConforms) }

func arithmeticConforms(t *rapid.T) {
	name := rapid.SampledFrom([]string{"add", "sub", "mul"}).Draw(t, "operator")
	var shapeA, shapeB []int
	sizeA, sizeB := 1, 1
	for range rapid.IntRange(0, 4).Draw(t, "rank") {
		d := rapid.SampledFrom([]int{1, 2, 5, 17}).Draw(t, "size")
		da, db := d, d
		switch rapid.IntRange(0, 3).Draw(t, "side") {
		case 0:
			da = 1
		case 1:
			db = 1
		}
		shapeA, shapeB, sizeA, sizeB = append(shapeA, da), append(shapeB, db), sizeA*da, sizeB*db
	}
	spec := ArithmeticSpec{
		A: drawParams(t, "a"), B: drawParams(t, "b"), Output: drawParams(t, "y"),
		Activation: quant.Activation(rapid.IntRange(0, 3).Draw(t, "activation")),
		Profile:    profiles.Draw(t, "profile"),
	}
	codes := func(n int) []int8 { return rapid.SliceOfN(rapid.Int8(), n, n).Draw(t, "codes") }
	a, b := codes(min(sizeA, 64)), codes(min(sizeB, 64))
	for len(a) < sizeA {
		a = append(a, a[len(a)-63]+1)
	}
	for len(b) < sizeB {
		b = append(b, b[len(b)-63]+1)
	}
	p := axes.Broadcast(shapeA, shapeB)
	var results [2][]int8
	for i, k := range []Kernel{Fast, Reference} {
		spec.Kernel = k
		o, err := makers[name](spec)
		mustTake(t, err)
		results[i] = make([]int8, p.Len())
		o.Run(p, results[i], a, b)
	}
	if !slices.Equal(results[0], results[1]) {
		t.Fatal("the fast kernel differs from the formula")
	}
}

// TestArithmeticNearReal compares with real arithmetic: half a step of rounding, and the fixed-point roundings of 2^-20
// of an input's step, which together can tip a code.
func TestArithmeticNearReal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := ArithmeticSpec{A: drawParams(t, "a"), B: drawParams(t, "b"), Output: drawParams(t, "y"), Profile: profiles.Draw(t, "profile")}
		value := func(code int8, p quant.Params) float64 {
			return float64(p.Scale[0]) * float64(int32(code)-p.ZeroPoint[0])
		}
		for name, f := range map[string]func(a, b float64) float64{
			"add": func(a, b float64) float64 { return a + b },
			"sub": func(a, b float64) float64 { return a - b },
			"mul": func(a, b float64) float64 { return a * b },
		} {
			o, err := makers[name](spec)
			mustTake(t, err)
			got := make([]int8, 1<<16)
			o.Run(outer, got, allCodes(), allCodes())
			for i, code := range got {
				real := f(value(int8(i/256-128), spec.A), value(int8(i%256-128), spec.B))
				want := quant.Code(float32(real), spec.Output.Scale[0], spec.Output.ZeroPoint[0], GridOf[int8]())
				if d := int32(code) - want; d < -1 || d > 1 {
					t.Fatalf("%s of %d and %d: code %d, want %d", name, i/256-128, i%256-128, code, want)
				}
			}
		}
	})
}

func TestArithmeticErrors(t *testing.T) {
	good := quant.PerTensor(1, 0)
	for _, c := range []struct {
		name    string
		a, b, y quant.Params
		want    string
	}{
		{"add", good, good, quant.PerTensor(0x1p-19, 0), "q8: add: input scales 1 and 1 need an output scale above 1.9073486e-06"},
		{"add", good, good, quant.PerTensor(0x1.01p-19, 0), ""},
		{"sub", good, quant.PerTensor(3, 0), quant.PerTensor(0x1p-19, 0), "q8: sub: input scales 1 and 3"},
		{"mul", good, good, quant.PerTensor(0x1p-15, 0), "beyond 2^15"},
		{"mul", good, good, quant.PerTensor(0x1.01p-15, 0), ""},
		{"mul", quant.PerTensor(1, 300), good, good, "zero point 300 of the first input"},
		{"add", good, quant.PerTensor(-1, 0), good, "second input: quant: scale 0 is -1"},
	} {
		_, err := makers[c.name](ArithmeticSpec{A: c.a, B: c.b, Output: c.y})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: unexpected error %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
