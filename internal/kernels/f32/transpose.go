package f32

// transpose writes the transpose of src [rows, cols], whose rows are from elements apart, to the first rows elements of each
// row of dst [cols, stride].
func transpose(rows, cols int, dst []float32, stride int, src []float32, from int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	_, _ = dst[(cols-1)*stride+rows-1], src[(rows-1)*from+cols-1]
	r := 0
	if whole := cols / 8; whole > 0 && level.transpose8 != nil {
		for ; r+8 <= rows; r += 8 {
			level.transpose8(dst[r:], stride, src[r*from:], from, whole)
		}
		if rest := 8 * whole; r > 0 && rest < cols {
			transposePortable(r, cols-rest, dst[rest*stride:], stride, src[rest:], from)
		}
	}
	if r < rows {
		transposePortable(rows-r, cols, dst[r:], stride, src[r*from:], from)
	}
}

func transposePortable(rows, cols int, dst []float32, stride int, src []float32, from int) {
	r := 0
	for ; r+4 <= rows; r += 4 {
		s0 := src[r*from:][:cols]
		s1, s2, s3 := src[(r+1)*from:][:len(s0)], src[(r+2)*from:][:len(s0)], src[(r+3)*from:][:len(s0)]
		at := r
		for i, v := range s0 {
			d := dst[at : at+4 : at+4]
			d[0], d[1], d[2], d[3] = v, s1[i], s2[i], s3[i]
			at += stride
		}
	}
	for ; r < rows; r++ {
		at := r
		for _, v := range src[r*from:][:cols] {
			dst[at] = v
			at += stride
		}
	}
}

// transposeParts is transpose over all cores, with stride = rows.
func transposeParts(rows, cols int, dst, src []float32) {
	type args struct {
		rows, cols int
		dst, src   []float32
	}
	each((rows+7)/8, 8*cols*costMove, args{rows, cols, dst, src}, func(a args, lo, hi int) {
		lo, hi = 8*lo, min(8*hi, a.rows)
		transpose(hi-lo, a.cols, a.dst[lo:], a.rows, a.src[lo*a.cols:], a.cols)
	})
}
