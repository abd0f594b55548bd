package f32

import "github.com/goqat/goqat/internal/parallel"

// SumRows computes dst[c] = sum over r of x[r,c] for x [rows, cols]: one chain per chunk of rows, [RowChunks] of them.
func SumRows(ws *Workspace, rows, cols int, dst, x []float32) {
	sumChunks(ws, rows, cols, sums{x: x}, func(s sums, sum []float32, lo, hi int) {
		level.sumRows(hi-lo, sum, s.rows(s.x, lo, hi))
	}, dst)
}

// RowChunks is the number of chunks of rows (divided as by parallel.Range) that reductions over the rows of
// [rows, cols] sum separately and then add in order.
func RowChunks(rows, cols int) int { return split(rows, cols*costMove) }

// sumChunks lets add sum up one chunk of rows after another in zeroed slices of as many numbers as there are in all of
// dst, one of cols after the other, on all cores, and adds those in order to dst.
func sumChunks(ws *Workspace, rows, cols int, s sums, add func(s sums, sum []float32, lo, hi int), dst ...[]float32) {
	s.height, s.cols, s.chunks, s.per, s.add = rows, cols, RowChunks(rows, cols), cols*len(dst), add
	s.all = ws.floats(s.chunks * s.per)
	clear(s.all)
	if rows > 0 && cols > 0 {
		parallel.Each(s.chunks, s.chunks, s, sums.chunk)
	}
	for i, d := range dst {
		copy(d[:cols], s.all[i*cols:])
		for p := 1; p < s.chunks; p++ {
			level.add(d[:cols], d[:cols], s.all[p*s.per+i*cols:][:cols])
		}
	}
}

// sums is the arguments of a reduction over rows.
type sums struct {
	x, dy, mean, invStd []float32
	mask                []uint8 // of dy; nil for none

	height, cols, chunks, per int
	all                       []float32 // per chunk
	add                       func(s sums, sum []float32, lo, hi int)
}

// chunk sums up one chunk.
func (s sums) chunk(p, _ int) {
	lo, hi := parallel.Range(s.height, s.chunks, p)
	s.add(s, s.all[p*s.per:][:s.per], lo, hi)
}

// rows returns the rows lo to hi-1 of x.
func (s *sums) rows(x []float32, lo, hi int) []float32 { return x[lo*s.cols : hi*s.cols] }

func sumRowsPortable(rows int, sum, x []float32) {
	cols := len(sum)
	r := 0
	for ; r+4 <= rows; r += 4 {
		x0, x1 := x[r*cols:][:len(sum)], x[(r+1)*cols:][:len(sum)]
		x2, x3 := x[(r+2)*cols:][:len(sum)], x[(r+3)*cols:][:len(sum)]
		for c, s := range sum {
			sum[c] = s + x0[c] + x1[c] + x2[c] + x3[c]
		}
	}
	for ; r < rows; r++ {
		for c, v := range x[r*cols:][:len(sum)] {
			sum[c] += v
		}
	}
}

func sumSquaresPortable(rows int, sum, x, mean []float32) {
	mean = mean[:len(sum)]
	for r := range rows {
		for c, v := range x[r*len(sum):][:len(sum)] {
			d := v - mean[c]
			sum[c] += float32(d * d)
		}
	}
}

func sumProductsPortable(rows int, sum, dy, x []float32) {
	for r := range rows {
		dy, x := dy[r*len(sum):][:len(sum)], x[r*len(sum):][:len(sum)]
		for c, d := range dy {
			sum[c] += float32(d * x[c])
		}
	}
}

func sumNormalizedPortable(rows int, sum, products, dy, x, mean, invStd []float32) {
	products, mean, invStd = products[:len(sum)], mean[:len(sum)], invStd[:len(sum)]
	for r := range rows {
		dy, x := dy[r*len(sum):][:len(sum)], x[r*len(sum):][:len(sum)]
		for c, m := range mean {
			sum[c] += dy[c]
			products[c] += float32(dy[c] * float32((x[c]-m)*invStd[c]))
		}
	}
}
