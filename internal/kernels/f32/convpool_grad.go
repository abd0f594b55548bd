package f32

import "github.com/goqat/goqat/internal/parallel"

// before computes the gradient before the pool, in the rows of block q.
func (q *poolBlock) before(strip, dy []float32, winners []int32) {
	q.pool.windowsOf(0, q.pool.Output[0], strip, func(at int, w windows) {
		at += q.at
		n := w.count * w.channels
		w.maxGrad(strip, dy[at:][:n], winners[at:][:n])
	})
}

// image computes the gradient before the pool of image b.
func (l *PooledConv) image(to, dy []float32, winners []int32, b int) {
	line := l.Output[1] * l.OutC
	for k := range l.blocks() {
		q := l.block(b, k)
		q.before(to[(q.row-b*l.Output[0])*line:][:q.pool.Input[0]*line], dy, winners)
	}
}

// Grad computes the gradients of the convolution's input, unless dx is nil, and of its weights and bias, as
// [Conv2DGrad] does of what [MaxPool2DGrad] and the gradient of the tail make of dy, the gradient of the pool's output. Where
// [PooledConv.Sparse] holds (but for dx of one channel) or dx is nil, the sums for dw and dbias are one chain per range of images,
// [PooledConv.GradChunks] of them. dbias may be nil.
func (l *PooledConv) Grad(ws *Workspace, dx, dw, dbias, x, dy []float32, winners []int32, w []float32) {
	single := l.InC == 1
	sparse := l.Sparse() && (dx == nil || !single)
	if dx != nil && !sparse {
		Conv2DGrad(ws, l.Conv, dx, dw, dbias, x, l.whole(dy, winners), w)
		return
	}
	chunks := l.GradChunks()
	n, per, part := l.WeightsLen(), l.strip()+l.gradScratch(), pooledGrad.chunk
	if sparse {
		per, part = l.sparseScratch(), pooledGrad.sparse
	}
	s := ws.floats(chunks*(n+l.OutC+per) + n)
	a := pooledGrad{l: l, chunks: chunks, per: per, dx: dx, x: x, dy: dy, w: w, winners: winners}
	a.scratch, s = s[:chunks*per], s[chunks*per:] // first, where it lies on a boundary
	a.sums, s = s[:chunks*n], s[chunks*n:]
	a.biases = s[:chunks*l.OutC]
	parallel.Each(chunks, chunks, a, part)
	addChunks(chunks, n, a.sums)
	switch {
	case sparse && single:
		transpose(l.depth(), l.OutC, dw, l.depth(), a.sums, l.OutC)
	case sparse:
		copy(dw, a.sums[:n])
	default:
		l.unpackGrad(dw, a.sums)
	}
	if dbias != nil {
		addChunks(chunks, l.OutC, a.biases)
		copy(dbias, a.biases[:l.OutC])
	}
}

// GradInput is Grad for dx alone.
func (l *PooledConv) GradInput(ws *Workspace, dx, dy []float32, winners []int32, w []float32) {
	Conv2DGradInput(ws, l.Conv, dx, l.whole(dy, winners), w)
}

// GradChunks is the number of ranges of images (divided as by parallel.Range) that [PooledConv.Grad] sums separately.
func (l *PooledConv) GradChunks() int {
	return split(l.Batch, l.imageCost())
}

// whole returns the gradient before the pool.
func (l *PooledConv) whole(dy []float32, winners []int32) []float32 {
	if l.full == nil {
		l.full = make([]float32, l.OutputLen())
	}
	type args struct {
		l       *PooledConv
		dy      []float32
		winners []int32
	}
	n := l.Positions() * l.OutC
	each(l.Batch, n*costMove, args{l, dy, winners}, func(a args, from, to int) {
		n := a.l.Positions() * a.l.OutC
		for b := from; b < to; b++ {
			a.l.image(a.l.full[b*n:][:n], a.dy, a.winners, b)
		}
	})
	return l.full
}

// pooledGrad is the arguments of Grad.
type pooledGrad struct {
	l                                   *PooledConv
	chunks, per                         int
	sums, biases, scratch, dx, x, dy, w []float32
	winners                             []int32
}

// chunk sums up some images.
func (a pooledGrad) chunk(c, _ int) {
	l, s := a.l, a.scratch[c*a.per:][:a.per]
	strip, s := s[:l.strip()], s[l.strip():]
	sum, bias := a.sums[c*l.WeightsLen():][:l.WeightsLen()], a.biases[c*l.OutC:][:l.OutC]
	clear(bias)
	from, to := parallel.Range(l.Batch, a.chunks, c)
	for b := from; b < to; b++ {
		for k := range l.blocks() {
			q := l.block(b, k)
			q.before(strip, a.dy, a.winners)
			pixels := q.pool.Input[0] * l.Output[1]
			first := q.row * l.Output[1]
			l.addGrad(sum, bias, s, a.x, strip, first, first+pixels, b > from || k > 0)
		}
	}
}

// Sparse says whether Grad multiplies no zeros: of the gradient before a pool of up to 2x2 only what the pool lets pass. The
// sum for an element of dx is one chain then: window after window in row-major order, in each of them 32 output channels after
// another, and of those tap of the window after tap, each with the channels whose maximum it is.
func (l *PooledConv) Sparse() bool {
	inside := true
	for axis := range 2 {
		inside = inside && l.Pad[axis] >= 0 && l.Pad[axis]+l.Input[axis] <= l.span(axis, l.Output[axis])
	}
	channels := l.InC%8 == 0 && l.OutC%8 == 0
	if l.InC == 1 { // routines read all of a window of 2x2
		channels = l.OutC >= 8 && l.Pool.Kernel == [2]int{2, 2} && l.Output[0]%2 == 0 && l.Output[1]%2 == 0
	}
	return inside && channels && l.Kernel == [2]int{3, 3} && l.Stride == one && l.Dilation == one &&
		l.Output[1] > 1 && max(l.Pool.Kernel[0], l.Pool.Kernel[1]) <= 2 && l.Pool.Pad == [2]int{}
}

