package f32

import "sync"

// gemmPortable is [gemm] by tiles whose operands both run along the summation index, because those are read in order without
// bounds checks: b is transposed first, and so is a where its step is not 1.
func gemmPortable(m, n, k int, c []float32, ldc int, a matrix, b []float32, ldb int, add bool) {
	scratch := scratches.Get().(*[]float32)
	defer scratches.Put(scratch)
	depth := a.segments * k
	rows := a.step == 1 && a.segments == 1
	need := n * depth
	if !rows {
		need += m * depth
	}
	if cap(*scratch) < need {
		*scratch = make([]float32, need)
	}
	bT := (*scratch)[:n*depth]
	transposePortable(depth, n, bT, depth, b, ldb)
	if rows {
		tiles(m, n, k, c, ldc, 1, a.data, a.row, bT, depth, add)
		return
	}
	aT := (*scratch)[n*depth : need]
	for i := range m {
		to := aT[i*depth:][:depth]
		for s := range a.segments {
			from := a.data[i*a.row+s*a.jump:]
			for t := range k {
				to[s*k+t] = from[t*a.step]
			}
		}
	}
	tiles(m, n, depth, c, ldc, 1, aT, depth, bT, depth, add)
}

// scratches recycles the transposes.
var scratches = sync.Pool{New: func() any { return new([]float32) }}

// tiles computes c[i*rs+j*cs] = sum over t < k of a[i*lda+t]*b[j*ldb+t] for i < m, j < n, added to the old c if add is true.
func tiles(m, n, k int, c []float32, rs, cs int, a []float32, lda int, b []float32, ldb int, add bool) {
	if up(m, tileRows)*up(n, tileCols) > up(n, tileRows)*up(m, tileCols) { // lying tiles cover c with less waste
		m, n, rs, cs, a, lda, b, ldb = n, m, cs, rs, b, ldb, a, lda
	}
	for i := 0; i < m; i += tileRows {
		// Rows beyond the edge repeat the last one; their results are dropped.
		a0, a1 := a[i*lda:][:k], a[min(i+1, m-1)*lda:][:k]
		a2, a3 := a[min(i+2, m-1)*lda:][:k], a[min(i+3, m-1)*lda:][:k]
		h := min(tileRows, m-i)
		for j := 0; j < n; j += tileCols {
			b0, b1 := b[j*ldb:][:k], b[min(j+1, n-1)*ldb:][:k]
			var t [tileRows * tileCols]float32
			at := i*rs + j*cs
			w := min(tileCols, n-j)
			if add {
				for r := range h {
					for s := range w {
						t[r*tileCols+s] = c[at+r*rs+s*cs]
					}
				}
			}
			tile(&t, a0, a1, a2, a3, b0, b1)
			if h == tileRows && w == tileCols {
				c[at], c[at+cs] = t[0], t[1]
				at += rs
				c[at], c[at+cs] = t[2], t[3]
				at += rs
				c[at], c[at+cs] = t[4], t[5]
				at += rs
				c[at], c[at+cs] = t[6], t[7]
				continue
			}
			for r := range h {
				for s := range w {
					c[at+r*rs+s*cs] = t[r*tileCols+s]
				}
			}
		}
	}
}

// A tile of 4x2 sums keeps eight independent chains and the products of one step in amd64's 15 free registers.
const (
	tileRows = 4
	tileCols = 2
)

// tile adds the products of four rows a with two rows b of equal length: c[2*i+j] += sum of ai[t]*bj[t]. Four steps per
// iteration, because the compiler holds back the additions of an iteration's last step (they have no later use in the
// block), and fewer steps make it spill sums to memory.
func tile(c *[tileRows * tileCols]float32, a0, a1, a2, a3, b0, b1 []float32) {
	n := len(a0)
	a1, a2, a3, b0, b1 = a1[:n], a2[:n], a3[:n], b0[:n], b1[:n]
	c00, c01, c10, c11, c20, c21, c30, c31 := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	t := 0
	for ; t <= n-4; t += 4 {
		x, y := b0[t], b1[t]
		v := a0[t]
		c00 += float32(v * x)
		c01 += float32(v * y)
		v = a1[t]
		c10 += float32(v * x)
		c11 += float32(v * y)
		v = a2[t]
		c20 += float32(v * x)
		c21 += float32(v * y)
		v = a3[t]
		c30 += float32(v * x)
		c31 += float32(v * y)

		x, y = b0[t+1], b1[t+1]
		v = a0[t+1]
		c00 += float32(v * x)
		c01 += float32(v * y)
		v = a1[t+1]
		c10 += float32(v * x)
		c11 += float32(v * y)
		v = a2[t+1]
		c20 += float32(v * x)
		c21 += float32(v * y)
		v = a3[t+1]
		c30 += float32(v * x)
		c31 += float32(v * y)

		x, y = b0[t+2], b1[t+2]
		v = a0[t+2]
		c00 += float32(v * x)
		c01 += float32(v * y)
		v = a1[t+2]
		c10 += float32(v * x)
		c11 += float32(v * y)
		v = a2[t+2]
		c20 += float32(v * x)
		c21 += float32(v * y)
		v = a3[t+2]
		c30 += float32(v * x)
		c31 += float32(v * y)

		x, y = b0[t+3], b1[t+3]
		v = a0[t+3]
		c00 += float32(v * x)
		c01 += float32(v * y)
		v = a1[t+3]
		c10 += float32(v * x)
		c11 += float32(v * y)
		v = a2[t+3]
		c20 += float32(v * x)
		c21 += float32(v * y)
		v = a3[t+3]
		c30 += float32(v * x)
		c31 += float32(v * y)
	}
	for ; t < n; t++ {
		x, y := b0[t], b1[t]
		v := a0[t]
		c00 += float32(v * x)
		c01 += float32(v * y)
		v = a1[t]
		c10 += float32(v * x)
		c11 += float32(v * y)
		v = a2[t]
		c20 += float32(v * x)
		c21 += float32(v * y)
		v = a3[t]
		c30 += float32(v * x)
		c31 += float32(v * y)
	}
	*c = [tileRows * tileCols]float32{c00, c01, c10, c11, c20, c21, c30, c31}
}

// up rounds n up to a multiple of unit.
func up(n, unit int) int { return (n + unit - 1) / unit * unit }
