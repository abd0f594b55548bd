package f32

import "github.com/goqat/goqat/internal/parallel"

// blockLen is the number of elements of an im2col block: 48 KiB, which stay in any second-level cache. Shorter blocks
// were slower for the gradient of weights, whose tiles then sum over too few pixels per call.
const blockLen = 12 << 10

// block returns the number of pixels that are gathered at a time.
func (g Conv) block() int {
	return min(max(blockLen/g.depth()&^(tileRows-1), tileRows), g.rows())
}

// pointwise says whether the input itself is the matrix that im2col would make.
func (g Conv) pointwise() bool {
	return g.Kernel == one && g.Stride == one && g.Pad == [2]int{} && g.Output == g.Input
}

// im2col gathers the taps of the output pixels lo to hi-1 into the rows of dst [hi-lo, taps], in the order of the
// weights, with zeros for taps outside the image.
func (g *Conv) im2col(dst, x []float32, lo, hi int) {
	row := g.Kernel[1] * g.InC
	b, oy, ox := lo/g.Positions(), lo/g.Output[1]%g.Output[0], lo%g.Output[1]
	for range hi - lo {
		ix := ox*g.Stride[1] - g.Pad[1]
		inside := g.Dilation[1] == 1 && ix >= 0 && ix+g.Kernel[1] <= g.Input[1]
		for ky := range g.Kernel[0] {
			d := dst[:row]
			dst = dst[row:]
			iy := oy*g.Stride[0] - g.Pad[0] + ky*g.Dilation[0]
			switch line := (b*g.Input[0] + iy) * g.Input[1]; {
			case iy < 0 || iy >= g.Input[0]:
				clear(d)
			case inside:
				move(d, x[(line+ix)*g.InC:])
			default:
				g.gatherRow(d, x, line, ix)
			}
		}
		if ox++; ox == g.Output[1] {
			ox = 0
			if oy++; oy == g.Output[0] {
				oy = 0
				b++
			}
		}
	}
}

// gatherRow gathers the taps of one kernel row that starts at column ix of the image row whose first pixel is line.
func (g *Conv) gatherRow(d, x []float32, line, ix int) {
	for range g.Kernel[1] {
		if ix < 0 || ix >= g.Input[1] {
			clear(d[:g.InC])
		} else {
			move(d[:g.InC], x[(line+ix)*g.InC:])
		}
		d = d[g.InC:]
		ix += g.Dilation[1]
	}
}

// move copies len(dst) elements; short runs, as in an image of one channel, are not worth a call.
func move(dst, src []float32) {
	if len(dst) > 8 {
		copy(dst, src)
		return
	}
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = src[i]
	}
}

// gathered does one part by im2col, block by block.
func (c convolution) gathered(p, _ int) {
	g, out := &c.g, &c.out
	k, step, per := g.depth(), g.block(), g.gatheredScratch(out.dst)
	s := c.scratch[p*per:][:per]
	col, rows := s[:step*k], s[step*k:]
	first, last := parallel.Range(g.rows(), c.parts, p)
	for lo := first; lo < last; lo += step {
		hi := min(lo+step, last)
		d := rows
		if out.dst != nil {
			d = out.dst[lo*g.OutC:]
		}
		g.multiplyGathered(d, col, c.x, c.w, lo, hi)
		out.take(d[:(hi-lo)*g.OutC], lo, hi)
	}
}

// multiplyGathered computes the output pixels lo to hi-1.
func (g *Conv) multiplyGathered(d, col, x, w []float32, lo, hi int) {
	k, a := g.depth(), col
	if g.pointwise() {
		a = x[lo*k:]
	} else {
		g.im2col(col, x, lo, hi)
	}
	gemm(hi-lo, g.OutC, k, d, g.OutC, matrix{data: a, row: k, step: 1}, w, g.OutC, false)
}

// gatheredScratch is the length of the scratch memory of one part of gathered.
func (g Conv) gatheredScratch(dst []float32) int {
	if dst != nil {
		return g.block() * g.depth()
	}
	return g.block() * (g.depth() + g.OutC)
}

// addGatheredGrad is addGrad by im2col.
func (g *Conv) addGatheredGrad(sum, col, x, dy []float32, first, last int, add bool) {
	k, step := g.depth(), g.block()
	for lo := first; lo < last; lo += step {
		hi := min(lo+step, last)
		a := col
		if g.pointwise() {
			a = x[lo*k:]
		} else {
			g.im2col(col, x, lo, hi)
		}
		gemm(g.OutC, k, hi-lo, sum, k, matrix{data: dy[(lo-first)*g.OutC:], row: 1, step: g.OutC}, a, k, add || lo > first)
	}
}