// framed is the length of an image with its padding, a multiple of vectors.
func (l *PooledConv) framed() int {
	line := l.span(1, l.Output[1]) * l.InC
	return (l.span(0, l.Output[0])*line + line/2 + 15) &^ 15
}

// sparseScratch is the length of two such images, unless there is no padding.
func (l *PooledConv) sparseScratch() int {
	if l.fits() {
		return 0
	}
	return 2 * l.framed()
}

// sparse is one chunk where Sparse holds.
func (a pooledGrad) sparse(c, _ int) {
	l, s := a.l, a.scratch[c*a.per:][:a.per]
	sum, bias := a.sums[c*l.WeightsLen():][:l.WeightsLen()], a.biases[c*l.OutC:][:l.OutC]
	clear(sum)
	clear(bias)
	image := l.Pixels() * l.InC
	from, to := parallel.Range(l.Batch, a.chunks, c)
	for b := from; b < to; b++ {
		x, line := l.padded(s, a.x, b*l.Output[0], l.Output[0])
		var dx []float32
		if a.dx != nil {
			if dx = a.dx[b*image:][:image]; !l.fits() {
				dx = s[l.framed():]
			}
			clear(dx)
		}
		for k := range l.blocks() {
			q := l.block(b, k)
			top, p := (q.row-b*l.Output[0])*line, q.sparse(l, line)
			if l.InC == 1 {
				level.sparseOneChannel(sum, bias, x[top:], a.dy[q.at:], a.winners[q.at:], p)
			} else {
				level.sparseWeights(sum, bias, x[top:], a.dy[q.at:], a.winners[q.at:], p)
			}
			if dx != nil {
				level.sparseInput(dx[top:], a.dy[q.at:], a.winners[q.at:], a.w, p)
			}
		}
		if dx != nil && !l.fits() {
			l.unframe(a.dx[b*image:][:image], dx, line)
		}
	}
}

// unframe copies an image out of its padding.
func (l *PooledConv) unframe(image, frame []float32, line int) {
	n := l.Input[1] * l.InC
	for y := range l.Input[0] {
		copy(image[y*n:][:n], frame[(l.Pad[0]+y)*line+l.Pad[1]*l.InC:])
	}
}

// sparse describes windows of a pool behind a convolution of 3x3 taps, some rows of them, and where they lie: winners are
// elements of a strip of the convolution's output.
type sparse struct {
	outC, inC   int
	rows, count int    // windows
	apart       [2]int // pixels between them
	strip, line int    // elements of a row of the strip, and of the input
}

func (q *poolBlock) sparse(l *PooledConv, line int) sparse {
	return sparse{outC: l.OutC, inC: l.InC, rows: q.pool.Output[0], count: q.pool.Output[1], apart: l.Pool.Kernel,
		strip: l.Output[1] * l.OutC, line: line}
}

// won returns which tap of window i the maximum of channel o is, and the first element of the input under its kernel. The tap
// is below 0 where nothing passes.
func (p *sparse) won(winners []int32, i, o int) (tap, first int) {
	row, col := i/p.count*p.apart[0], i%p.count*p.apart[1]
	at := int(winners[i*p.outC+o]) - (row*p.strip + col*p.outC + o)
	if at < 0 {
		return -1, 0
	}
	down, right := at/p.strip, at%p.strip/p.outC
	return 2*down + right, (row+down)*p.line + (col+right)*p.inC
}

// sparseWeightsPortable adds to the gradients of weights and bias.
func sparseWeightsPortable(sum, bias, x, dy []float32, winners []int32, p sparse) {
	for o := range p.outC {
		for i := range p.rows * p.count {
			tap, first := p.won(winners, i, o)
			if tap < 0 {
				continue
			}
			d := dy[i*p.outC+o]
			bias[o] += d
			for t := range 9 {
				s, x := sum[(9*o+t)*p.inC:][:p.inC], x[first+t/3*p.line+t%3*p.inC:]
				for c := range s {
					s[c] += float32(x[c] * d)
				}
			}
		}
	}
}

// sparseInputPortable adds to the gradient of the input within its padding.
func sparseInputPortable(dx, dy []float32, winners []int32, w []float32, p sparse) {
	for i := range p.rows * p.count {
		for some := 0; some < p.outC; some += 32 {
			for tap := range 4 {
				for o := some; o < min(some+32, p.outC); o++ {
					won, first := p.won(winners, i, o)
					if won != tap {
						continue
					}
					for t := range 9 {
						dx, w := dx[first+t/3*p.line+t%3*p.inC:], w[(9*o+t)*p.inC:][:p.inC]
						for c, v := range w {
							dx[c] += float32(v * dy[i*p.outC+o])
						}
					}
				}
			}
		}
	}
}

// sparseOneChannelPortable is sparseWeightsPortable for one input channel, whose sums are [taps, OutC]; where nothing passes, it
// multiplies the first tap with 0.
func sparseOneChannelPortable(sum, bias, x, dy []float32, winners []int32, p sparse) {
	for i := range p.rows * p.count {
		for o := range p.outC {
			d := dy[i*p.outC+o]
			tap, first := p.won(winners, i, o)
			if tap < 0 {
				d, first = 0, i/p.count*p.apart[0]*p.line+i%p.count*p.apart[1]
			}
			bias[o] += d
			for t := range 9 {
				sum[t*p.outC+o] += float32(x[first+t/3*p.line+t%3] * d)
			}
		}
	}
}
