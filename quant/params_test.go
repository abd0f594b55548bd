package quant

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	nan      = float32(math.NaN())
	infinite = float32(math.Inf(1))
)

// want fails unless err has the substring; an empty one wants no error.
func want(t *testing.T, err error, substring string) {
	t.Helper()
	switch {
	case substring == "" && err != nil:
		t.Errorf("error %q, want none", err)
	case substring != "" && (err == nil || !strings.Contains(err.Error(), substring)):
		t.Errorf("error %v, want one with %q", err, substring)
	}
}

func TestGrid(t *testing.T) {
	for _, c := range []struct {
		bits   int
		narrow bool
		want   Grid
	}{
		{8, false, Grid{Min: -128, Max: 127}}, {8, true, Grid{Min: -127, Max: 127}}, {4, true, Grid{Min: -7, Max: 7}}, {16, false, Grid{Min: -32768, Max: 32767}}, {2, true, Grid{Min: -1, Max: 1}},
	} {
		if got := Signed(c.bits, c.narrow); got != c.want {
			t.Errorf("%d bits, narrow %v: %v, want %v", c.bits, c.narrow, got, c.want)
		}
	}
	g := Signed(8, true)
	for code, clamped := range map[int32]int32{-128: -127, -127: -127, 0: 0, 127: 127, 128: 127} {
		if g.Clamp(code) != clamped || g.Contains(code) != (code == clamped) {
			t.Errorf("code %d: clamped to %d, contained %v", code, g.Clamp(code), g.Contains(code))
		}
	}
}

func TestAsymmetric(t *testing.T) {
	g := Signed(8, false)
	for _, c := range []struct {
		lo, hi float32
		scale  float32
		zero   int32
	}{
		{-1, 1, 2.0 / 255, -1}, // the code of zero is -0.5, a tie
		{0, 255, 1, -128},
		{-255, 0, 1, 127},
		{10, 255, 1, -128}, // widened to include zero
		{-255, -3, 1, 127},
		{-128, 127, 1, 0},
		{-64, 191, 1, -64},
		{0, 0, FloorScale, 0},
		{-1e-45, 1e-45, FloorScale, 0}, // subnormal: no width
		{-math.MaxFloat32, math.MaxFloat32, 2 * math.MaxFloat32 / 255, -1},
	} {
		scale, zero, err := Asymmetric(c.lo, c.hi, g)
		if err != nil || scale != c.scale || zero != c.zero {
			t.Errorf("[%v, %v]: scale %v, zero point %d (%v), want %v and %d", c.lo, c.hi, scale, zero, err, c.scale, c.zero)
		}
	}
}

func TestSymmetric(t *testing.T) {
	g := Signed(8, true)
	for _, c := range []struct{ lo, hi, scale float32 }{
		{-127, 3, 1}, {-3, 127, 1}, {5, 127, 1}, {0, 0, FloorScale}, {-1e-40, 0, FloorScale}, {0, 0x1p-119, 0x1p-119 / 127},
	} {
		if scale, err := Symmetric(c.lo, c.hi, g); err != nil || scale != c.scale {
			t.Errorf("[%v, %v]: scale %v (%v), want %v", c.lo, c.hi, scale, err, c.scale)
		}
	}
}

func TestRangeFaults(t *testing.T) {
	g := Signed(8, false)
	for _, c := range []struct {
		lo, hi float32
		want   string
	}{
		{nan, 1, "[NaN, 1] holds NaN"},
		{0, nan, "[0, NaN] holds NaN"},
		{-infinite, 1, "[-Inf, 1] is not finite"},
		{0, infinite, "[0, +Inf] is not finite"},
		{2, 1, "[2, 1] is inverted"},
	} {
		_, _, err := Asymmetric(c.lo, c.hi, g)
		want(t, err, "quant: invalid range: "+c.want)
		_, err = Symmetric(c.lo, c.hi, g)
		want(t, err, "quant: invalid range: "+c.want)
	}
	_, _, err := Asymmetric(-math.MaxFloat32, math.MaxFloat32, Grid{Min: 0, Max: 1})
	want(t, err, "is too wide")
}

