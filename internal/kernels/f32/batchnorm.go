package f32

import "math"

// Batch normalization over the last axis of x [rows, channels], in the parts that its three uses share:
//
//	training:   Moments, InvStd, Normalize; backward NormalizeGrad; MovingAverage updates the moving statistics
//	frozen:     InvStd of the moving variance, Normalize; backward NormalizeFrozenGrad
//	inference:  InvStd of the moving variance, Normalize

// Moments computes each channel's mean and biased variance over the rows of x [rows, channels], in two passes:
// mean = sum(x)/rows, variance = sum((x-mean)^2)/rows, both sums as in [SumRows].
func Moments(ws *Workspace, rows, channels int, mean, variance, x []float32) {
	mean, variance = mean[:channels], variance[:channels]
	SumRows(ws, rows, channels, mean, x)
	for c := range mean {
		mean[c] /= float32(rows)
	}
	sumChunks(ws, rows, channels, variance, func(sum []float32, lo, hi int) {
		mean := mean[:len(sum)]
		for r := lo; r < hi; r++ {
			for c, v := range x[r*channels:][:len(sum)] {
				d := v - mean[c]
				sum[c] += float32(d * d)
			}
		}
	})
	for c := range variance {
		variance[c] /= float32(rows)
	}
}

// InvStd computes invStd = 1/sqrt(variance + epsilon), elementwise over len(variance) elements.
func InvStd(invStd, variance []float32, epsilon float32) {
	for i, v := range variance {
		// The float64 root of a float32, rounded to float32, is the correctly rounded float32 root.
		invStd[i] = 1 / float32(math.Sqrt(float64(v+epsilon)))
	}
}

// Affine computes y = x*factor + shift per channel. It may work in place.
// Shapes: y, x [rows, channels]; factor, shift [channels].
func Affine(rows, channels int, y, x, factor, shift []float32) {
	each(rows, channels*costMove, func(from, to int) {
		shift := shift[:channels]
		factor := factor[:len(shift)]
		for r := from; r < to; r++ {
			x, y := x[r*channels:][:len(shift)], y[r*channels:][:len(shift)]
			for c, s := range shift {
				y[c] = float32(x[c]*factor[c]) + s
			}
		}
	})
}

// AffineGrad computes the gradients of [Affine]: dx = dy*factor, dfactor = sum(dy*x), dshift = sum(dy), with sums over
// the rows as in [SumRows]. A nil gradient is not computed. Shapes as in [Affine]. dx may be dy.
func AffineGrad(ws *Workspace, rows, channels int, dx, dfactor, dshift, dy, x, factor []float32) {
	if dshift != nil {
		SumRows(ws, rows, channels, dshift, dy)
	}
	if dfactor != nil {
		sumChunks(ws, rows, channels, dfactor, func(sum []float32, lo, hi int) {
			for r := lo; r < hi; r++ {
				dy, x := dy[r*channels:][:len(sum)], x[r*channels:][:len(sum)]
				for c, d := range dy {
					sum[c] += float32(d * x[c])
				}
			}
		})
	}
	if dx != nil {
		scaleRows(rows, channels, dx, dy, factor)
	}
}

// scaleRows computes y = x*factor per channel.
func scaleRows(rows, channels int, y, x, factor []float32) {
	each(rows, channels*costMove, func(from, to int) {
		factor := factor[:channels]
		for r := from; r < to; r++ {
			x, y := x[r*channels:][:len(factor)], y[r*channels:][:len(factor)]
			for c, f := range factor {
				y[c] = x[c] * f
			}
		}
	})
}

// Normalize computes y = (x-mean)*invStd*gamma + beta per channel. It may work in place.
// Shapes: y, x [rows, channels]; mean, invStd, gamma, beta [channels].
func Normalize(rows, channels int, y, x, mean, invStd, gamma, beta []float32) {
	each(rows, channels*costMove, func(from, to int) {
		mean := mean[:channels]
		invStd, gamma, beta := invStd[:len(mean)], gamma[:len(mean)], beta[:len(mean)]
		for r := from; r < to; r++ {
			x, y := x[r*channels:][:len(mean)], y[r*channels:][:len(mean)]
			for c, m := range mean {
				xhat := float32((x[c] - m) * invStd[c])
				y[c] = float32(xhat*gamma[c]) + beta[c]
			}
		}
	})
}

// NormalizeGrad computes the gradients of [Normalize] where mean and invStd are those of x itself ([Moments]):
//
//	xhat = (x-mean)*invStd,  dgamma = sum(dy*xhat),  dbeta = sum(dy)
//	dx   = gamma*invStd * (dy - dbeta/rows - xhat*dgamma/rows)
//
// with sums over the rows as in [SumRows]. Shapes as in [Normalize]. dx may be dy.
func NormalizeGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, x, mean, invStd)
	s := ws.floats(3 * channels)
	meanB, meanG, factor := s[:channels], s[channels:2*channels], s[2*channels:]
	for c := range channels {
		meanB[c], meanG[c] = dbeta[c]/float32(rows), dgamma[c]/float32(rows)
		factor[c] = gamma[c] * invStd[c]
	}
	each(rows, channels*costMove, func(from, to int) {
		mean := mean[:channels]
		invStd, meanB, meanG, factor := invStd[:len(mean)], meanB[:len(mean)], meanG[:len(mean)], factor[:len(mean)]
		for r := from; r < to; r++ {
			dx, dy, x := dx[r*channels:][:len(mean)], dy[r*channels:][:len(mean)], x[r*channels:][:len(mean)]
			for c, m := range mean {
				xhat := float32((x[c] - m) * invStd[c])
				dx[c] = factor[c] * (dy[c] - meanB[c] - float32(xhat*meanG[c]))
			}
		}
	})
}

// NormalizeFrozenGrad computes the gradients of [Normalize] where mean and invStd are constants (moving statistics):
// dx = dy*gamma*invStd; dgamma and dbeta as in [NormalizeGrad]. dx may be dy.
func NormalizeFrozenGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, x, mean, invStd)
	factor := ws.floats(channels)
	MulTo(factor, gamma, invStd)
	scaleRows(rows, channels, dx, dy, factor)
}

func normalizeParamGrads(ws *Workspace, rows, channels int, dgamma, dbeta, dy, x, mean, invStd []float32) {
	SumRows(ws, rows, channels, dbeta, dy)
	sumChunks(ws, rows, channels, dgamma, func(sum []float32, lo, hi int) {
		mean, invStd := mean[:len(sum)], invStd[:len(sum)]
		for r := lo; r < hi; r++ {
			dy, x := dy[r*channels:][:len(sum)], x[r*channels:][:len(sum)]
			for c, m := range mean {
				sum[c] += float32(dy[c] * float32((x[c]-m)*invStd[c]))
			}
		}
	})
}

// MovingAverage updates moving = moving*momentum + batch*(1-momentum), elementwise over len(batch) elements, as Keras 3
// does with batch means and biased batch variances.
func MovingAverage(moving, batch []float32, momentum float32) {
	for i, v := range batch {
		moving[i] = float32(moving[i]*momentum) + float32(v*(1-momentum))
	}
}
