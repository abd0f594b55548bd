package f32

import (
	"math"

	"github.com/goqat/goqat/internal/kernels/axes"
)

// The activations in this file are elementwise over len(x) elements. They and their gradients may work in place; NaN stays
// NaN.

// LeakyReluTo computes y = x where x > 0 and alpha*x elsewhere.
func LeakyReluTo(alpha float32, y, x []float32) { LeakyReluGrad(alpha, y, x, x) }

// LeakyReluGrad computes dx = dy where x > 0 and alpha*dy elsewhere.
func LeakyReluGrad(alpha float32, dx, dy, x []float32) {
	o := operands{dst: dx[:len(x)], a: dy[:len(x)], b: x, alpha: alpha}
	each(len(x), costMove, o, func(o operands, i, j int) { level.leakyRelu(o.dst[i:j], o.a[i:j], o.b[i:j], o.alpha) })
}

func leakyReluPortable(dst, v, x []float32, alpha float32) {
	v, x = v[:len(dst)], x[:len(dst)]
	for i := range dst {
		dst[i] = prelu(v[i], x[i], alpha)
	}
}

// Elu returns x where x > 0 and e^x - 1 elsewhere, to within 3 ulp.
func Elu(x float32) float32 {
	if x > 0 {
		return x
	}
	return Expm1(x)
}

// EluTo computes y = Elu(x).
func EluTo(y, x []float32) { mapBy(costExp, level.elu, y, x) }

// EluGrad computes the gradient of the input of [EluTo] from its output y: dx = dy where y > 0 and dy*(y+1) elsewhere.
func EluGrad(dx, dy, y []float32) { gradBy(level.eluGrad, dx, dy, y) }

func eluSlope(y float32) float32 { return 1 + min(y, 0) }

// HardSwishTo computes y = x * min(max(x+3, 0), 6) / 6.
func HardSwishTo(y, x []float32) { mapBy(costMove, level.hardSwish, y, x) }

func hardSwish(x float32) float32 { return float32(x*clamp(x+3, 0, 6)) / 6 }

// HardSwishGrad computes the gradient of the input x of [HardSwishTo]: dx = 0 where x <= -3, dy where x >= 3 and
// dy*(x/3+1/2) between.
func HardSwishGrad(dx, dy, x []float32) { gradBy(level.hardSwishGrad, dx, dy, x) }

func hardSwishSlope(x float32) float32 {
	switch {
	case x <= -3:
		return 0
	case x >= 3:
		return 1
	}
	return x/3 + 0.5
}

// SigmoidGrad computes the gradient of the input of [SigmoidTo] from its output y: dx = dy * y*(1-y).
func SigmoidGrad(dx, dy, y []float32) { gradBy(level.sigmoidGrad, dx, dy, y) }

func sigmoidSlope(y float32) float32 { return y * (1 - y) }

// TanhGrad computes the gradient of the input of [TanhTo] from its output y: dx = dy * (1-y)*(1+y).
func TanhGrad(dx, dy, y []float32) { gradBy(level.tanhGrad, dx, dy, y) }

func tanhSlope(y float32) float32 { return (1 - y) * (1 + y) }

// gradBy computes dx from dy and v, the input or output of an activation, by a routine on their elements.
func gradBy(run func(dx, dy, v []float32), dx, dy, v []float32) {
	combine(run, dx[:len(v)], dy, v)
}

// slopedBy returns the routine that computes dx = dy * slope(v).
func slopedBy(slope func(float32) float32) func(dx, dy, v []float32) {
	return func(dx, dy, v []float32) {
		dx, dy = dx[:len(v)], dy[:len(v)]
		for i, v := range v {
			dx[i] = dy[i] * slope(v)
		}
	}
}

// Prelu computes y = x where x > 0 and alpha*x elsewhere, over the elements of x and alpha that p pairs. It may work in
// place.
func Prelu(p axes.Pair, y, x, alpha []float32) {
	each(p.Len(), costMove, pairing{p: p, y: y, a: x, b: alpha}, func(c pairing, from, to int) {
		y, x, alpha := c.y, c.a, c.b
		stepX, stepAlpha := c.p.Steps()
		c.p.Runs(from, to, func(at, i, j, n int) {
			if stepX == 1 && stepAlpha == 1 {
				preluRun(y[at:][:n], x[i:], x[i:], alpha[j:])
				return
			}
			for k := range n {
				y[at+k] = prelu(x[i+k*stepX], x[i+k*stepX], alpha[j+k*stepAlpha])
			}
		})
	})
}

// PreluGrad computes the gradient of the input of [Prelu]: dx = dy where x > 0 and alpha*dy elsewhere. It may work in
// place. The gradient of alpha is that of the product of alpha and min(x, 0): [CombineGrad].
func PreluGrad(p axes.Pair, dx, dy, x, alpha []float32) {
	type args struct {
		p                axes.Pair
		dx, dy, x, alpha []float32
	}
	each(p.Len(), costMove, args{p, dx, dy, x, alpha}, func(a args, from, to int) {
		dx, dy, x, alpha := a.dx, a.dy, a.x, a.alpha
		stepX, stepAlpha := a.p.Steps()
		a.p.Runs(from, to, func(at, i, j, n int) {
			if stepX == 1 && stepAlpha == 1 {
				preluRun(dx[at:][:n], dy[at:], x[i:], alpha[j:])
				return
			}
			for k := range n {
				dx[at+k] = prelu(dy[at+k], x[i+k*stepX], alpha[j+k*stepAlpha])
			}
		})
	})
}

// prelu returns v where x > 0 and alpha*v elsewhere, without a branch: signs are hard to predict.
func prelu(v, x, alpha float32) float32 {
	above := positive(x)
	return math.Float32frombits(math.Float32bits(v)&above | math.Float32bits(alpha*v)&^above)
}

// preluRun is prelu of one element after the other.
func preluRun(dst, v, x, alpha []float32) {
	v, x, alpha = v[:len(dst)], x[:len(dst)], alpha[:len(dst)]
	for i := range dst {
		dst[i] = prelu(v[i], x[i], alpha[i])
	}
}

// NegativePart computes y = min(x, 0), elementwise over len(x) elements. It may work in place.
func NegativePart(y, x []float32) { mapBy(costMove, negativePart, y, x) }

var negativePart = eachBy(func(x float32) float32 { return min(x, 0) })
