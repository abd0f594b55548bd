package f32

import (
	"github.com/goqat/goqat/internal/parallel"
	"github.com/goqat/goqat/quant"
)

// A Layer is a convolution that works block by block together with the normalizations beside it ([Norm]): a block is an
// image, or fewer pixels where every pixel is by itself, and all that is done with it is done while it is in the cache.
//
// Sums over the batch, those of the normalizations included, are one chain per group of images, and the groups are added
// in order.
type Layer struct {
	kernel  blockKernel
	weights int
	groups  int

	batch, perImage int // images, and blocks' units in each
	unit            int // of these in a block
	in, out         struct{ pixels, channels int }
	x, dy           frame // where blocks of the input and of the gradient of the output lie
}

// A blockKernel is a convolution of single blocks on the calling goroutine.
type blockKernel interface {
	// pack and turn write the weights as forward and gradInput read them.
	pack(packed, w []float32)
	turn(turned, w []float32)
	// unpack writes sums of gradWeights in the order of the weights.
	unpack(dw, sum []float32)

	// forward computes n pixels of the output; gradWeights adds what they contribute, or sets sum to it; gradInput
	// computes n pixels of the gradient of the input. Single blocks of images are whole.
	forward(y []float32, x plane, packed, scratch []float32, e epilogue, n int)
	gradWeights(sum []float32, x, dy plane, scratch []float32, n int, add bool)
	gradInput(dx []float32, dy plane, turned, scratch []float32, n int)
	scratchLen() int
}

// A frame says how much room a block has around it: none, where it is read from where it lies.
type frame struct {
	before, size  [2]int // rows and columns
	height, width int    // of the block
	channels      int
}

// length is the number of elements of a block in its frame; 0 for none.
func (f *frame) length() int { return f.size[0] * f.size[1] * f.channels }

// room takes memory for a block of so many elements off scratch: in a frame of zeros, if it has one.
func (f *frame) room(scratch *[]float32, elements int) plane {
	if n := f.length(); n > 0 {
		data, line := (*scratch)[:n], f.size[1]*f.channels
		*scratch = (*scratch)[n:]
		block := plane{data: data[f.before[0]*line+f.before[1]*f.channels:], width: f.width * f.channels, line: line, frame: data}
		at := 0 // where zeros begin
		for row := range f.height {
			first := (f.before[0]+row)*line + f.before[1]*f.channels
			clear(data[at:first])
			at = first + block.width
		}
		clear(data[at:])
		return block
	}
	block := plane{data: (*scratch)[:elements]}
	*scratch = (*scratch)[elements:]
	return block
}

// Forward computes the convolution y of x, act included, or, unless before is nil, of what before's tail makes of its X, and the moments
// of y for behind unless that is nil, whose X is y. Shapes as in the kernel that the layer was made of.
func (l *Layer) Forward(ws *Workspace, y, x, w, bias []float32, act quant.Activation, before, behind *Norm) {
	p := pass{l: l, y: y, x: x, before: before, behind: behind, e: newEpilogue(act, ws.repeated(0, l.batch*l.out.pixels, bias))}
	if behind != nil {
		p.sums = 3 * l.out.channels
	}
	p.buffers(ws)
	l.kernel.pack(p.packed, w)
	if before != nil {
		before.begin(l.groups)
	}
	parallel.Each(l.groups, l.groups, p, pass.forward)
	if before != nil {
		before.end(l.groups)
	}
	if behind != nil {
		mergeMoments(behind.Mean, behind.Variance, p.summed, l.batch, l.perImage*l.out.pixels, l.groups)
	}
}

// Backward computes the gradients of [Layer.Forward]: of weights, bias and input, each unless it is nil. The gradient of the output is dy, or, unless behind is nil, what behind makes of its own; then dx may be behind's DY if
// input and output are of one size. dx is before's DY, and before gets the gradients of its parameters.
func (l *Layer) Backward(ws *Workspace, dx, dw, dbias, x, dy, w []float32, before, behind *Norm) {
	p := pass{l: l, x: x, dx: dx, dy: dy, before: before, behind: behind, trained: dw != nil, biased: dbias != nil}
	p.sums = l.weights + l.out.channels
	if before != nil {
		before.DY = dx
		p.sums += 2 * l.in.channels
	}
	p.buffers(ws)
	l.kernel.turn(p.packed, w)
	if behind != nil {
		behind.beginGrad()
	}
	parallel.Each(l.groups, l.groups, p, pass.backward)
	sum := p.summed[:p.sums]
	for g := 1; g < l.groups; g++ {
		level.add(sum, sum, p.summed[g*p.sums:][:p.sums])
	}
	if dw != nil {
		l.kernel.unpack(dw, sum)
	}
	if dbias != nil {
		copy(dbias, sum[l.weights:][:l.out.channels])
	}
	if before != nil {
		sum = sum[l.weights+l.out.channels:]
		copy(before.DBeta, sum)
		copy(before.DGamma, sum[l.in.channels:])
	}
}