// TestAsymmetricCoversRange: the zero point is a code; the ends of the range are
// within half a step of the ends of the grid, plus what rounding the scale to
// float32 shifts them by.
func TestAsymmetricCoversRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := Signed(rapid.SampledFrom([]int{4, 8, 16}).Draw(t, "bits"), false)
		a, b := rapid.Float32Range(-1e6, 1e6).Draw(t, "a"), rapid.Float32Range(-1e6, 1e6).Draw(t, "b")
		lo, hi := min(a, b), max(a, b)
		scale, zero, err := Asymmetric(lo, hi, g)
		if err != nil || !(scale > 0) || !g.Contains(zero) {
			t.Fatalf("scale %v, zero point %d, %v", scale, zero, err)
		}
		if scale == FloorScale {
			return
		}
		codes := float64(g.Max - g.Min)
		allowed := float64(scale) * (0.5 + codes*0x1p-24)
		low, high := float64(scale)*float64(g.Min-zero), float64(scale)*float64(g.Max-zero)
		if math.Abs(low-float64(min(lo, 0))) > allowed || math.Abs(high-float64(max(hi, 0))) > allowed {
			t.Fatalf("[%v, %v] became [%v, %v], steps of %v", lo, hi, low, high, scale)
		}
	})
}

func TestParamsCheck(t *testing.T) {
	scales := func(n int) Params {
		p := Params{Scale: make([]float32, n), ZeroPoint: make([]int32, n)}
		for i := range p.Scale {
			p.Scale[i] = 1
		}
		return p
	}
	with := func(p Params, f func(*Params)) Params { f(&p); return p }
	for name, c := range map[string]struct {
		p     Params
		shape []int
		want  string
	}{
		"per tensor":       {PerTensor(0.5, 3), []int{2, 3}, ""},
		"scalar":           {PerTensor(0.5, 3), nil, ""},
		"per channel":      {with(scales(3), func(p *Params) { p.Axis = 1 }), []int{2, 3}, ""},
		"none":             {Params{}, []int{2, 3}, "quant: 0 scales and 0 zero points"},
		"no zero points":   {Params{Scale: []float32{1}}, []int{2, 3}, "1 scales and 0 zero points"},
		"zero scale":       {PerTensor(0, 0), []int{2}, "scale 0 is 0, want a positive finite number"},
		"negative scale":   {PerTensor(-1, 0), []int{2}, "scale 0 is -1"},
		"NaN":              {PerTensor(nan, 0), []int{2}, "scale 0 is NaN"},
		"Inf":              {with(scales(3), func(p *Params) { p.Scale[2] = infinite }), []int{3}, "scale 2 is +Inf"},
		"other length":     {scales(3), []int{2, 3}, "3 scales along axis 0 do not fit shape [2 3]"},
		"axis beyond":      {with(scales(3), func(p *Params) { p.Axis = 2 }), []int{2, 3}, "along axis 2"},
		"axis below":       {with(scales(3), func(p *Params) { p.Axis = -1 }), []int{2, 3}, "along axis -1"},
		"scalar of scales": {scales(2), nil, "do not fit shape []"},
	} {
		t.Run(name, func(t *testing.T) { want(t, c.p.Check(c.shape), c.want) })
	}
}

func TestParamsEqual(t *testing.T) {
	two := Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}}
	other := func(f func(*Params)) Params {
		p := Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}}
		f(&p)
		return p
	}
	for name, c := range map[string]struct {
		p, o  Params
		equal bool
	}{
		"same":             {two, other(func(*Params) {}), true},
		"scale":            {two, other(func(p *Params) { p.Scale[1] = 3 }), false},
		"zero point":       {two, other(func(p *Params) { p.ZeroPoint[0] = 1 }), false},
		"axis":             {two, other(func(p *Params) { p.Axis = 1 }), false},
		"number":           {two, PerTensor(1, 0), false},
		"zero points":      {two, Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0}}, false},
		"axis of a tensor": {PerTensor(1, 0), Params{Scale: []float32{1}, ZeroPoint: []int32{0}, Axis: 3}, true},
	} {
		if c.p.Equal(c.o) != c.equal || c.o.Equal(c.p) != c.equal {
			t.Errorf("%s: equal is not %v", name, c.equal)
		}
	}
}
