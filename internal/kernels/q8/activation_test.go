package q8

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/quant"
)

// run256 returns the results of a table for the codes -128 ... 127.
func run256(t *testing.T, table *Table[int8, int8], err error) []int8 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int8, 256)
	table.Run(got, allCodes())
	return got
}

// every16 returns each 16th element.
func every16(codes []int8) (list []int8) {
	for i := 0; i < len(codes); i += 16 {
		list = append(list, codes[i])
	}
	return list
}

// The checksums are of the same origin as those of golden_test.go.
func TestLeakyReluGolden(t *testing.T) {
	for alpha, want := range map[float32]uint32{.1: 0x976cbaa5, .3: 0x21580b86} {
		table, err := NewLeakyRelu(alpha, quant.PerTensor(.05, -3), quant.PerTensor(.07, -11), LiteRT)
		if got := crc(run256(t, table, err)); got != want {
			t.Errorf("alpha %v: checksum %08x, want %08x", alpha, got, want)
		}
	}
}

func TestHardSwishGolden(t *testing.T) {
	for _, c := range []struct {
		in, out float32
		want    uint32
	}{{.1, .08, 0xf2d02d66}, {.02, .015, 0xac8ceb95}, {.5, .3, 0xb442993d}} {
		table, err := NewHardSwish(quant.PerTensor(c.in, -5), quant.PerTensor(c.out, -20))
		if got := crc(run256(t, table, err)); got != c.want {
			t.Errorf("scales %v, %v: checksum %08x, want %08x", c.in, c.out, got, c.want)
		}
	}
	table, err := NewHardSwish(quant.PerTensor(.1, -5), quant.PerTensor(.08, -20))
	want := []int8{-20, -20, -20, -20, -20, -20, -22, -24, -16, 2, 26, 46, 66, 86, 106, 126}
	if got := every16(run256(t, table, err)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSquashingGolden(t *testing.T) {
	logisticOut, tanhOut := logistic.output, tanh.output
	for _, c := range []struct {
		scale          float32
		zero           int32
		logistic, tanh uint32
	}{
		{.02, 0, 0xb9a3843a, 0x111f0670}, {.02, -13, 0xa76d72ec, 0xaae8eca7}, {.047, 0, 0xcbe20f31, 0x20785b34},
		{.047, -13, 0x2aec6fd8, 0x2ce8144b}, {.1, 0, 0x2f5b8de1, 0xa28084c6}, {.2, -13, 0xa9f20d1b, 0x79005261},
	} {
		for _, profile := range []Profile{LiteRT, TFLM} {
			table, err := NewLogistic(quant.PerTensor(c.scale, c.zero), logisticOut, profile)
			if got := crc(run256(t, table, err)); got != c.logistic {
				t.Errorf("logistic of scale %v, zero point %d, profile %d: checksum %08x, want %08x", c.scale, c.zero, profile, got, c.logistic)
			}
			table, err = NewTanh(quant.PerTensor(c.scale, c.zero), tanhOut, profile)
			if got := crc(run256(t, table, err)); got != c.tanh {
				t.Errorf("tanh of scale %v, zero point %d, profile %d: checksum %08x, want %08x", c.scale, c.zero, profile, got, c.tanh)
			}
		}
	}
	in := quant.PerTensor(.047, -13)
	table, err := NewLogistic(in, logisticOut, TFLM)
	if got, want := every16(run256(t, table, err)), []int8{-127, -126, -123, -117, -107, -87, -54, -9, 38, 76, 100, 114, 121, 125, 126, 127}; !slices.Equal(got, want) {
		t.Errorf("logistic %v, want %v", got, want)
	}
	table, err = NewTanh(in, tanhOut, TFLM)
	if got, want := every16(run256(t, table, err)), []int8{-128, -128, -128, -128, -126, -119, -91, -18, 70, 112, 124, 127, 127, 127, 127, 127}; !slices.Equal(got, want) {
		t.Errorf("tanh %v, want %v", got, want)
	}
}

// TestActivationsNearReal compares with the real functions at random scales that
// let the output cover its codes. One code of difference: half a step of each
// rounding. HARD_SWISH has 16 bits and truncates, half a step of which is visible
// only where the output scale is far smaller than the input's.
func TestActivationsNearReal(t *testing.T) { rapid.Check(t, activationsAreNearReal) }

func FuzzActivations(f *testing.F) { atEveryLevel(f, activationsAreNearReal) }

func activationsAreNearReal(t *rapid.T) {
	in := quant.PerTensor(rapid.Float32Range(.001, .5).Draw(t, "scale"), int32(rapid.Int8().Draw(t, "zero")))
	out := quant.PerTensor(in.Scale[0]*rapid.Float32Range(.25, 2).Draw(t, "output scale"), int32(rapid.Int8().Draw(t, "output zero")))
	alpha := rapid.Float32Range(0, 2).Draw(t, "alpha")
	hardSwish := func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 }
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	check := func(name string, table *Table[int8, int8], err error, out quant.Params, real func(x float64) float64) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		codes := make([]int8, 256)
		table.Run(codes, allCodes())
		for i, got := range codes {
			x := float64(in.Scale[0]) * float64(int32(i)-128-in.ZeroPoint[0])
			want := min(max(math.Round(real(x)/float64(out.Scale[0]))+float64(out.ZeroPoint[0]), -128), 127)
			if math.Abs(float64(got)-want) > 1 {
				t.Fatalf("%s of %v is %d, want %v", name, x, got, want)
			}
		}
	}
	table, err := NewHardSwish(in, out)
	check("hard swish", table, err, out, hardSwish)
	for _, profile := range []Profile{LiteRT, TFLM, XNNPACK} {
		table, err = NewLeakyRelu(alpha, in, out, profile)
		check("leaky relu", table, err, out, func(x float64) float64 { return max(x, 0) + float64(alpha)*min(x, 0) })
		table, err = NewElu(in, out, profile)
		check("elu", table, err, out, func(x float64) float64 { return max(x, math.Expm1(min(x, 0))) })
		table, err = NewLogistic(in, logistic.output, profile)
		check("logistic", table, err, logistic.output, sigmoid)
		table, err = NewTanh(in, tanh.output, profile)
		check("tanh", table, err, tanh.output, math.Tanh)
	}
}

// TestRealTableSaturates: quotients far outside of the codes.
func TestRealTableSaturates(t *testing.T) {
	for _, profile := range []Profile{LiteRT, XNNPACK} {
		table, err := NewElu(quant.PerTensor(1e30, 0), quant.PerTensor(1e-30, 5), profile)
		got := run256(t, table, err)
		if want := []int8{-128, 5, 127}; !slices.Equal([]int8{got[0], got[128], got[255]}, want) {
			t.Errorf("%v %v %v, want %v", got[0], got[128], got[255], want)
		}
	}
}