// pass is the arguments of one of the two.
type pass struct {
	l              *Layer
	y, x, dx, dy   []float32
	before, behind *Norm
	e              epilogue
	// Of weights and bias.
	trained, biased bool

	packed, scratch, summed []float32
	per, sums               int // of a group: scratch memory and sums
}

// buffers divides the scratch memory.
func (p *pass) buffers(ws *Workspace) {
	l := p.l
	p.per = max(l.x.length(), l.inElements()) + max(l.dy.length(), l.outElements()) + l.kernel.scratchLen()
	s := ws.floats(l.weights + l.groups*(p.per+p.sums))
	p.packed, s = s[:l.weights], s[l.weights:]
	p.summed, p.scratch = s[:l.groups*p.sums], s[l.groups*p.sums:]
}

// inElements and outElements are those of a block.
func (l *Layer) inElements() int  { return l.unit * l.in.pixels * l.in.channels }
func (l *Layer) outElements() int { return l.unit * l.out.pixels * l.out.channels }

// part returns a group's scratch memory, sums and units.
func (p *pass) part(g int) (scratch, sums []float32, from, to int) {
	from, to = parallel.Range(p.l.batch, p.l.groups, g)
	return p.scratch[g*p.per:][:p.per], p.summed[g*p.sums:][:p.sums], from * p.l.perImage, to * p.l.perImage
}

// forward does one group.
func (p pass) forward(g, _ int) {
	l := p.l
	scratch, sums, from, to := p.part(g)
	room := l.x.room(&scratch, l.inElements())
	for at := from; at < to; at += l.unit {
		n := min(l.unit, to-at)
		out := p.y[at*l.out.pixels*l.out.channels:]
		l.kernel.forward(out, p.input(room, g, at, n, true), p.packed, scratch, p.e, n*l.out.pixels)
	}
	if p.behind != nil {
		lo, hi := from*l.out.pixels, to*l.out.pixels
		moments(sums, hi-lo, l.out.channels, p.y[lo*l.out.channels:hi*l.out.channels])
	}
}

// input returns a block of the input, in room unless it can be read where it lies.
func (p *pass) input(room plane, g, at, n int, observe bool) plane {
	l := p.l
	lo, hi := at*l.in.pixels, (at+n)*l.in.pixels
	if p.before != nil {
		p.before.run(g, room, lo, hi, observe)
		return room
	}
	return room.hold(p.x[lo*l.in.channels : hi*l.in.channels])
}

// hold returns x itself, or a copy in the frame of p.
func (p plane) hold(x []float32) plane {
	if p.line == 0 {
		return plane{data: x}
	}
	for to := p; len(x) > 0; to.advance() {
		copy(to.data[:p.width], x)
		x = x[p.width:]
	}
	return p
}

// backward does one group.
func (p pass) backward(g, _ int) {
	l := p.l
	scratch, sums, from, to := p.part(g)
	x := l.x.room(&scratch, l.inElements())
	dy := l.dy.room(&scratch, l.outElements())
	clear(sums)
	dw, dbias := sums[:l.weights], sums[l.weights:][:l.out.channels]
	params := sums[l.weights+l.out.channels:]
	for at := from; at < to; at += l.unit {
		n := min(l.unit, to-at)
		lo, hi := at*l.out.pixels, (at+n)*l.out.pixels
		block := dy
		if p.behind != nil {
			p.behind.grad(dy, lo, hi)
		} else {
			block = dy.hold(p.dy[lo*l.out.channels : hi*l.out.channels])
		}
		if p.biased {
			for rows, at := hi-lo, block; rows > 0; at.advance() {
				k := rows
				if at.line > 0 {
					k = at.width / l.out.channels
				}
				level.sumRows(k, dbias, at.data)
				rows -= k
			}
		}
		if p.trained {
			l.kernel.gradWeights(dw, p.input(x, g, at, n, false), block, scratch, n*l.out.pixels, at > from)
		}
		if p.dx == nil {
			continue
		}
		lo, hi = at*l.in.pixels, (at+n)*l.in.pixels
		l.kernel.gradInput(p.dx[lo*l.in.channels:hi*l.in.channels], block, p.packed, scratch, n*l.in.pixels)
		if p.before != nil {
			p.before.addParamGrads(params[:l.in.channels], params[l.in.channels:], lo, hi)
		}
	}
}
