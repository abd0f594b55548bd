package f32

// Softmax computes y[r,c] = exp(x[r,c]-m) / sum over c of exp(x[r,c]-m), where m is the row's maximum; the sum is [Sum]'s.
// It may work in place. Shapes: y, x [rows, cols].
func Softmax(rows, cols int, y, x []float32) {
	eachRow(rows, cols, y, x, nil, func(y, x, _ []float32) {
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
	eachRow(rows, cols, dx, dy, y, func(dx, dy, y []float32) {
		s := Dot(dy, y)
		for c, d := range dy {
			dx[c] = y[c] * (d - s)
		}
	})
}

// LogSoftmax computes y[r,c] = x[r,c] - m - log(sum over c of exp(x[r,c]-m)), where m is the row's maximum. It may work
// in place. Shapes: y, x [rows, cols].
func LogSoftmax(rows, cols int, y, x []float32) {
	eachRow(rows, cols, y, x, nil, func(y, x, _ []float32) {
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

// eachRow calls f for every row of matrices [rows, cols], on all cores. The third may be nil.
func eachRow(rows, cols int, dst, a, b []float32, f func(dst, a, b []float32)) {
	each(rows, cols*costExp, rowArgs{cols, operands{f: f, dst: dst, a: a, b: b}}, func(m rowArgs, from, to int) {
		for i := from * m.cols; i < to*m.cols; i += m.cols {
			var b []float32
			if m.b != nil {
				b = m.b[i:][:m.cols]
			}
			m.f(m.dst[i:][:m.cols], m.a[i:][:m.cols], b)
		}
	})
}

type rowArgs struct {
	cols int
	operands
}

// rowMax is the largest element of x, NaN if there is one.
func rowMax(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}
