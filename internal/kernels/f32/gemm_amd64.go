//go:build !purego

package f32

// A panel is a routine for some rows of c, again and again, and as many columns as a register tile has.
type panel func(tiles, next, k, segments, jump int, a *float32, ars, aks int, b *float32, bks int, c *float32, crs int, mask *uint32, add int)

var (
	wideAVX2     = [...]panel{1: gemmAVX2_1x16, gemmAVX2_2x16, gemmAVX2_3x16, gemmAVX2_4x16, gemmAVX2_5x16, gemmAVX2_6x16}
	narrowAVX2   = [...]panel{1: gemmAVX2_1x8, gemmAVX2_2x8, gemmAVX2_3x8, gemmAVX2_4x8, gemmAVX2_5x8, gemmAVX2_6x8}
	narrowAVX512 = [...]panel{1: gemmAVX512_1x16, gemmAVX512_2x16, gemmAVX512_3x16, gemmAVX512_4x16, gemmAVX512_5x16, gemmAVX512_6x16,
		gemmAVX512_7x16, gemmAVX512_8x16, gemmAVX512_9x16, gemmAVX512_10x16, gemmAVX512_11x16, gemmAVX512_12x16, gemmAVX512_13x16, gemmAVX512_14x16}
	wideAVX512 = [...]panel{1: gemmAVX512_1x32, gemmAVX512_2x32, gemmAVX512_3x32, gemmAVX512_4x32, gemmAVX512_5x32, gemmAVX512_6x32,
		gemmAVX512_7x32, gemmAVX512_8x32, gemmAVX512_9x32, gemmAVX512_10x32, gemmAVX512_11x32, gemmAVX512_12x32, gemmAVX512_13x32, gemmAVX512_14x32}
)

// laneMasks holds, from 8-n on, eight words of which the first n are all ones.
var laneMasks = [16]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}

// bitMasks[n] has the lowest n bits set.
var bitMasks = func() (m [33]uint32) {
	for n := range m {
		m[n] = uint32(uint64(1)<<n - 1)
	}
	return m
}()

// gemmAVX2 is [gemm] by tiles of 6x16, and 6x8 with masked lanes at the right edge.
func gemmAVX2(m, n, k int, c []float32, ldc int, a matrix, b []float32, ldb int, add bool) {
	p := newPanels(k, a, ldb, ldc, add)
	for j := 0; j < n; {
		if n-j >= 16 {
			p.rows(wideAVX2[:], m, &b[j], c[j:], nil)
			j += 16
			continue
		}
		w := min(n-j, 8)
		p.rows(narrowAVX2[:], m, &b[j], c[j:], &laneMasks[8-w])
		j += w
	}
}

// gemmAVX512 is [gemm] by tiles of 14x32 with masked lanes at the right edge. The last columns, if they are not more than
// one vector, take the AVX2 tiles where those waste no lanes: a tile of one vector loads as often as it multiplies, and the
// loads of narrow vectors are the faster ones.
func gemmAVX512(m, n, k int, c []float32, ldc int, a matrix, b []float32, ldb int, add bool) {
	p := newPanels(k, a, ldb, ldc, add)
	for j := 0; j < n; j += 32 {
		switch rest := n - j; {
		case rest == 16 || rest <= 8:
			gemmAVX2(m, rest, k, c[j:], ldc, a, b[j:], ldb, add)
		case rest < 16:
			p.rows(narrowAVX512[:], m, &b[j], c[j:], &bitMasks[rest])
		default:
			p.rows(wideAVX512[:], m, &b[j], c[j:], &bitMasks[min(rest, 32)])
		}
	}
}

// panels is what the panels of one product have in common. Strides are bytes.
type panels struct {
	a                 matrix
	k, jump, bks, crs int
	add               int
}

func newPanels(k int, a matrix, ldb, ldc int, add bool) panels {
	if a.segments == 1 {
		a.jump = k * a.step
	}
	p := panels{a: a, k: k, jump: (a.jump - k*a.step) * word, bks: ldb * word, crs: ldc * word}
	if add {
		p.add = 1
	}
	return p
}

// rows computes all m rows of one column panel, as many at a time as there are routines.
func (p *panels) rows(routines []panel, m int, b *float32, c []float32, mask *uint32) {
	most := len(routines) - 1
	ldc := p.crs / word
	for i := 0; i < m; {
		h, tiles := min(most, m-i), max(1, (m-i)/most)
		switch rest := m - i - tiles*most; {
		case rest <= 0:
		case tiles > 1:
			tiles--
		default:
			h = (most + rest + 1) / 2 // two tiles of middling height rather than one that is nearly empty
		}
		next := (h*p.a.row - p.a.segments*p.a.jump) * word
		routines[h](tiles, next, p.k, p.a.segments, p.jump, &p.a.data[i*p.a.row], p.a.row*word, p.a.step*word, b, p.bks, &c[i*ldc], p.crs, mask, p.add)
		i += h * tiles
	}
}
