package f32

import "github.com/goqat/goqat/internal/parallel"

// Convolutions are matrix products whose left operand, the taps of each output pixel, need not be made: the taps of one
// kernel row are neighbours in the image, so that a tile reads them there, a segment per kernel row ([matrix]). Images
// are first copied with the padding around them where there is any, some rows at a time. Levels that need both operands
// along the sum gather the taps instead (im2col).

// product computes (taps of x) * w on all cores, where w is [taps, InC, OutC], and lets out take the pixels, some rows
// [hi-lo, OutC] at a time.
func (g Conv) product(scratch, x, w []float32, out outlet) {
	parts := g.productParts()
	c := convolution{g, parts, scratch, x, w, out}
	if g.implicit() {
		parallel.Each(parts, parts, c, convolution.implicit)
	} else {
		parallel.Each(parts, parts, c, convolution.gathered)
	}
}

// convolution is the arguments of product.
type convolution struct {
	g             Conv
	parts         int
	scratch, x, w []float32
	out           outlet
}

// implicit does one part.
func (c convolution) implicit(p, _ int) {
	g, out := &c.g, &c.out
	width, high, per := g.Output[1], g.rowBlock(), g.implicitScratch(out.dst)
	s := c.scratch[p*per:][:per]
	img, rows := s[:g.paddedLen(high)], s[g.paddedLen(high):]
	from, to := parallel.Range(g.Batch*g.Output[0], c.parts, p)
	g.blocks(img, c.x, from, to, func(a []float32, line, row, n int) {
		d := rows
		if out.dst != nil {
			d = out.dst[row*width*g.OutC:]
		}
		g.multiply(d, a, line, n, c.w)
		out.take(d[:n*width*g.OutC], row*width, (row+n)*width)
	})
}

// multiply computes n rows of output pixels, whose input is a, of rows of length line.
func (g *Conv) multiply(d, a []float32, line, n int, w []float32) {
	if g.oneChannel() {
		level.oneChannel(d, a, w, g.pixels(line, n, g.Output[1]))
		return
	}
	m, calls := g.Output[1], n
	if g.pointwise() {
		m, calls = n*g.Output[1], 1
	}
	for i := range calls {
		gemm(m, g.OutC, g.Kernel[1]*g.InC, d[i*m*g.OutC:], g.OutC, matrix{
			data: a[i*g.Stride[0]*line:], row: g.Stride[1] * g.InC, step: 1, segments: g.Kernel[0], jump: g.Dilation[0] * line,
		}, w, g.OutC, false)
	}
}

// oneChannel says whether there are routines for just this kernel.
func (g *Conv) oneChannel() bool {
	return level.oneChannel != nil && g.Kernel == [2]int{3, 3} && g.Dilation == one && g.InC == 1 && g.OutC >= 8
}

// pixels are count pixels of each of some rows of the output of a convolution of one channel. Their windows are step apart
// in a row, whose next one is down elements on; rows of a window are line apart.
type pixels struct{ rows, count, step, line, down, channels int }

func (g *Conv) pixels(line, rows, count int) pixels {
	return pixels{rows: rows, count: count, step: g.Stride[1], line: line, down: g.Stride[0] * line, channels: g.OutC}
}

// compute computes n rows of output pixels of one image from row (batch*OutH + oy) on.
func (g *Conv) compute(d, scratch, x, w []float32, row, n int) {
	if g.implicit() {
		a, line := g.padded(scratch, x, row, n)
		g.multiply(d, a, line, n, w)
		return
	}
	first, last := row*g.Output[1], (row+n)*g.Output[1]
	for lo := first; lo < last; lo += g.block() {
		hi := min(lo+g.block(), last)
		g.multiplyGathered(d[(lo-first)*g.OutC:], scratch, x, w, lo, hi)
	}
}

// rowsScratch is the length of compute's scratch memory.
func (g *Conv) rowsScratch(n int) int {
	if g.implicit() {
		return g.paddedLen(n)
	}
	return g.block() * g.depth()
}

// blocks calls f for the output rows (batch*OutH + oy) from to to-1, some of one image at a time: n from row on, whose
// input is a, of rows of length line. image is scratch memory.
func (g *Conv) blocks(image, x []float32, from, to int, f func(a []float32, line, row, n int)) {
	for row := from; row < to; {
		n := min(g.rowBlock(), g.Output[0]-row%g.Output[0], to-row)
		a, line := g.padded(image, x, row, n)
		f(a, line, row, n)
		row += n
	}
}

// implicit says whether product works without im2col: not for rows of too few pixels to fill tiles.
func (g *Conv) implicit() bool {
	return Fused() && g.Dilation[1] == 1 && (g.Output[1] >= 4 || g.pointwise())
}

func (g Conv) productParts() int {
	if g.implicit() {
		return split(g.Batch*g.Output[0], g.Output[1]*g.depth()*g.OutC)
	}
	return split(g.rows(), g.depth()*g.OutC)
}

