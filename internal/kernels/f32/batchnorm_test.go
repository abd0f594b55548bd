package f32_test

import (
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
)

func TestBatchNormalization(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ws f32.Workspace
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := mostly(t, "rows", 9, 9000), mostly(t, "channels", 40, 40)
		r := drawRand(t)
		x, dy := random(r, rows*cols), random(r, rows*cols)
		mean, variance, wantMean, wantVariance := dirty(cols), dirty(cols), dirty(cols), dirty(cols)
		f32.Moments(&ws, rows, cols, mean, variance, x)
		kerneltest.Moments(rows, cols, wantMean, wantVariance, x)
		equal(t, "mean", mean, wantMean)
		equal(t, "variance", variance, wantVariance)

		invStd, gamma, beta := dirty(cols), random(r, cols), random(r, cols)
		f32.InvStd(invStd, variance, 1e-3)
		got, want := dirty(rows*cols), dirty(rows*cols)
		f32.Normalize(&ws, rows, cols, got, x, mean, invStd, gamma, beta)
		kerneltest.Normalize(rows, cols, want, x, mean, invStd, gamma, beta)
		equal(t, "y", got, want)

		dg, db, wantDG, wantDB := dirty(cols), dirty(cols), dirty(cols), dirty(cols)
		f32.NormalizeGrad(&ws, rows, cols, got, dg, db, dy, nil, x, mean, invStd, gamma)
		kerneltest.NormalizeGrad(rows, cols, want, wantDG, wantDB, dy, x, mean, invStd, gamma)
		equal(t, "dx", got, want)
		equal(t, "dgamma", dg, wantDG)
		equal(t, "dbeta", db, wantDB)
		f32.NormalizeFrozenGrad(&ws, rows, cols, got, dg, db, dy, nil, x, mean, invStd, gamma)
		kerneltest.NormalizeFrozenGrad(rows, cols, want, wantDG, wantDB, dy, x, mean, invStd, gamma)
		equal(t, "frozen dx", got, want)
		equal(t, "frozen dgamma", dg, wantDG)
		equal(t, "frozen dbeta", db, wantDB)

		mask, passed := make([]uint8, f32.MaskLen(rows*cols)), dirty(rows*cols)
		for i := range mask {
			mask[i] = uint8(r.Uint32())
		}
		f32.FakeQuantizeGrad(passed, dy, mask)
		f32.NormalizeGrad(&ws, rows, cols, got, dg, db, dy, mask, x, mean, invStd, gamma)
		kerneltest.NormalizeGrad(rows, cols, want, wantDG, wantDB, passed, x, mean, invStd, gamma)
		equal(t, "masked dx", got, want)
		equal(t, "masked dgamma", dg, wantDG)
		equal(t, "masked dbeta", db, wantDB)
		f32.NormalizeFrozenGrad(&ws, rows, cols, got, dg, db, dy, mask, x, mean, invStd, gamma)
		kerneltest.NormalizeFrozenGrad(rows, cols, want, wantDG, wantDB, passed, x, mean, invStd, gamma)
		equal(t, "masked frozen dx", got, want)
		equal(t, "masked frozen dgamma", dg, wantDG)

		f32.Affine(&ws, rows, cols, got, x, gamma, beta)
		kerneltest.Affine(rows, cols, want, x, gamma, beta)
		equal(t, "affine y", got, want)
		f32.AffineGrad(&ws, rows, cols, got, dg, db, dy, x, gamma)
		kerneltest.AffineGrad(rows, cols, want, wantDG, wantDB, dy, x, gamma)
		equal(t, "affine dx", got, want)
		equal(t, "dfactor", dg, wantDG)
		equal(t, "dshift", db, wantDB)
	})
}
