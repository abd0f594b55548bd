package f32

import (
	"math"
	"sync"
	"unsafe"

	"github.com/goqat/goqat/internal/kernels/window"
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// Packed is a convolution or dense layer whose weights and biases do not change. It is read-only.
//
// Routines read the taps of a pixel where they are: in the image, or in a copy of it with the padding around it. They read
// weights in panels of some output channels, [panels, taps, InC, width], and end each sum with bias and activation. A sum
// is the chain of [Conv2D].
type Packed struct {
	bordered
	w, bias []float32
	act     quant.Activation

	panels   []packedPanel // the ragged one first; none where the level has no routines
	limits   [3]float32    // lo, hi, zero
	flat     bool          // images side by side are one
	segments []int32       // in bytes, as pixels
	depth    int           // of a segment
	pixels   []int32
}

// bordered is images of a geometry, with the padding around them.
type bordered struct {
	g      Conv      // of a batch of 1
	line   int       // elements of a row
	copies bool      // an image has to be copied
	planes sync.Pool // of *[]float32: copies
}

// A packedPanel is the weights and biases of some output channels.
type packedPanel struct {
	*packedWidth
	first, count int // channels
	weights      []float32
	bias         []float32
	side         int // how many more panels of this kind lie behind it
}

// A packedWidth is the routines for panels of a width.
type packedWidth struct {
	width int
	tiles []packedTile // the tallest first, the last one of height 1
	pair  func(a *byte)
}

// A packedTile computes that many pixels at a time.
type packedTile struct {
	height int
	run    func(a *byte) // *packedArgs; a pair: one pixel, two panels
}

// packedArgs is the argument of packed routines, which know its layout.
type packedArgs struct {
	plane    *float32
	pixels   *int32
	count    int // of tiles
	segments *int32
	end      uintptr // behind the last segment
	depth    int
	weights  *float32
	panel    int // bytes to the next panel
	bias     *float32
	out      *float32
	stride   int // of out, in bytes
	limits   *float32
}

// word is the size of a float32.
const word = int(unsafe.Sizeof(float32(0)))

// packedWorkers recycles what goroutines need.
var packedWorkers = sync.Pool{New: func() any { return new(packedWorker) }}

type packedWorker struct {
	args packedArgs
	last [8]float32 // a pixel of a ragged panel
}

// A call of a routine does about so many multiply-adds at most, some tens of microseconds: a goroutine in a routine cannot
// be stopped.
const packedCall = 1 << 21

// NewConv2D prepares [Conv2D] for images of g's geometry, whose Batch does not count.
func NewConv2D(g Conv, w, bias []float32, act quant.Activation) *Packed {
	p := &Packed{w: w, bias: bias, act: act}
	p.surround(g)
	if len(level.packed) == 0 {
		return p
	}
	e := newEpilogue(act, nil)
	p.limits = [3]float32{e.lo, e.hi, e.zero}
	p.place()
	p.pack()
	return p
}

// NewFullyConnected prepares [FullyConnected].
func NewFullyConnected(in, out int, w, bias []float32, act quant.Activation) *Packed {
	return NewConv2D(Conv{Window: window.Window{Input: one, Output: one, Kernel: one, Stride: one, Dilation: one}, InC: in, OutC: out}, w, bias, act)
}

// surround sets the geometry.
func (b *bordered) surround(g Conv) {
	g.Batch = 1
	b.g, b.copies, b.line = g, !g.fits(), g.Input[1]*g.InC
	if b.copies {
		b.line = max(g.span(1, g.Output[1]), g.Pad[1]+g.Input[1]) * g.InC
	}
	b.planes.New = func() any {
		image := make([]float32, b.line*max(b.g.span(0, b.g.Output[0]), b.g.Pad[0]+b.g.Input[0]))
		return &image
	}
}

// load returns an image with its padding, and what to give back to free.
func (b *bordered) load(x []float32) (image []float32, copied *[]float32) {
	if !b.copies {
		return x, nil
	}
	copied = b.planes.Get().(*[]float32)
	row := b.g.Input[1] * b.g.InC
	at := b.g.Pad[0]*b.line + b.g.Pad[1]*b.g.InC
	for range b.g.Input[0] {
		copy((*copied)[at:at+row], x)
		at, x = at+b.line, x[row:]
	}
	return *copied, copied
}

func (b *bordered) free(copied *[]float32) {
	if copied != nil {
		b.planes.Put(copied)
	}
}

// place finds where pixels and segments are.
func (p *Packed) place() {
	g, line := &p.g, p.line
	if p.flat = g.pointwise(); p.flat {
		for i := range 64 {
			p.pixels = append(p.pixels, int32(word*i*g.InC))
		}
		p.segments, p.depth = []int32{0}, g.InC
		return
	}
	for y := range g.Output[0] {
		for x := range g.Output[1] {
			p.pixels = append(p.pixels, int32(word*(y*g.Stride[0]*line+x*g.Stride[1]*g.InC)))
		}
	}
	columns := 1
	if p.depth = g.Kernel[1] * g.InC; g.Dilation[1] > 1 {
		columns, p.depth = g.Kernel[1], g.InC
	}
	for y := range g.Kernel[0] {
		for x := range columns {
			p.segments = append(p.segments, int32(word*(y*g.Dilation[0]*line+x*g.Dilation[1]*g.InC)))
		}
	}
}

// pack makes the panels.
func (p *Packed) pack() {
	k := p.g.depth()
	for first := 0; first < p.g.OutC; {
		left, kind := p.g.OutC-first, len(level.packed)-1
		for kind > 0 && level.packed[kind].width > left {
			kind--
		}
		panel := packedPanel{packedWidth: &level.packed[kind], first: first}
		panel.count = min(panel.width, left)
		p.panels = append(p.panels, panel)
		first += panel.count
	}
	size := 0
	for _, panel := range p.panels {
		size += panel.width
	}
	weights, biases := make([]float32, size*k), make([]float32, size)
	for i := range p.panels {
		panel := &p.panels[i]
		n := panel.width
		panel.weights, weights = weights[:n*k], weights[n*k:]
		panel.bias, biases = biases[:n], biases[n:]
		for c := range panel.count {
			for t, v := range p.w[(panel.first+c)*k:][:k] {
				panel.weights[t*n+c] = v
			}
			if panel.bias[c] = float32(math.Copysign(0, -1)); p.bias != nil { // else nothing changes
				panel.bias[c] = p.bias[panel.first+c]
			}
		}
		for j := i - 1; j >= 0 && p.panels[j].width == n && panel.count == n; j-- {
			p.panels[j].side++
		}
	}
	// Routines write whole vectors. Behind the channels of a ragged panel are the first ones of the next pixel: others
	// write them later.
	if last := len(p.panels) - 1; p.panels[last].count < p.panels[last].width {
		ragged := p.panels[last]
		copy(p.panels[1:], p.panels[:last])
		p.panels[0] = ragged
	}
}

// Run computes y [batch, OutH, OutW, OutC] from x [batch, InH, InW, InC].
func (p *Packed) Run(ws *Workspace, batch int, y, x []float32) {
	g := p.g
	if p.panels == nil {
		if g.Batch = batch; p.dense() {
			FullyConnected(ws, batch, g.InC, g.OutC, y, x, p.w, p.bias, p.act)
		} else {
			Conv2D(ws, g, y, x, p.w, p.bias, p.act)
		}
		return
	}
	pixels := g.Positions()
	if p.flat {
		batch, pixels = 1, batch*pixels
	}
	if batch == 1 {
		p.image(y[:pixels*g.OutC], x, pixels, split(pixels, g.depth()*g.OutC))
		return
	}
	parts := split(batch, pixels*g.depth()*g.OutC)
	type args struct {
		p            *Packed
		y, x         []float32
		batch, parts int
	}
	parallel.Each(parts, parts, args{p, y, x, batch, parts}, func(a args, part, _ int) {
		in, out := a.p.g.InputLen(), a.p.g.OutputLen()
		lo, hi := parallel.Range(a.batch, a.parts, part)
		for n := lo; n < hi; n++ {
			a.p.image(a.y[n*out:][:out], a.x[n*in:][:in], a.p.g.Positions(), 1)
		}
	})
}

// dense says whether the geometry is that of a dense layer.
func (p *Packed) dense() bool { return p.g.Input == one && p.g.pointwise() }

// image computes one image of so many pixels, in parts.
func (p *Packed) image(y, x []float32, pixels, parts int) {
	x, copied := p.load(x)
	if parts == 1 {
		p.compute(y, x, 0, pixels)
	} else {
		type args struct {
			p             *Packed
			y, x          []float32
			pixels, parts int
		}
		parallel.Each(parts, parts, args{p, y, x, pixels, parts}, func(a args, part, _ int) {
			lo, hi := parallel.Range(a.pixels, a.parts, part)
			a.p.compute(a.y, a.x, lo, hi)
		})
	}
	p.free(copied)
}

// compute computes the pixels lo to hi-1. The last ones of a ragged panel go by way of other memory.
func (p *Packed) compute(y, x []float32, lo, hi int) {
	m, outC := packedWorkers.Get().(*packedWorker), p.g.OutC
	a := &m.args
	a.segments, a.end = &p.segments[0], uintptr(unsafe.Pointer(&p.segments[0]))+uintptr(4*len(p.segments))
	a.depth, a.limits, a.stride = p.depth, &p.limits[0], word*outC
	for i := 0; i < len(p.panels); i++ {
		panel := &p.panels[i]
		a.weights, a.bias = &panel.weights[0], &panel.bias[0]
		whole := hi
		if panel.count < panel.width {
			whole = max(lo, hi+1-(panel.first+panel.width+outC-1)/outC)
		}
		switch {
		case whole == lo+1 && panel.side > 0 && panel.pair != nil:
			a.panel = word * len(panel.weights)
			p.tile(a, panel.pair, y[panel.first:], x, lo, 1)
			i++
		case whole > lo:
			p.pixelRange(a, panel, y[panel.first:], x, lo, whole)
		}
		for ; whole < hi; whole++ {
			a.out, a.count = &m.last[0], 1
			p.start(a, x, whole)
			panel.tiles[len(panel.tiles)-1].run((*byte)(unsafe.Pointer(a)))
			copy(y[whole*outC+panel.first:][:panel.count], m.last[:])
		}
	}
	*a = packedArgs{}
	packedWorkers.Put(m)
}

// pixelRange computes the pixels lo to hi-1 of a panel in as tall tiles as there are, the last of which overlaps another
// one if it can.
func (p *Packed) pixelRange(a *packedArgs, panel *packedPanel, y, x []float32, lo, hi int) {
	tiles := panel.tiles
	for at := lo; at < hi; {
		t := 0
		for tiles[t].height > hi-lo || t+1 < len(tiles) && tiles[t+1].height >= hi-at {
			t++
		}
		height := tiles[t].height
		count := max(1, min((hi-at)/height, packedCall/(height*len(panel.weights))))
		if p.flat {
			count = min(count, len(p.pixels)/height)
		}
		at = min(at, hi-height)
		p.tile(a, tiles[t].run, y, x, at, count)
		at += count * height
	}
}

// tile runs tiles from a pixel on.
func (p *Packed) tile(a *packedArgs, run func(a *byte), y, x []float32, at, count int) {
	a.out, a.count = &y[at*p.g.OutC], count
	p.start(a, x, at)
	run((*byte)(unsafe.Pointer(a)))
}

// start sets the place of a pixel.
func (p *Packed) start(a *packedArgs, x []float32, at int) {
	if p.flat {
		a.plane, a.pixels = &x[at*p.g.InC], &p.pixels[0]
	} else {
		a.plane, a.pixels = &x[0], &p.pixels[at]
	}
}
