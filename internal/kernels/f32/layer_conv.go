package f32

import (
	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/quant"
)

// Layer returns the convolution as a layer.
func (g Conv) Layer() *Layer {
	image := g
	image.Batch = 1
	k := &convBlocks{g: image}
	l := &Layer{
		kernel: k, weights: g.WeightsLen(), batch: g.Batch, perImage: 1, unit: 1,
		groups: split(g.Batch, g.Positions()*(g.depth()*g.OutC+layerMoves*g.OutC)),
	}
	l.in.pixels, l.in.channels = g.Pixels(), g.InC
	l.out.pixels, l.out.channels = g.Positions(), g.OutC
	if g.pointwise() {
		k.pointwise = true
		l.perImage, l.unit = g.Pixels(), min(pixelBlock, g.Pixels())
		l.in.pixels, l.out.pixels = 1, 1
	}
	at := 0
	for p := range g.Phases() {
		q := Conv{Window: p.Window, Batch: 1, InC: g.OutC, OutC: g.InC}
		k.phases = append(k.phases, convPhase{p, q, at})
		at += q.WeightsLen()
	}
	return l
}

// layerMoves is the cost of the work on a layer's output, in multiply-adds per element: that of some normalizations.
const layerMoves = 4 * costMove

// pixelBlock is the number of pixels that are worked on at a time where each is by itself: four tiles, so that with some
// dozen channels all there is to them stays in the first-level cache.
const pixelBlock = 56

// convBlocks are convolutions of single images, or of some pixels.
type convBlocks struct {
	g         Conv // of one image
	pointwise bool
	phases    []convPhase
}

// convPhase is a phase of the gradient of the input: a convolution whose weights begin at an index of all turned ones.
type convPhase struct {
	window.Phase
	q     Conv
	first int
}

func (k *convBlocks) pack(packed, w []float32) {
	transpose(k.g.OutC, k.g.depth(), packed, k.g.OutC, w, k.g.depth())
}

func (k *convBlocks) turn(turned, w []float32) {
	for i := range k.phases {
		p := &k.phases[i]
		k.g.turn(turned[p.first:], &p.Phase, w)
	}
}

func (k *convBlocks) unpack(dw, sum []float32) { k.g.unpackGrad(dw, sum) }

func (k *convBlocks) forward(y []float32, x plane, packed, scratch []float32, e epilogue, n int) {
	g := &k.g
	if k.pointwise {
		gemm(n, g.OutC, g.InC, y, g.OutC, matrix{data: x.data, row: g.InC, step: 1}, packed, g.OutC, false)
		e.finish(y[:n*g.OutC], y[:n*g.OutC])
		return
	}
	convolution{*g, 1, scratch, x.data, packed, outlet{epilogue: e, dst: y}}.whole()
}

func (k *convBlocks) gradWeights(sum []float32, x, dy plane, scratch []float32, n int, add bool) {
	g := &k.g
	switch {
	case !k.pointwise:
		g.addGrad(sum, nil, scratch, x.data, dy.data, 0, g.rows(), add)
	case Fused(): // as addGrad has it
		gemm(g.InC, g.OutC, n, sum, g.OutC, matrix{data: x.data, row: 1, step: g.InC}, dy.data, g.OutC, add)
	default:
		gemm(g.OutC, g.InC, n, sum, g.InC, matrix{data: dy.data, row: 1, step: g.OutC}, x.data, g.InC, add)
	}
}

func (k *convBlocks) gradInput(dx []float32, dy plane, turned, scratch []float32, n int) {
	g := &k.g
	if k.pointwise {
		gemm(n, g.InC, g.OutC, dx, g.InC, matrix{data: dy.data, row: g.OutC, step: 1}, turned, g.InC, false)
		return
	}
	none := newEpilogue(quant.NoActivation, nil)
	for i := range k.phases {
		p := &k.phases[i]
		out := outlet{epilogue: none, image: dx, phase: p.Phase, pixels: g.Pixels()}
		if p.Taps() == 0 {
			nothing := scratch[:g.InC]
			clear(nothing)
			for row := range p.q.rows() {
				out.place(row, nothing)
			}
			continue
		}
		if g.Stride == one {
			out.dst = dx
		}
		convolution{p.q, 1, scratch, dy.data, turned[p.first:][:p.q.WeightsLen()], out}.whole()
	}
}

// whole does all of a convolution on the calling goroutine.
func (c convolution) whole() {
	if c.g.implicit() {
		c.implicit(0, 0)
	} else {
		c.gathered(0, 0)
	}
}

func (k *convBlocks) scratchLen() int {
	n := max(k.g.gradScratch(), k.g.blockScratch(true), k.g.InC)
	for i := range k.phases {
		if k.phases[i].Taps() > 0 {
			n = max(n, k.phases[i].q.blockScratch(k.g.Stride == one))
		}
	}
	return n
}

// blockScratch is the length of the scratch memory of whole.
func (g Conv) blockScratch(placed bool) int {
	var dst []float32
	if placed {
		dst = []float32{}
	}
	if g.implicit() {
		return g.implicitScratch(dst)
	}
	return g.gatheredScratch(dst)
}
