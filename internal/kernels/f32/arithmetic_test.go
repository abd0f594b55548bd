package f32_test

import (
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
)

// drawPair draws two shapes that broadcast, up to some hundred thousand elements.
func drawPair(t *rapid.T) (a, b []int) {
	large := rapid.IntRange(0, 7).Draw(t, "large") == 0
	for range rapid.IntRange(0, 4).Draw(t, "rank") {
		size := 5
		if large {
			size = 24
		}
		d := rapid.IntRange(1, size).Draw(t, "size")
		da, db := d, d
		switch rapid.IntRange(0, 3).Draw(t, "side") {
		case 0:
			da = 1
		case 1:
			db = 1
		}
		a, b = append(a, da), append(b, db)
	}
	return a, b
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func TestArithmetic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	rapid.Check(t, func(t *rapid.T) {
		shapeA, shapeB := drawPair(t)
		p := axes.Broadcast(shapeA, shapeB)
		r, act := drawRand(t), drawActivation(t)
		a, b, dy := random(r, elements(shapeA)), random(r, elements(shapeB)), random(r, p.Len())
		op := rapid.SampledFrom([]f32.Arithmetic{f32.Plus, f32.Minus, f32.Times}).Draw(t, "operation")
		got, want := dirty(p.Len()), dirty(p.Len())
		f32.Combine(op, p, got, a, b, act)
		kerneltest.Combine(op, p, want, a, b, act)
		equal(t, "y", got, want)

		da, db, wantA, wantB := dirty(len(a)), dirty(len(b)), dirty(len(a)), dirty(len(b))
		f32.CombineGrad(op, p, da, db, dy, a, b)
		kerneltest.CombineGrad(op, p, wantA, wantB, dy, a, b)
		// A chain of additions starts at +0, so that alone a product of -0 becomes +0: add 0 to compare.
		for _, x := range [][]float32{da, db, wantA, wantB} {
			for i := range x {
				x[i] += 0
			}
		}
		equal(t, "da", da, wantA)
		equal(t, "db", db, wantB)
		alone := dirty(len(b))
		f32.CombineGrad(op, p, nil, alone, dy, a, b)
		for i := range alone {
			alone[i] += 0
		}
		equal(t, "db alone", alone, db)
	})
}

// TestArithmeticGradients uses that a*b is linear in each: <dy, y> = <da, a> = <db, b>, and that of a sum both together.
func TestArithmeticGradients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shapeA, shapeB := drawPair(t)
		p := axes.Broadcast(shapeA, shapeB)
		r := drawRand(t)
		a, b, dy := random(r, elements(shapeA)), random(r, elements(shapeB)), random(r, p.Len())
		y, da, db := dirty(p.Len()), dirty(len(a)), dirty(len(b))
		near := func(what string, got, want float64) {
			size := 1.0
			for i := range y {
				size += max(float64(y[i]*dy[i]), -float64(y[i]*dy[i]))
			}
			// Roundings of 2^-24 a term, in chains of some thousands.
			if d := (got - want) / size; d > 1e-3 || d < -1e-3 {
				t.Fatalf("%s: %g, want %g", what, got, want)
			}
		}
		f32.Combine(f32.Times, p, y, a, b, 0)
		f32.CombineGrad(f32.Times, p, da, db, dy, a, b)
		near("product, a", dot(da, a), dot(dy, y))
		near("product, b", dot(db, b), dot(dy, y))
		for _, op := range []f32.Arithmetic{f32.Plus, f32.Minus} {
			f32.Combine(op, p, y, a, b, 0)
			f32.CombineGrad(op, p, da, db, dy, a, b)
			near("sum or difference", dot(da, a)+dot(db, b), dot(dy, y))
		}
	})
}
