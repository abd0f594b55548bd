package q16

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"testing"

	"github.com/goqat/goqat/internal/kernels/q8"
	"github.com/goqat/goqat/internal/rng"
	"github.com/goqat/goqat/quant"
)

// checksum is the CRC-32 of codes as a file holds them.
func checksum(t *testing.T, codes any) uint32 {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, codes); err != nil {
		t.Fatal(err)
	}
	return crc32.ChecksumIEEE(b.Bytes())
}

// all has every code.
var all = func() []int16 {
	codes := make([]int16, 1<<16)
	for i := range codes {
		codes[i] = int16(i - 1<<15)
	}
	return codes
}()

func run(t *Table, src []int16) []int16 {
	dst := make([]int16, len(src))
	t.Run(dst, src)
	return dst
}

// Checksums of the published reference headers, over all codes.
func TestLogisticAndTanhGoldens(t *testing.T) {
	entries := make([]uint16, 256)
	for i := range entries {
		entries[i] = uint16(sigmoid[i])
	}
	if c := checksum(t, entries); c != 0xb84f6ab4 {
		t.Errorf("the table has checksum %08x", c)
	}
	for _, c := range []struct {
		scale          float32
		logistic, tanh uint32
	}{
		{1.0 / 4096, 0x928f0a46, 0xabdd53cc},
		{0.00031, 0x6f3dd113, 0x0fc2fbe4},
		{0.0011, 0x0f26f8f7, 0x5c0679f8},
		{1.0 / 2048, 0xb68dba64, 0x20f0f708},
	} {
		logistic, err := NewLogistic(c.scale)
		if err != nil {
			t.Fatal(err)
		}
		tanh, err := NewTanh(c.scale)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := checksum(t, run(logistic, all)), checksum(t, run(tanh, all)); a != c.logistic || b != c.tanh {
			t.Errorf("scale %v: checksums %08x and %08x, want %08x and %08x", c.scale, a, b, c.logistic, c.tanh)
		}
	}
	var some []int16
	for q := -32768; q < 32768; q += 6553 {
		some = append(some, int16(q))
	}
	logistic, _ := NewLogistic(1.0 / 4096)
	tanh, _ := NewTanh(1.0 / 4096)
	if got := run(logistic, some); !slices.Equal(got, []int16{11, 54, 267, 1283, 5502, 16378, 27259, 31483, 32500, 32714, 32757}) {
		t.Errorf("logistic: %v", got)
	}
	if got := run(tanh, some); !slices.Equal(got, []int16{-32767, -32767, -32763, -32659, -30204, -24, 30197, 32659, 32763, 32767, 32767}) {
		t.Errorf("tanh: %v", got)
	}
}

func TestSoftmaxGoldens(t *testing.T) {
	for profile, want := range map[q8.Profile][2]uint32{q8.LiteRT: {0xac7dffaa, 0xadf81625}, q8.TFLM: {0xac7dffaa, 0x39fb9655}} {
		l := profileLUTs[profile]
		if got := [2]uint32{checksum(t, l.exp[:]), checksum(t, l.reciprocal[:])}; got != want {
			t.Errorf("profile %d: tables have checksums %08x, want %08x", profile, got, want)
		}
		soft := func(scale float32, depth int, x []int16) []int16 {
			s, err := NewSoftmax(quant.PerTensor(scale, 0), quant.PerTensor(1.0/32768, 0), depth, profile)
			if err != nil {
				t.Fatal(err)
			}
			y := make([]int16, len(x))
			s.Run(y, x, len(x)/depth)
			return y
		}
		row := []int16{0, 1000, -20000, 5000, 32767, -32768, 12345, 30000}
		if got := soft(0.0005, 8, row); !slices.Equal(got, []int16{2, 2, 2, 2, 26192, 2, 2, 6566}) {
			t.Errorf("%v", got)
		}
		x := make([]int16, 256)
		for i := range 16 {
			for j := range 16 {
				x[16*i+j] = int16((7321*i+2903*j*(i+1))%65536 - 32768)
			}
		}
		for scale, want := range map[float32]uint32{0.0001: 0x00f7ce46, 0.0005: 0x80ff13d0} {
			if got := checksum(t, soft(scale, 16, x)); got != want {
				t.Errorf("scale %v: checksum %08x, want %08x", scale, got, want)
			}
		}
	}
}

