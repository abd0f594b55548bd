package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/axes"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// Combine defines f32.Combine.
func Combine(op f32.Arithmetic, p axes.Pair, y, a, b []float32, act quant.Activation) {
	for i := range p.Len() {
		ia, ib := p.At(i)
		var v float32
		switch op {
		case f32.Plus:
			v = a[ia] + b[ib]
		case f32.Minus:
			v = a[ia] - b[ib]
		case f32.Times:
			v = a[ia] * b[ib]
		}
		y[i] = activate(v, 0, nil, act)
	}
}

// CombineGrad defines f32.CombineGrad.
func CombineGrad(op f32.Arithmetic, p axes.Pair, da, db, dy, a, b []float32) {
	clear(da)
	clear(db)
	for i, d := range dy[:p.Len()] {
		ia, ib := p.At(i)
		switch op {
		case f32.Plus:
			da[ia] += d
			db[ib] += d
		case f32.Minus:
			da[ia] += d
			db[ib] -= d
		case f32.Times:
			da[ia] += float32(d * b[ib])
			db[ib] += float32(d * a[ia])
		}
	}
}
