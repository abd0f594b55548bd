package f32

import "github.com/goqat/goqat/internal/parallel"

// SumRows computes dst[c] = sum over r of x[r,c] for x [rows, cols]: one chain per chunk of rows, [RowChunks] of them.
func SumRows(ws *Workspace, rows, cols int, dst, x []float32) {
	sumChunks(ws, rows, cols, func(sum []float32, lo, hi int) {
		level.sumRows(hi-lo, sum, x[lo*cols:hi*cols])
	}, dst)
}

// RowChunks is the number of chunks of rows (divided as by parallel.Range) that reductions over the rows of
// [rows, cols] sum separately and then add in order.
func RowChunks(rows, cols int) int { return split(rows, cols*costMove) }

// sumChunks lets add sum up one chunk of rows after another in zeroed slices of as many numbers as there are in all of
// dst, one of cols after the other, on all cores, and adds those in order to dst.
func sumChunks(ws *Workspace, rows, cols int, add func(sum []float32, lo, hi int), dst ...[]float32) {
	chunks, per := RowChunks(rows, cols), cols*len(dst)
	sums := ws.floats(chunks * per)
	clear(sums)
	if rows > 0 && cols > 0 {
		parallel.For(chunks, func(p int) {
			lo, hi := parallel.Range(rows, chunks, p)
			add(sums[p*per:][:per], lo, hi)
		})
	}
	for i, d := range dst {
		copy(d[:cols], sums[i*cols:])
		for p := 1; p < chunks; p++ {
			level.add(d[:cols], d[:cols], sums[p*per+i*cols:][:cols])
		}
	}
}

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
