package f32

import (
	"math"

	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// PackedDepthwise is a depthwise convolution whose weights and biases do not change. It is read-only.
type PackedDepthwise struct {
	bordered
	depthwise Depthwise
	w, bias   []float32
	act       quant.Activation
	limits    limits
}

// NewDepthwiseConv2D prepares [DepthwiseConv2D] for images of g's geometry, whose Batch does not count.
func NewDepthwiseConv2D(g Depthwise, w, bias []float32, act quant.Activation) *PackedDepthwise {
	e := newEpilogue(act, nil)
	p := &PackedDepthwise{depthwise: g, w: w, bias: bias, act: act, limits: e.limits()}
	p.surround(g.conv())
	if bias == nil && act != quant.NoActivation {
		p.bias = negativeZeros(make([]float32, p.g.OutC))
	}
	return p
}

// negativeZeros sets biases that change nothing.
func negativeZeros(bias []float32) []float32 {
	for i := range bias {
		bias[i] = float32(math.Copysign(0, -1))
	}
	return bias
}

// Run computes y [batch, OutH, OutW, OutC] from x [batch, InH, InW, Channels].
func (p *PackedDepthwise) Run(ws *Workspace, batch int, y, x []float32) {
	if p.depthwise.Multiplier > 1 {
		g := p.depthwise
		g.Batch = batch
		DepthwiseConv2D(ws, g, y, x, p.w, p.bias, p.act)
		return
	}
	rows, cost := p.g.Output[0], p.g.Output[1]*p.g.depth()
	if batch == 1 {
		p.image(y, x, split(rows, cost))
		return
	}
	parts := split(batch, rows*cost)
	type args struct {
		p            *PackedDepthwise
		y, x         []float32
		batch, parts int
	}
	parallel.Each(parts, parts, args{p, y, x, batch, parts}, func(a args, part, _ int) {
		in, out := a.p.g.InputLen(), a.p.g.OutputLen()
		lo, hi := parallel.Range(a.batch, a.parts, part)
		for n := lo; n < hi; n++ {
			a.p.image(a.y[n*out:][:out], a.x[n*in:][:in], 1)
		}
	})
}

// image computes one image, with its rows in parts.
func (p *PackedDepthwise) image(y, x []float32, parts int) {
	x, copied := p.load(x)
	if parts == 1 {
		p.rows(y, x, 0, p.g.Output[0])
	} else {
		type args struct {
			p     *PackedDepthwise
			y, x  []float32
			parts int
		}
		parallel.Each(parts, parts, args{p, y, x, parts}, func(a args, part, _ int) {
			lo, hi := parallel.Range(a.p.g.Output[0], a.parts, part)
			a.p.rows(a.y, a.x, lo, hi)
		})
	}
	p.free(copied)
}

// rows computes the output rows lo to hi-1.
func (p *PackedDepthwise) rows(y, x []float32, lo, hi int) {
	g := &p.g
	s := g.strip(p.line, g.OutC)
	s.below = g.Stride[0]*p.line - s.count*s.step
	for most := max(1, packedCall/(s.count*g.depth())); lo < hi; lo += s.lines {
		s.lines = min(most, hi-lo)
		level.depthwise(y[lo*s.count*g.OutC:], x[lo*g.Stride[0]*p.line:], p.w, p.bias, p.limits, s)
	}
}
