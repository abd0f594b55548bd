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

// Moments computes each channel's mean and biased variance over the rows of x [rows, channels]. The sums are those of
// [RowChunks] chunks k of n_k rows, each by itself, as they are in the cache then:
//
//	mean = sum(x)/rows, variance = sum over k of (sum((x-mean_k)^2) + n_k*(mean_k-mean)^2) / rows
func Moments(ws *Workspace, rows, channels int, mean, variance, x []float32) {
	type args struct {
		s, x           []float32
		rows, channels int
	}
	chunks := RowChunks(rows, channels)
	s := ws.floats(3 * chunks * channels)
	parallel.Each(chunks, chunks, args{s, x, rows, channels}, func(a args, p, to int) {
		for ; p < to; p++ {
			lo, hi := parallel.Range(a.rows, len(a.s)/(3*a.channels), p)
			moments(a.s[3*p*a.channels:], hi-lo, a.channels, a.x[lo*a.channels:hi*a.channels])
		}
	})
	mergeMoments(mean[:channels], variance[:channels], s, rows, 1, chunks)
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

// NormalizeGrad computes the gradients of [Normalize] where mean and invStd are those of x itself ([Moments]), from what
// mask passes of dy, all for a mask of nil:
//
//	xhat = (x-mean)*invStd,  dgamma = sum(dy*xhat),  dbeta = sum(dy)
//	dx   = gamma*invStd * (dy - dbeta/rows - xhat*dgamma/rows)
//
// with sums over the rows as in [SumRows]. Shapes as in [Normalize]; mask as in [FakeQuantizeGrad]. dx may be dy.
func NormalizeGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy []float32, mask []uint8, x, mean, invStd, gamma []float32) {
	dy, mask = passed(channels, dx[:rows*channels], dy, mask)
	NormalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, mask, x, mean, invStd)
	params := ws.floats(5 * channels)
	gradParams(params, rows, mean, invStd, dbeta, dgamma, gamma)
	if mask != nil {
		type args struct {
			channels          int
			dx, dy, x, params []float32
			mask              []uint8
		}
		each(rows, channels*costMove, args{channels, dx, dy, x, params, mask}, func(a args, from, to int) {
			i, j, p := from*a.channels, to*a.channels, patch{lines: 1, pixels: to - from, channels: a.channels}
			level.normalizeMaskedGrad(a.dx[i:j], a.dy[i:j], a.mask[i/8:j/8], a.x[i:j], a.params, a.channels, p)
		})
		return
	}
	var p [5][]float32 // repeated
	for i := range p {
		p[i] = ws.repeated(i, rows, params[i*channels:][:channels])
	}
	type args struct {
		channels  int
		dx, dy, x []float32
		p         [5][]float32
	}
	each(rows, channels*costMove, args{channels, dx, dy, x, p}, func(a args, from, to int) {
		i, j := from*a.channels, to*a.channels
		level.normalizeGrad(a.dx[i:j], a.dy[i:j], a.x[i:j], a.p[0], a.p[1], a.p[2], a.p[3], a.p[4])
	})
}

// passed returns dy and mask, or, where rows are no whole bytes of a mask, what it passes, in dx, and none.
func passed(channels int, dx, dy []float32, mask []uint8) ([]float32, []uint8) {
	if mask == nil || channels%8 == 0 {
		return dy, mask
	}
	FakeQuantizeGrad(dx, dy, mask)
	return dx, nil
}

// NormalizeFrozenGrad computes the gradients of [Normalize] where mean and invStd are constants (moving statistics):
// dx = dy*gamma*invStd; dgamma and dbeta as in [NormalizeGrad]. dx may be dy.
func NormalizeFrozenGrad(ws *Workspace, rows, channels int, dx, dgamma, dbeta, dy []float32, mask []uint8, x, mean, invStd, gamma []float32) {
	if mask != nil {
		FakeQuantizeGrad(dx[:rows*channels], dy, mask)
		dy = dx
	}
	NormalizeParamGrads(ws, rows, channels, dgamma, dbeta, dy, nil, x, mean, invStd)
	factor := ws.floats(channels)
	MulTo(factor, gamma, invStd)
	scaleRows(ws, rows, channels, dx, dy, factor)
}

// NormalizeParamGrads computes dgamma and dbeta as [NormalizeGrad] does. A mask needs a multiple of eight channels.
func NormalizeParamGrads(ws *Workspace, rows, channels int, dgamma, dbeta, dy []float32, mask []uint8, x, mean, invStd []float32) {
	s := sums{dy: dy, x: x, mean: mean, invStd: invStd, mask: mask}
	sumChunks(ws, rows, channels, s, func(s sums, sum []float32, lo, hi int) {
		sum, products := sum[:s.cols], sum[s.cols:]
		dy, x := s.rows(s.dy, lo, hi), s.rows(s.x, lo, hi)
		if s.mask != nil {
			level.sumMaskedNormalized(hi-lo, sum, products, dy, s.mask[lo*s.cols/8:hi*s.cols/8], x, s.mean, s.invStd, s.cols)
			return
		}
		level.sumNormalized(hi-lo, sum, products, dy, x, s.mean, s.invStd)
	}, dbeta, dgamma)
}

// MovingAverage updates moving = moving*momentum + batch*(1-momentum), elementwise over len(batch) elements, as Keras 3
// does with batch means and biased batch variances.
func MovingAverage(moving, batch []float32, momentum float32) {
	for i, v := range batch {
		moving[i] = float32(moving[i]*momentum) + float32(v*(1-momentum))
	}
}