// Every operator is within the steps of its rounding of the real function, over
// the codes of its grid: what the formulas are for.
func TestNearRealFunctions(t *testing.T) {
	const in, out = 0.0003, 0.00031
	p, q := quant.PerTensor(in, 0), quant.PerTensor(out, 0)
	fixed := 1.0 / 32768
	for name, c := range map[string]struct {
		table func() (*Table, error)
		real  func(x float64) float64
		scale float64
		steps float64
	}{
		"requantize":     {func() (*Table, error) { return NewRequantize(p, q) }, func(x float64) float64 { return x }, float64(float32(out)), 1},
		"relu":           {func() (*Table, error) { return NewRelu(quant.Relu, p, q, q8.LiteRT) }, func(x float64) float64 { return max(x, 0) }, float64(float32(out)), 1},
		"relu6":          {func() (*Table, error) { return NewRelu(quant.Relu6, p, q, q8.LiteRT) }, func(x float64) float64 { return min(max(x, 0), 6) }, float64(float32(out)), 1},
		"relu6 TFLM":     {func() (*Table, error) { return NewRelu(quant.Relu6, p, p, q8.TFLM) }, func(x float64) float64 { return min(max(x, 0), 6) }, float64(float32(in)), 0.51},
		"leaky":          {func() (*Table, error) { return NewLeakyRelu(0.2, p, q) }, func(x float64) float64 { return max(x, 0.2*x) }, float64(float32(out)), 1},
		"negative leaky": {func() (*Table, error) { return NewLeakyRelu(-0.5, p, q) }, func(x float64) float64 { return max(x, -0.5*x) }, float64(float32(out)), 1},
		"logistic":       {func() (*Table, error) { return NewLogistic(in) }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, fixed, 3},
		"hyperbolic":     {func() (*Table, error) { return NewTanh(in) }, math.Tanh, fixed, 5},
	} {
		table, err := c.table()
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i, y := range run(table, all) {
			want := min(c.real(float64(float32(in))*float64(all[i]))/c.scale, 32767)
			worst = max(worst, math.Abs(float64(y)-want))
		}
		t.Logf("%s: off by up to %.2f steps", name, worst)
		if worst > c.steps {
			t.Errorf("%s: off by up to %.2f steps, want %v", name, worst, c.steps)
		}
	}
}

// The bound that [NewSoftmax] states, over rows of all kinds: values near each other,
// far from each other, and one far above the others.
func TestSoftmaxBound(t *testing.T) {
	r := rng.New(1)
	for _, depth := range []int{1, 2, 3, 10, 30, 200} {
		worst := 0
		for _, scale := range []float32{0.0001, 0.0005, 0.002} {
			op, err := NewSoftmax(quant.PerTensor(scale, 0), quant.PerTensor(1.0/32768, 0), depth, q8.LiteRT)
			if err != nil {
				t.Fatal(err)
			}
			x, y, e := make([]int16, depth), make([]int16, depth), make([]float64, depth)
			for range 500 {
				spread := 1 + r.IntN(32768)
				for i := range x {
					x[i] = int16(r.IntN(spread) - spread/2)
				}
				if r.IntN(3) == 0 {
					x[r.IntN(depth)] = int16(r.IntN(32768))
				}
				op.Run(y, x, 1)
				sum := 0.0
				for i, q := range x {
					e[i] = math.Exp(float64(scale) * float64(int32(q)-int32(slices.Max(x))))
					sum += e[i]
				}
				for i := range y {
					want := Grid.Clamp(int32(math.Round(32768 * e[i] / sum)))
					worst = max(worst, int(y[i])-int(want), int(want)-int(y[i]))
				}
			}
		}
		t.Logf("%d elements: %d steps", depth, worst)
		if worst > 2*depth {
			t.Errorf("%d elements: %d steps, want at most %d", depth, worst, 2*depth)
		}
	}
}
