package kerneltest

import (
	"math"

	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Sum defines f32.Sum, and f32.Dot by the products: 16 lanes by index, then a tree.
func Sum(x []float32) float32 {
	var s [16]float32
	for i, v := range x {
		s[i%16] += v
	}
	for _, h := range []int{8, 4, 2, 1} {
		for l := range h {
			s[l] += s[l+h]
		}
	}
	return s[0]
}

// SumRows defines f32.SumRows.
func SumRows(rows, cols int, dst, x []float32) {
	sumRows(rows, cols, dst, func(r, c int) float32 { return x[r*cols+c] })
}

// sumRows sums f over the rows, chunk by chunk.
func sumRows(rows, cols int, dst []float32, f func(r, c int) float32) {
	sumChunks(rowChunks(rows, cols), cols, dst, f)
}

// rowChunks returns where the chunks of rows begin, and the end.
func rowChunks(rows, cols int) []int { return Chunks(rows, 1, f32.RowChunks(rows, cols)) }

// Chunks returns where the chunks of items of so many rows begin, and the end.
func Chunks(items, unit, chunks int) []int {
	bounds := []int{0}
	for chunk := range chunks {
		_, hi := parallel.Range(items, chunks, chunk)
		bounds = append(bounds, hi*unit)
	}
	return bounds
}

// SumChunks sums columns by chunks of rows.
func SumChunks(bounds []int, cols int, dst, x []float32) {
	sumChunks(bounds, cols, dst, func(r, c int) float32 { return x[r*cols+c] })
}

func sumChunks(bounds []int, cols int, dst []float32, f func(r, c int) float32) {
	for c := range cols {
		for chunk, hi := range bounds[1:] {
			var s float32
			for r := bounds[chunk]; r < hi; r++ {
				s += f(r, c)
			}
			if chunk == 0 {
				dst[c] = s
			} else {
				dst[c] += s
			}
		}
	}
}

// Moments defines f32.Moments.
func Moments(rows, cols int, mean, variance, x []float32) {
	ChunkMoments(rowChunks(rows, cols), cols, mean, variance, x)
}

// ChunkMoments defines moments by chunks of rows.
func ChunkMoments(bounds []int, cols int, mean, variance, x []float32) {
	rows := float32(bounds[len(bounds)-1])
	sumChunks(bounds, cols, mean, func(r, c int) float32 { return x[r*cols+c] })
	for c := range cols {
		mean[c] /= rows
		for chunk, hi := range bounds[1:] {
			var sum, squares float32
			for r := bounds[chunk]; r < hi; r++ {
				sum += x[r*cols+c]
			}
			n := float32(hi - bounds[chunk])
			own := sum / n
			for r := bounds[chunk]; r < hi; r++ {
				squares += float32((x[r*cols+c] - own) * (x[r*cols+c] - own))
			}
			squares += float32(n * float32((own-mean[c])*(own-mean[c])))
			if chunk == 0 {
				variance[c] = squares
			} else {
				variance[c] += squares
			}
		}
		variance[c] /= rows
	}
}

// Normalize defines f32.Normalize.
func Normalize(rows, cols int, y, x, mean, invStd, gamma, beta []float32) {
	for i := range rows * cols {
		c := i % cols
		xhat := float32((x[i] - mean[c]) * invStd[c])
		y[i] = float32(xhat*gamma[c]) + beta[c]
	}
}

// NormalizeGrad defines f32.NormalizeGrad.
func NormalizeGrad(rows, cols int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(rows, cols, dgamma, dbeta, dy, x, mean, invStd)
	NormalizeInputGrad(rows, cols, dx, dgamma, dbeta, dy, x, mean, invStd, gamma)
}

// NormalizeInputGrad defines the gradient of x from those of the parameters.
func NormalizeInputGrad(rows, cols int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	for i := range rows * cols {
		c := i % cols
		xhat := float32((x[i] - mean[c]) * invStd[c])
		d := dy[i] - dbeta[c]/float32(rows) - float32(xhat*(dgamma[c]/float32(rows)))
		dx[i] = float32(gamma[c]*invStd[c]) * d
	}
}

// NormalizeFrozenGrad defines f32.NormalizeFrozenGrad.
func NormalizeFrozenGrad(rows, cols int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(rows, cols, dgamma, dbeta, dy, x, mean, invStd)
	for i := range rows * cols {
		c := i % cols
		dx[i] = dy[i] * float32(gamma[c]*invStd[c])
	}
}

func normalizeParamGrads(rows, cols int, dgamma, dbeta, dy, x, mean, invStd []float32) {
	NormalizeParamSums(rowChunks(rows, cols), cols, dgamma, dbeta, dy, x, mean, invStd)
}

// NormalizeParamSums defines the gradients of the parameters of a normalization by chunks of rows.
func NormalizeParamSums(bounds []int, cols int, dgamma, dbeta, dy, x, mean, invStd []float32) {
	sumChunks(bounds, cols, dbeta, func(r, c int) float32 { return dy[r*cols+c] })
	sumChunks(bounds, cols, dgamma, func(r, c int) float32 {
		xhat := float32((x[r*cols+c] - mean[c]) * invStd[c])
		return float32(dy[r*cols+c] * xhat)
	})
}

// Affine defines f32.Affine.
func Affine(rows, cols int, y, x, factor, shift []float32) {
	for i := range rows * cols {
		y[i] = float32(x[i]*factor[i%cols]) + shift[i%cols]
	}
}

// AffineGrad defines f32.AffineGrad.
func AffineGrad(rows, cols int, dx, dfactor, dshift, dy, x, factor []float32) {
	SumRows(rows, cols, dshift, dy)
	sumRows(rows, cols, dfactor, func(r, c int) float32 { return float32(dy[r*cols+c] * x[r*cols+c]) })
	for i := range rows * cols {
		dx[i] = dy[i] * factor[i%cols]
	}
}

// Activate defines f32.Activate.
func Activate(act quant.Activation, y, x []float32) {
	for i, v := range x {
		y[i] = activate(v, 0, nil, act)
	}
}

// ActivateGrad defines f32.ActivateGrad.
func ActivateGrad(act quant.Activation, dx, dy, y []float32) {
	for i, v := range y {
		pass := true
		switch act {
		case quant.Relu:
			pass = v > 0
		case quant.Relu6:
			pass = v > 0 && v < 6
		case quant.ReluN1To1:
			pass = v > -1 && v < 1
		}
		dx[i] = 0
		if pass {
			dx[i] = dy[i]
		}
	}
}

// Softmax defines f32.Softmax.
func Softmax(rows, cols int, y, x []float32) {
	for r := range rows {
		y, x := y[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols]
		m := rowMax(x)
		for c, v := range x {
			y[c] = f32.Exp(v - m)
		}
		s := Sum(y)
		for c := range y {
			y[c] /= s
		}
	}
}

// SoftmaxGrad defines f32.SoftmaxGrad.
func SoftmaxGrad(rows, cols int, dx, dy, y []float32) {
	for r := range rows {
		products := make([]float32, cols)
		for c := range products {
			products[c] = dy[r*cols+c] * y[r*cols+c]
		}
		s := Sum(products)
		for c := range cols {
			dx[r*cols+c] = y[r*cols+c] * (dy[r*cols+c] - s)
		}
	}
}

// LogSoftmax defines f32.LogSoftmax.
func LogSoftmax(rows, cols int, y, x []float32) {
	for r := range rows {
		x := x[r*cols : (r+1)*cols]
		m, e := rowMax(x), make([]float32, cols)
		for c, v := range x {
			e[c] = f32.Exp(v - m)
		}
		l := f32.Log(Sum(e))
		for c, v := range x {
			y[r*cols+c] = (v - m) - l
		}
	}
}

func rowMax(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}