// productScratch is the length of product's scratch memory.
func (g Conv) productScratch(dst []float32) int {
	if g.implicit() {
		return g.productParts() * g.implicitScratch(dst)
	}
	return g.productParts() * g.gatheredScratch(dst)
}

// implicitScratch is that of one part.
func (g *Conv) implicitScratch(dst []float32) int {
	n := g.paddedLen(g.rowBlock())
	if dst == nil {
		n += g.rowBlock() * g.Output[1] * g.OutC
	}
	return n
}

// addGrad sets sum to what the output pixels first to last-1, whose gradient is dy, contribute to the gradient of the
// weights, or adds it to sum: [taps, InC, OutC] where products are implicit, else as the weights. It adds dy to bias unless
// that is nil.
func (g *Conv) addGrad(sum, bias, scratch, x, dy []float32, first, last int, add bool) {
	if bias != nil && !g.oneChannel() {
		level.sumRows(last-first, bias, dy)
	}
	if !Fused() {
		g.addGatheredGrad(sum, scratch, x, dy, first, last, add)
		return
	}
	width := g.Output[1]
	for lo := first; lo < last; {
		row, ox := lo/width, lo%width
		n, k := min(g.rowBlock(), g.Output[0]-row%g.Output[0], (last-lo)/width), width // whole rows, or a part of one
		if ox > 0 || n == 0 {
			n, k = 1, min(width-ox, last-lo)
		}
		a, line := g.padded(scratch, x, row, n)
		if g.oneChannel() {
			level.oneChannelGrad(sum, bias, a[ox*g.Stride[1]:], dy[(lo-first)*g.OutC:], add || lo > first, g.pixels(line, n, k))
			lo += n * k
			continue
		}
		taps, m := g.Taps(), g.InC // a product per tap, or per row of taps
		if g.Dilation[1] == 1 {
			taps, m = g.Kernel[0], g.Kernel[1]*g.InC
		}
		for t := range taps {
			at := t * g.Dilation[0] * line
			if taps != g.Kernel[0] {
				at = t/g.Kernel[1]*g.Dilation[0]*line + t%g.Kernel[1]*g.Dilation[1]*g.InC
			}
			gemm(m, g.OutC, k, sum[t*m*g.OutC:], g.OutC, matrix{
				data: a[at+ox*g.Stride[1]*g.InC:], row: 1, step: g.Stride[1] * g.InC, segments: n, jump: g.Stride[0] * line,
			}, dy[(lo-first)*g.OutC:], g.OutC, add || lo > first)
		}
		lo += n * k
	}
}

// gradScratch is the length of addGrad's scratch memory.
func (g *Conv) gradScratch() int {
	if Fused() {
		return g.paddedLen(g.rowBlock())
	}
	return g.block() * g.depth()
}

// span is the number of input pixels along an axis from the first to the last under n neighbouring windows.
func (g *Conv) span(axis, n int) int {
	return (n-1)*g.Stride[axis] + (g.Kernel[axis]-1)*g.Dilation[axis] + 1
}

// fits says whether no window reaches over the edge of the image.
func (g *Conv) fits() bool {
	return g.Pad == [2]int{} && g.span(0, g.Output[0]) <= g.Input[0] && g.span(1, g.Output[1]) <= g.Input[1]
}

// rowBlock is the number of output rows that are worked on at a time: their input stays in any second-level cache.
func (g *Conv) rowBlock() int {
	const enough = 16 << 10 // elements
	line := g.span(1, g.Output[1]) * g.InC
	return min(max((enough/line-g.span(0, 1))/g.Stride[0]+1, 1), g.Output[0])
}

// paddedLen is the length of the copy of the input of n output rows; 0 if none is made.
func (g *Conv) paddedLen(n int) int {
	if g.fits() {
		return 0
	}
	return g.span(0, n) * g.span(1, g.Output[1]) * g.InC
}

// padded returns the input of n output rows of one image from row (batch*OutH + oy) on, starting with the first tap of the
// first pixel, and the length of its rows: x itself where that has no padding, else a copy in dst.
func (g *Conv) padded(dst, x []float32, row, n int) (image []float32, line int) {
	b, top := row/g.Output[0], row%g.Output[0]*g.Stride[0]-g.Pad[0]
	pixel := g.InC
	from := g.Input[1] * pixel
	image = x[b*g.Input[0]*from : (b+1)*g.Input[0]*from]
	if g.fits() {
		return image[top*from:], from
	}
	line = g.span(1, g.Output[1]) * pixel
	left := min(max(g.Pad[1], 0)*pixel, line) // elements before the image, and of the image
	skip := max(-g.Pad[1], 0) * pixel
	inside := max(min(from-skip, line-left), 0)
	for i := range g.span(0, n) {
		d := dst[i*line:][:line]
		if y := top + i; y < 0 || y >= g.Input[0] {
			clear(d)
		} else {
			clear(d[:left])
			copy(d[left:left+inside], image[y*from+min(skip, from):])
			clear(d[left+inside:])
		}
	}
	return dst, line
}
