package f32

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// ulps returns the distance of got from the exact value in units in the last place of the nearest float32.
func ulps(got float32, exact float64) float64 {
	want := float32(exact)
	if math.IsNaN(exact) || math.IsInf(float64(want), 0) || math.IsInf(float64(got), 0) || got != got {
		if got == want || (got != got && math.IsNaN(exact)) {
			return 0
		}
		return math.Inf(1)
	}
	next := math.Nextafter32(float32(math.Abs(float64(want))), math.MaxFloat32)
	return math.Abs(float64(got)-exact) / (float64(next) - math.Abs(float64(want)))
}

// TestElementaryFunctions compares with Go's float64 functions, whose own error (below 1 ulp of float64) is negligible,
// on about 1.4 million arguments spread over all float32 bit patterns: the prime stride visits all exponents and both signs.
// Bounds are those promised by the functions' comments.
func TestElementaryFunctions(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     func(float32) float32
		exact func(float64) float64
		bound float64
	}{
		{"Exp", Exp, math.Exp, 1},
		{"Expm1", Expm1, math.Expm1, 4},
		{"Log", Log, math.Log, 1},
		{"Tanh", Tanh, math.Tanh, 2},
		{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3},
		{"Softplus", Softplus, func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst, at := 0.0, float32(0)
			check := func(x float32) {
				if u := ulps(c.f(x), c.exact(float64(x))); u > worst {
					worst, at = u, x
				}
			}
			for bits := uint64(0); bits < 1<<32; bits += 3089 {
				check(math.Float32frombits(uint32(bits)))
			}
			for x := float32(-110); x < 110; x += 1.0 / 1024 { // where the values change
				check(x)
			}
			for _, x := range []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
				math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, math.Sqrt2, math.Sqrt2 / 2, 88.72284, -103.97, -104.5} {
				check(x)
			}
			t.Logf("worst error %.3f ulp at %g", worst, at)
			if !(worst <= c.bound) {
				t.Errorf("error %.3f ulp at %g: got %g, want %g; bound %g ulp", worst, at, c.f(at), c.exact(float64(at)), c.bound)
			}
		})
	}
}

func TestSliceFunctionsEqualScalars(t *testing.T) {
	x := []float32{-2, -0.5, 0, 0.25, 3, float32(math.Copysign(0, -1)), float32(math.NaN()), 88.8, -104, -103.9, 0.625, -0.625}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1 << 16 { // of every exponent, and of those that matter
		x = append(x, math.Float32frombits(r.Uint32()), float32(r.NormFloat64()*10))
	}
	for _, c := range []struct {
		name  string
		slice func(dst, x []float32)
		f     func(float32) float32
	}{{"Exp", ExpTo, Exp}, {"Tanh", TanhTo, Tanh}, {"Sigmoid", SigmoidTo, Sigmoid}, {"Elu", EluTo, Elu}} {
		dst := make([]float32, len(x)+1)
		c.slice(dst, x)
		for i, v := range x {
			if want := c.f(v); math.Float32bits(dst[i]) != math.Float32bits(want) && (want == want || dst[i] == dst[i]) {
				t.Fatalf("%sTo(%g) = %g, want %g", c.name, v, dst[i], c.f(v))
			}
		}
		if dst[len(x)] != 0 {
			t.Errorf("%sTo wrote past len(x)", c.name)
		}
	}
}

func ExampleExp() {
	fmt.Println(Exp(0), Exp(1), Exp(-200))
	// Output: 1 2.7182817 0
}
