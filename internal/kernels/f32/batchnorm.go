package f32

import "math"

// Batch normalization over the last axis of x [rows, channels], in the parts that its three uses share:
//
//	training:   Moments, InvStd, Normalize; backward NormalizeGrad; MovingAverage updates the moving statistics
//	frozen:     InvStd of the moving variance, Normalize; backward NormalizeFrozenGrad
//	inference:  InvStd of the moving variance, Normalize

// Moments computes each channel's mean and biased variance over the rows of x [rows, channels], in two passes:
// mean = sum(x)/rows, variance = sum((x-mean)^2)/rows.
func Moments(ws *Workspace, rows, channels int, mean, variance, x []float32) {
	SumRows(ws, rows, channels, mean, x)
	n := float32(rows)
	for c := range channels {
		mean[c] /= n
		variance[c] = 0
	}
	for r := range rows {
		for c := range channels {
			d := x[r*channels+c] - mean[c]
			variance[c] += float32(d * d)
		}
	}
	for c := range channels {
		variance[c] /= n
	}
}

// InvStd computes invStd = 1/sqrt(variance + epsilon), elementwise over len(variance) elements.
func InvStd(invStd, variance []float32, epsilon float32) {
	for i, v := range variance {
		invStd[i] = 1 / float32(math.Sqrt(float64(v+epsilon)))
	}
}

// Normalize computes y = (x-mean)*invStd*gamma + beta per channel. It may work in place.
// Shapes: y, x [rows, channels]; mean, invStd, gamma, beta [channels].
func Normalize(rows, channels int, y, x, mean, invStd, gamma, beta []float32) {
	for r := range rows {
		for c := range channels {
			xhat := float32((x[r*channels+c] - mean[c]) * invStd[c])
			y[r*channels+c] = float32(xhat*gamma[c]) + beta[c]
		}
	}
}

// NormalizeGrad computes the gradients of [Normalize] where mean and invStd are those of x itself ([Moments]):
//
//	xhat = (x-mean)*invStd,  dgamma = sum(dy*xhat),  dbeta = sum(dy)
//	dx   = gamma*invStd * (dy - dbeta/rows - xhat*dgamma/rows)
//
// with sums over the rows. Shapes as in [Normalize].
func NormalizeGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, x, mean, invStd)
	n := float32(rows)
	for r := range rows {
		for c := range channels {
			i := r*channels + c
			xhat := float32((x[i] - mean[c]) * invStd[c])
			d := dy[i] - dbeta[c]/n - float32(xhat*(dgamma[c]/n))
			dx[i] = float32(gamma[c]*invStd[c]) * d
		}
	}
}

// NormalizeFrozenGrad computes the gradients of [Normalize] where mean and invStd are constants (moving statistics):
// dx = dy*gamma*invStd; dgamma and dbeta as in [NormalizeGrad].
func NormalizeFrozenGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, x, mean, invStd)
	for r := range rows {
		for c := range channels {
			i := r*channels + c
			dx[i] = dy[i] * float32(gamma[c]*invStd[c])
		}
	}
}

func normalizeParamGrads(ws *Workspace, rows, channels int, dgamma, dbeta, dy, x, mean, invStd []float32) {
	SumRows(ws, rows, channels, dbeta, dy)
	clear(dgamma[:channels])
	for r := range rows {
		for c := range channels {
			i := r*channels + c
			dgamma[c] += float32(dy[i] * float32((x[i]-mean[c])*invStd[c]))
		}
	}
}

// MovingAverage updates moving = moving*momentum + batch*(1-momentum), elementwise over len(batch) elements, as Keras 3
// does with batch means and biased batch variances.
func MovingAverage(moving, batch []float32, momentum float32) {
	for i, v := range batch {
		moving[i] = float32(moving[i]*momentum) + float32(v*(1-momentum))
	}
}
