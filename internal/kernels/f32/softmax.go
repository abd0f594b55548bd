package f32

// Softmax computes y[r,c] = exp(x[r,c]-m) / sum over c of exp(x[r,c]-m), where m is the row's maximum. It may work in
// place. Shapes: y, x [rows, cols].
func Softmax(rows, cols int, y, x []float32) {
	for r := range rows {
		yr, xr := y[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols]
		m := rowMax(xr)
		for c, v := range xr {
			yr[c] = Exp(v - m)
		}
		s := Sum(yr)
		for c := range yr {
			yr[c] /= s
		}
	}
}

// SoftmaxGrad computes the gradient of the input of [Softmax] from its output y:
// dx[r,c] = y[r,c] * (dy[r,c] - sum over c of dy[r,c]*y[r,c]). It may work in place. Shapes: all [rows, cols].
func SoftmaxGrad(rows, cols int, dx, dy, y []float32) {
	for r := range rows {
		dxr, dyr, yr := dx[r*cols:(r+1)*cols], dy[r*cols:(r+1)*cols], y[r*cols:(r+1)*cols]
		s := Dot(dyr, yr)
		for c, d := range dyr {
			dxr[c] = yr[c] * (d - s)
		}
	}
}

// LogSumExp computes dst[r] = log of the sum over c of exp(x[r,c]), without overflow. Shapes: dst [rows],
// x [rows, cols].
func LogSumExp(rows, cols int, dst, x []float32) {
	for r := range rows {
		xr := x[r*cols : (r+1)*cols]
		m := rowMax(xr)
		var s [lanes]float32
		for c, v := range xr {
			s[c%lanes] += Exp(v - m)
		}
		dst[r] = m + Log(tree(&s))
	}
}

// LogSoftmax computes y[r,c] = x[r,c] - m - log(sum over c of exp(x[r,c]-m)), where m is the row's maximum. It may work
// in place. Shapes: y, x [rows, cols].
func LogSoftmax(rows, cols int, y, x []float32) {
	for r := range rows {
		yr, xr := y[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols]
		m := rowMax(xr)
		var s [lanes]float32
		for c, v := range xr {
			s[c%lanes] += Exp(v - m)
		}
		l := Log(tree(&s))
		for c, v := range xr {
			yr[c] = (v - m) - l
		}
	}
}

// rowMax is the largest element of x, NaN if there is one.
func rowMax(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}
