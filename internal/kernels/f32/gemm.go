package f32

import "github.com/goqat/goqat/internal/parallel"

// gemm multiplies two matrices whose rows both run along the summation index:
//
//	c[i*rs+j*cs] = sum over t < k of a[i*lda+t]*b[j*ldb+t]    for i < m, j < n
//
// added to the old c if add is true. Each element is one chain of additions in ascending order of t, starting at c or 0.
//
// All products of this package have this form, because both operands of the inner loop are then read in order without
// packing and without bounds checks; operands that are not laid out so are transposed first, which costs one pass over
// them.
func gemm(m, n, k int, c []float32, rs, cs int, a []float32, lda int, b []float32, ldb int, add bool) {
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

// gemmParts is gemm over all cores, without add and with rows of c contiguous: parts take ranges of the longer side.
func gemmParts(m, n, k int, c, a, b []float32) {
	if m >= n {
		parts := split(m, n*k)
		parallel.For(parts, func(p int) {
			lo, hi := parallel.Range(m, parts, p)
			gemm(hi-lo, n, k, c[lo*n:], n, 1, a[lo*k:], k, b, k, false)
		})
		return
	}
	parts := split(n, m*k)
	parallel.For(parts, func(p int) {
		lo, hi := parallel.Range(n, parts, p)
		gemm(m, hi-lo, k, c[lo:], n, 1, a, k, b[lo*k:], k, false)
	})
}

// transpose writes the transpose of src [rows, cols] to the first rows elements of each row of dst [cols, stride].
func transpose(rows, cols int, dst []float32, stride int, src []float32) {
	r := 0
	for ; r+4 <= rows; r += 4 {
		s0 := src[r*cols:][:cols]
		s1, s2, s3 := src[(r+1)*cols:][:len(s0)], src[(r+2)*cols:][:len(s0)], src[(r+3)*cols:][:len(s0)]
		at := r
		for i, v := range s0 {
			d := dst[at : at+4 : at+4]
			d[0], d[1], d[2], d[3] = v, s1[i], s2[i], s3[i]
			at += stride
		}
	}
	for ; r < rows; r++ {
		at := r
		for _, v := range src[r*cols:][:cols] {
			dst[at] = v
			at += stride
		}
	}
}

// transposeParts is transpose over all cores, with stride = rows.
func transposeParts(rows, cols int, dst, src []float32) {
	parts := split(rows, cols*costMove)
	parallel.For(parts, func(p int) {
		lo, hi := parallel.Range(rows, parts, p)
		transpose(hi-lo, cols, dst[lo:], rows, src[lo*cols:])
	})
}

// Costs of one element of work relative to a multiply-add of a tile, in round numbers: they only decide the number of
// parts.
const (
	costMove = 4  // loads, an operation or two, a store
	costExp  = 64 // an elementary function
	// minPart is the cost that a part must have to be worth handing to another goroutine: some 30 microseconds.
	minPart = 1 << 18
)

// split returns the number of parts for items of the given cost each; it depends on its arguments only.
func split(items, cost int) int {
	// In int64, so that machines of 32 bits count the same parts.
	parts := min(int64(items)*int64(cost)/minPart, int64(items), parallel.MaxParts)
	return int(max(1, parts))
}
