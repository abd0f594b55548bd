package f32

// Softmax computes y[r,c] = exp(x[r,c]-m) / sum over c of exp(x[r,c]-m), where m is the row's maximum; the sum is [Sum]'s.
// It may work in place. Shapes: y, x [rows, cols].
func Softmax(rows, cols int, y, x []float32) {
	eachRow(rows, cols, func(r int) {
		y, x := y[r*cols:][:cols], x[r*cols:][:cols]
		m := rowMax(x)
		for c, v := range x {
			y[c] = Exp(v - m)
		}
		s := Sum(y)
		for c := range y {
			y[c] /= s
		}
	})
}

// SoftmaxGrad computes the gradient of the input of [Softmax] from its output y:
// dx[r,c] = y[r,c] * (dy[r,c] - sum over c of dy[r,c]*y[r,c]), where the sum is [Dot]'s. It may work in place.
// Shapes: all [rows, cols].
func SoftmaxGrad(rows, cols int, dx, dy, y []float32) {
	eachRow(rows, cols, func(r int) {
		dx, dy, y := dx[r*cols:][:cols], dy[r*cols:][:cols], y[r*cols:][:cols]
		s := Dot(dy, y)
		for c, d := range dy {
			dx[c] = y[c] * (d - s)
		}
	})
}

// LogSumExp computes dst[r] = log of the sum over c of exp(x[r,c]), without overflow, as m + log(sum of exp(x-m)) with
// the row's maximum m. Shapes: dst [rows], x [rows, cols].
func LogSumExp(rows, cols int, dst, x []float32) {
	eachRow(rows, cols, func(r int) {
		m, l := logSumExp(x[r*cols:][:cols])
		dst[r] = m + l
	})
}

// LogSoftmax computes y[r,c] = x[r,c] - m - log(sum over c of exp(x[r,c]-m)), where m is the row's maximum. It may work
// in place. Shapes: y, x [rows, cols].
func LogSoftmax(rows, cols int, y, x []float32) {
	eachRow(rows, cols, func(r int) {
		y, x := y[r*cols:][:cols], x[r*cols:][:cols]
		m, l := logSumExp(x)
		for c, v := range x {
			y[c] = (v - m) - l
		}
	})
}

// logSumExp returns the maximum m of x and the logarithm of the sum of exp(x-m), in the order of Sum.
func logSumExp(x []float32) (m, l float32) {
	m = rowMax(x)
	var s [lanes]float32
	for c, v := range x {
		s[c%lanes] += Exp(v - m)
	}
	return m, Log(tree(&s))
}

// eachRow calls f for every row of [rows, cols], on all cores.
func eachRow(rows, cols int, f func(r int)) {
	each(rows, cols*costExp, func(from, to int) {
		for r := from; r < to; r++ {
			f(r)
		}
	})
}

// rowMax is the largest element of x, NaN if there is one.
func rowMax(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}
