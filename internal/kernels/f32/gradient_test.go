package f32_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/kernels/f32/kerneltest"
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// The tests in this file check the formulas themselves: conformance_test.go carries the result over to the kernels.

// dot is the inner product in float64.
func dot(a, b []float32) float64 {
	var s float64
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

// near compares two inner products of float32 results: each result has at most some hundred roundings of 2^-24, so that
// 1e-5 of the sum of magnitudes (here: of order 1000) is never reached by rounding.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-2) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

// TestLinearGradients uses that a map which is linear in x and in w has <dy, f(x, w)> = <dx, x> = <dw, w>.
func TestLinearGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, padding := range []graph.Padding{graph.Same, graph.Valid} {
		shape := window.Window{Input: [2]int{9, 8}, Kernel: [2]int{3, 2}, Stride: [2]int{2, 1}, Dilation: [2]int{1, 2}}
		g := f32.Conv{Window: shape.Complete(padding.Window), Batch: 2, InC: 3, OutC: 4}
		x, w, dy := random(r, g.InputLen()), random(r, g.WeightsLen()), random(r, g.OutputLen())
		y, dx, dw, db := dirty(len(dy)), dirty(len(x)), dirty(len(w)), dirty(g.OutC)
		kerneltest.Conv2D(g, y, x, w, nil, quant.NoActivation)
		kerneltest.Conv2DGradInput(g, dx, dy, w)
		kerneltest.Conv2DGradWeights(g, dw, db, x, dy)
		near(t, "conv dx", dot(dx, x), dot(dy, y))
		near(t, "conv dw", dot(dw, w), dot(dy, y))
		one := []float32{1, 1, 1, 1}
		kerneltest.Conv2D(g, y, x, make([]float32, len(w)), one, quant.NoActivation)
		near(t, "conv dbias", dot(db, one), dot(dy, y))

		small, large := dy, x // the transposed convolution is a map from small images to large ones
		y, dx, db = dirty(len(large)), dirty(len(small)), dirty(g.InC)
		kerneltest.TransposeConv2D(g, y, small, w, nil, quant.NoActivation)
		kerneltest.TransposeConv2DGradInput(g, dx, large, w)
		kerneltest.TransposeConv2DGradWeights(g, dw, db, small, large)
		near(t, "transposed conv dx", dot(dx, small), dot(large, y))
		near(t, "transposed conv dw", dot(dw, w), dot(large, y))
		kerneltest.TransposeConv2D(g, y, small, make([]float32, len(w)), one[:g.InC], quant.NoActivation)
		near(t, "transposed conv dbias", dot(db, one[:g.InC]), dot(large, y))
	}

	x, w, dy := random(r, 3*7), random(r, 5*7), random(r, 3*5)
	y, dx, dw, db := dirty(3*5), dirty(3*7), dirty(5*7), dirty(5)
	kerneltest.FullyConnected(3, 7, 5, y, x, w, nil, quant.NoActivation)
	kerneltest.FullyConnectedGradInput(3, 7, 5, dx, dy, w)
	kerneltest.FullyConnectedGradWeights(3, 7, 5, dw, db, x, dy)
	near(t, "fully-connected dx", dot(dx, x), dot(dy, y))
	near(t, "fully-connected dw", dot(dw, w), dot(dy, y))

	copies := window.Resize{Input: [2]int{3, 4}, Channels: 2, Rows: []int{0, 0, 2, 1}, Cols: []int{3, 0, 0, 0, 1}}
	x, dy = random(r, 2*copies.InputLen()), random(r, 2*copies.OutputLen())
	y, dx = dirty(len(dy)), dirty(len(x))
	kerneltest.ResizeNearest(copies, 2, y, x)
	kerneltest.ResizeNearestGrad(copies, 2, dx, dy)
	near(t, "resize dx", dot(dx, x), dot(dy, y))

	p := f32.Pool{Window: same(7, 5, 3, [2]int{2, 1}), Batch: 2, Channels: 3}
	x, dy = random(r, p.InputLen()), random(r, p.OutputLen())
	y, dx = dirty(len(dy)), dirty(len(x))
	kerneltest.AveragePool2D(p, y, x)
	kerneltest.AveragePool2DGrad(p, dx, dy)
	near(t, "average pool dx", dot(dx, x), dot(dy, y))
	arg := make([]int32, len(y))
	kerneltest.MaxPool2D(p, y, x, arg)
	kerneltest.MaxPool2DGrad(p, dx, dy, arg)
	near(t, "max pool dx", dot(dx, x), dot(dy, y)) // linear while the same taps win
}

