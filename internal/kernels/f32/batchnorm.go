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
	sumChunks(ws, rows, channels, sums{x: x, mean: mean}, func(s sums, sum []float32, lo, hi int) {
		level.sumSquares(hi-lo, sum, s.rows(s.x, lo, hi), s.mean)
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
	a := affine{channels, y, x, factor, shift}
	each(rows, channels*costMove, a, func(a affine, from, to int) {
		lo, hi := from*a.channels, to*a.channels
		level.affine(a.y[lo:hi], a.x[lo:hi], a.factor, a.shift)
	})
}

// AffineGrad computes the gradients of [Affine]: dx = dy*factor, dfactor = sum(dy*x), dshift = sum(dy), with sums over
// the rows as in [SumRows]. A nil gradient is not computed. Shapes as in [Affine]. dx may be dy.
func AffineGrad(ws *Workspace, rows, channels int, dx, dfactor, dshift, dy, x, factor []float32) {
	if dshift != nil {
		SumRows(ws, rows, channels, dshift, dy)
	}
	if dfactor != nil {
		sumChunks(ws, rows, channels, sums{dy: dy, x: x}, func(s sums, sum []float32, lo, hi int) {
			level.sumProducts(hi-lo, sum, s.rows(s.dy, lo, hi), s.rows(s.x, lo, hi))
		}, dfactor)
	}
	if dx != nil {
		scaleRows(ws, rows, channels, dx, dy, factor)
	}
}

// scaleRows computes y = x*factor per channel.
func scaleRows(ws *Workspace, rows, channels int, y, x, factor []float32) {
	factor = ws.repeated(0, rows, factor[:channels])
	each(rows, channels*costMove, affine{channels, y, x, factor, nil}, func(a affine, from, to int) {
		lo, hi := from*a.channels, to*a.channels
		level.scaleRows(a.y[lo:hi], a.x[lo:hi], a.factor)
	})
}

// affine is the arguments of Affine.
type affine struct {
	channels            int
	y, x, factor, shift []float32
}

// Normalize computes y = (x-mean)*invStd*gamma + beta per channel. It may work in place.
// Shapes: y, x [rows, channels]; mean, invStd, gamma, beta [channels].
func Normalize(ws *Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32) {
	n := newNormalization(ws, rows, channels, y, x, mean, invStd, gamma, beta)
	each(rows, channels*costMove, n, normalization.run)
}

// NormalizeTail computes [Normalize] and runs t on y as [Tail.Run] does, block by block.
func NormalizeTail(ws *Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32, t *Tail, mask []uint8) (lo, hi float32, nan bool) {
	block := 8 * max(1, (4<<10)/(8*channels)) // rows, so that a block is whole bytes of the mask
	blocks := (rows + block - 1) / block
	parts := split(blocks, block*channels*costUpdate)
	t.begin(parts)
	parallel.Each(parts, parts, normalizeTail{
		newNormalization(ws, rows, channels, y, x, mean, invStd, gamma, beta), t, mask, rows, block, blocks, parts,
	}, normalizeTail.part)
	return t.end(parts)
}

// normalizeTail is the arguments of NormalizeTail.
type normalizeTail struct {
	normalization
	t                          *Tail
	mask                       []uint8
	rows, block, blocks, parts int
}

func (n normalizeTail) part(p, _ int) {
	from, to := parallel.Range(n.blocks, n.parts, p)
	for b := from; b < to; b++ {
		i, j := b*n.block, min((b+1)*n.block, n.rows)
		n.run(i, j)
		n.t.run(p, n.y, i*n.channels, j*n.channels, n.mask)
	}
}

// normalization is the arguments of [Normalize], parameters repeated.
type normalization struct {
	channels                        int
	y, x, mean, invStd, gamma, beta []float32
}

func newNormalization(ws *Workspace, rows, channels int, y, x, mean, invStd, gamma, beta []float32) normalization {
	return normalization{
		channels, y, x,
		ws.repeated(0, rows, mean[:channels]), ws.repeated(1, rows, invStd[:channels]),
		ws.repeated(2, rows, gamma[:channels]), ws.repeated(3, rows, beta[:channels]),
	}
}

// run normalizes the rows from to to-1.
func (n normalization) run(from, to int) {
	i, j := from*n.channels, to*n.channels
	level.normalize(n.y[i:j], n.x[i:j], n.mean, n.invStd, n.gamma, n.beta)
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
	mean, invStd = ws.repeated(0, rows, mean[:channels]), ws.repeated(1, rows, invStd[:channels])
	meanB, meanG, factor = ws.repeated(2, rows, meanB), ws.repeated(3, rows, meanG), ws.repeated(4, rows, factor)
	type args struct {
		channels                                      int
		dx, dy, x, mean, invStd, meanB, meanG, factor []float32
	}
	each(rows, channels*costMove, args{channels, dx, dy, x, mean, invStd, meanB, meanG, factor}, func(a args, from, to int) {
		i, j := from*a.channels, to*a.channels
		level.normalizeGrad(a.dx[i:j], a.dy[i:j], a.x[i:j], a.mean, a.invStd, a.meanB, a.meanG, a.factor)
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
	s := sums{dy: dy, x: x, mean: mean, invStd: invStd}
	sumChunks(ws, rows, channels, s, func(s sums, sum []float32, lo, hi int) {
		level.sumNormalized(hi-lo, sum[:s.cols], sum[s.cols:], s.rows(s.dy, lo, hi), s.rows(s.x, lo, hi), s.mean, s.invStd)
	}, dbeta, dgamma)
}

// MovingAverage updates moving = moving*momentum + batch*(1-momentum), elementwise over len(batch) elements, as Keras 3
// does with batch means and biased batch variances.
func MovingAverage(moving, batch []float32, momentum float32) {
	for i, v := range batch {
		moving[i] = float32(moving[i]*momentum) + float32(v*(1-momentum))
	}
}
