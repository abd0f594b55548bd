package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
)

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
	sumChunks(ws, rows, channels, func(sum []float32, lo, hi int) {
		level.sumSquares(hi-lo, sum, x[lo*channels:hi*channels], mean)
	}, variance)
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
func Affine(ws *Workspace, rows, channels int, y, x, factor, shift []float32) {
	factor, shift = ws.repeated(0, rows, factor[:channels]), ws.repeated(1, rows, shift[:channels])
	eachRows(rows, channels, func(lo, hi int) { level.affine(y[lo:hi], x[lo:hi], factor, shift) })
}

// AffineGrad computes the gradients of [Affine]: dx = dy*factor, dfactor = sum(dy*x), dshift = sum(dy), with sums over
// the rows as in [SumRows]. A nil gradient is not computed. Shapes as in [Affine]. dx may be dy.
func AffineGrad(ws *Workspace, rows, channels int, dx, dfactor, dshift, dy, x, factor []float32) {
	if dshift != nil {
		SumRows(ws, rows, channels, dshift, dy)
	}
	if dfactor != nil {
		sumChunks(ws, rows, channels, func(sum []float32, lo, hi int) {
			level.sumProducts(hi-lo, sum, dy[lo*channels:hi*channels], x[lo*channels:hi*channels])
		}, dfactor)
	}
	if dx != nil {
		scaleRows(ws, rows, channels, dx, dy, factor)
	}
}

// scaleRows computes y = x*factor per channel.
func scaleRows(ws *Workspace, rows, channels int, y, x, factor []float32) {
	factor = ws.repeated(0, rows, factor[:channels])
	eachRows(rows, channels, func(lo, hi int) { level.scaleRows(y[lo:hi], x[lo:hi], factor) })
}

// eachRows runs f over the elements [lo, hi) of whole rows, on all cores.
func eachRows(rows, channels int, f func(lo, hi int)) {
	each(rows, channels*costMove, func(from, to int) { f(from*channels, to*channels) })
}

// Normalize computes y = (x-mean)*invStd*gamma + beta per channel. It may work in place.
// Shapes: y, x [rows, channels]; mean, invStd, gamma, beta [channels].
func Normalize(ws *Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32) {
	n := newNormalization(ws, rows, channels, mean, invStd, gamma, beta)
	eachRows(rows, channels, func(lo, hi int) { n.run(y[lo:hi], x[lo:hi]) })
}

// NormalizeTail computes [Normalize] and runs t on y as [Tail.Run] does, block by block.
func NormalizeTail(ws *Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32, t *Tail, mask []uint8) (lo, hi float32, nan bool) {
	n := newNormalization(ws, rows, channels, mean, invStd, gamma, beta)
	block := 8 * max(1, (4<<10)/(8*channels)) // rows, so that a block is whole bytes of the mask
	blocks := (rows + block - 1) / block
	parts := split(blocks, block*channels*costUpdate)
	t.begin(parts)
	parallel.For(parts, func(p int) {
		from, to := parallel.Range(blocks, parts, p)
		for b := from; b < to; b++ {
			i, j := b*block*channels, min((b+1)*block, rows)*channels
			n.run(y[i:j], x[i:j])
			t.run(p, y, i, j, mask)
		}
	})
	return t.end(parts)
}

// normalization is the parameters of [Normalize], repeated.
type normalization struct{ mean, invStd, gamma, beta []float32 }

func newNormalization(ws *Workspace, rows, channels int, mean, invStd, gamma, beta []float32) normalization {
	return normalization{
		ws.repeated(0, rows, mean[:channels]), ws.repeated(1, rows, invStd[:channels]),
		ws.repeated(2, rows, gamma[:channels]), ws.repeated(3, rows, beta[:channels]),
	}
}

// run normalizes whole rows.
func (n *normalization) run(y, x []float32) { level.normalize(y, x, n.mean, n.invStd, n.gamma, n.beta) }

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
	mean, invStd = ws.repeated(0, rows, mean[:channels]), ws.repeated(1, rows, invStd[:channels])
	meanB, meanG, factor = ws.repeated(2, rows, meanB), ws.repeated(3, rows, meanG), ws.repeated(4, rows, factor)
	eachRows(rows, channels, func(lo, hi int) {
		level.normalizeGrad(dx[lo:hi], dy[lo:hi], x[lo:hi], mean, invStd, meanB, meanG, factor)
	})
}

// NormalizeFrozenGrad computes the gradients of [Normalize] where mean and invStd are constants (moving statistics):
// dx = dy*gamma*invStd; dgamma and dbeta as in [NormalizeGrad]. dx may be dy.
func NormalizeFrozenGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy, x, mean, invStd, gamma []float32) {
	normalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, x, mean, invStd)
	factor := ws.floats(channels)
	MulTo(factor, gamma, invStd)
	scaleRows(ws, rows, channels, dx, dy, factor)
}

func normalizeParamGrads(ws *Workspace, rows, channels int, dgamma, dbeta, dy, x, mean, invStd []float32) {
	sumChunks(ws, rows, channels, func(sum []float32, lo, hi int) {
		level.sumNormalized(hi-lo, sum[:channels], sum[channels:], dy[lo*channels:hi*channels], x[lo*channels:hi*channels], mean, invStd)
	}, dbeta, dgamma)
}

// MovingAverage updates moving = moving*momentum + batch*(1-momentum), elementwise over len(batch) elements, as Keras 3
// does with batch means and biased batch variances.
func MovingAverage(moving, batch []float32, momentum float32) {
	for i, v := range batch {
		moving[i] = float32(moving[i]*momentum) + float32(v*(1-momentum))
	}
}