// TestNonlinearGradients compares with central differences of the float64 formula: with step 1e-6 their error is some
// 1e-9, so what is tolerated is the rounding of the float32 gradients, some 1e-6.
func TestNonlinearGradients(t *testing.T) {
	const rows, cols, eps, tolerance = 5, 3, 1e-3, 2e-5
	r := rand.New(rand.NewPCG(5, 5))
	x, dy := random(r, rows*cols), random(r, rows*cols)
	check := func(what string, got, at []float32, loss func(v []float64) float64) {
		t.Helper()
		v := make([]float64, len(at))
		for i := range at {
			v[i] = float64(at[i])
		}
		for i := range v {
			const h = 1e-6
			old := v[i]
			v[i] = old + h
			up := loss(v)
			v[i] = old - h
			want := (up - loss(v)) / (2 * h)
			v[i] = old
			if !(math.Abs(float64(got[i])-want) <= tolerance*(1+math.Abs(want))) {
				t.Errorf("%s[%d] = %g, difference quotient %g", what, i, got[i], want)
			}
		}
	}
	weighted := func(y func(r, c int) float64) (s float64) {
		for i, d := range dy {
			s += float64(d) * y(i/cols, i%cols)
		}
		return s
	}

	gamma, beta := random(r, cols), random(r, cols)
	mean, variance, invStd := dirty(cols), dirty(cols), dirty(cols)
	kerneltest.Moments(rows, cols, mean, variance, x)
	f32.InvStd(invStd, variance, eps)
	dx, dg, db := dirty(rows*cols), dirty(cols), dirty(cols)
	kerneltest.NormalizeGrad(rows, cols, dx, dg, db, dy, x, mean, invStd, gamma)
	check("batch normalization dx", dx, x, func(v []float64) float64 {
		return weighted(func(r, c int) float64 {
			var m, q float64
			for k := range rows {
				m += v[k*cols+c] / rows
			}
			for k := range rows {
				q += (v[k*cols+c] - m) * (v[k*cols+c] - m) / rows
			}
			return (v[r*cols+c] - m) / math.Sqrt(q+eps) * float64(gamma[c])
		})
	})
	xhat := func(r, c int) float64 { return float64(x[r*cols+c]-mean[c]) * float64(invStd[c]) }
	check("dgamma", dg, gamma, func(v []float64) float64 { return weighted(func(r, c int) float64 { return xhat(r, c) * v[c] }) })
	check("dbeta", db, beta, func(v []float64) float64 { return weighted(func(_, c int) float64 { return v[c] }) })
	kerneltest.NormalizeFrozenGrad(rows, cols, dx, dg, db, dy, x, mean, invStd, gamma)
	check("frozen dx", dx, x, func(v []float64) float64 {
		return weighted(func(r, c int) float64 { return v[r*cols+c] * float64(invStd[c]) * float64(gamma[c]) })
	})

	y := dirty(rows * cols)
	kerneltest.Softmax(rows, cols, y, x)
	kerneltest.SoftmaxGrad(rows, cols, dx, dy, y)
	check("softmax dx", dx, x, func(v []float64) float64 {
		return weighted(func(r, c int) float64 {
			var s float64
			for k := range cols {
				s += math.Exp(v[r*cols+k])
			}
			return math.Exp(v[r*cols+c]) / s
		})
	})
}
