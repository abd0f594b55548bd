package f32

import "github.com/goqat/goqat/internal/parallel"

// blockLen is the number of elements of an im2col block: 48 KiB, which stay in any second-level cache. Shorter blocks
// were slower for the gradient of weights, whose tiles then sum over too few pixels per call.
const blockLen = 12 << 10

// block returns the number of pixels that are gathered at a time.
func (g Conv) block() int {
	return min(max(blockLen/g.taps()&^(tileRows-1), tileRows), g.pixels())
}

// pointwise says whether the input itself is the matrix that im2col would make.
func (g Conv) pointwise() bool {
	return g.KernelH == 1 && g.KernelW == 1 && g.StrideH == 1 && g.StrideW == 1 && g.PadTop == 0 && g.PadLeft == 0 &&
		g.OutH == g.InH && g.OutW == g.InW
}

// im2col gathers the taps of the output pixels lo to hi-1 into the rows of dst [hi-lo, taps], in the order of the
// weights, with zeros for taps outside the image.
func (g *Conv) im2col(dst, x []float32, lo, hi int) {
	row := g.KernelW * g.InC
	b, oy, ox := lo/(g.OutH*g.OutW), lo/g.OutW%g.OutH, lo%g.OutW
	for range hi - lo {
		ix := ox*g.StrideW - g.PadLeft
		inside := g.DilationW == 1 && ix >= 0 && ix+g.KernelW <= g.InW
		for ky := range g.KernelH {
			d := dst[:row]
			dst = dst[row:]
			iy := oy*g.StrideH - g.PadTop + ky*g.DilationH
			switch line := (b*g.InH + iy) * g.InW; {
			case iy < 0 || iy >= g.InH:
				clear(d)
			case inside:
				move(d, x[(line+ix)*g.InC:])
			default:
				g.gatherRow(d, x, line, ix)
			}
		}
		if ox++; ox == g.OutW {
			ox = 0
			if oy++; oy == g.OutH {
				oy = 0
				b++
			}
		}
	}
}

// gatherRow gathers the taps of one kernel row that starts at column ix of the image row whose first pixel is line.
func (g *Conv) gatherRow(d, x []float32, line, ix int) {
	for range g.KernelW {
		if ix < 0 || ix >= g.InW {
			clear(d[:g.InC])
		} else {
			move(d[:g.InC], x[(line+ix)*g.InC:])
		}
		d = d[g.InC:]
		ix += g.DilationW
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

// product computes rows of (im2col of x) * transpose(w) block by block on all cores, and hands each block
// [hi-lo, OutC] of the pixels lo to hi-1 to out, which moves it to its place.
func (g Conv) product(scratch, x, w []float32, out func(rows []float32, lo, hi int)) {
	k, step, pixels := g.taps(), g.block(), g.pixels()
	parts := g.productParts()
	parallel.For(parts, func(p int) {
		s := scratch[p*step*(k+g.OutC):][:step*(k+g.OutC)]
		col, rows := s[:step*k], s[step*k:]
		first, last := parallel.Range(pixels, parts, p)
		for lo := first; lo < last; lo += step {
			hi := min(lo+step, last)
			a := col
			if g.pointwise() {
				a = x[lo*k:]
			} else {
				g.im2col(col, x, lo, hi)
			}
			gemm(hi-lo, g.OutC, k, rows, g.OutC, 1, a, k, w, k, false)
			out(rows[:(hi-lo)*g.OutC], lo, hi)
		}
	})
}

func (g Conv) productParts() int { return split(g.pixels(), g.taps()*g.OutC) }

// productScratch is the length of product's scratch memory.
func (g Conv) productScratch() int { return g.productParts() * g.block() * (g.taps() + g.OutC) }
