package f32

// AddTo computes dst = a + b, elementwise over len(dst) elements. It may work in place.
func AddTo(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	each(len(dst), costMove, func(from, to int) {
		dst, a, b := dst[from:to], a[from:to], b[from:to]
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	})
}

// SubTo computes dst = a - b, elementwise over len(dst) elements. It may work in place.
func SubTo(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	each(len(dst), costMove, func(from, to int) {
		dst, a, b := dst[from:to], a[from:to], b[from:to]
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	})
}

// MulTo computes dst = a * b, elementwise over len(dst) elements. It may work in place.
func MulTo(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	each(len(dst), costMove, func(from, to int) {
		dst, a, b := dst[from:to], a[from:to], b[from:to]
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	})
}

// ScaleTo computes dst = alpha * x, elementwise over len(dst) elements. It may work in place.
func ScaleTo(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	each(len(dst), costMove, func(from, to int) {
		dst, x := dst[from:to], x[from:to]
		for i := range dst {
			dst[i] = alpha * x[i]
		}
	})
}

// Axpy computes dst += alpha * x, elementwise over len(dst) elements.
func Axpy(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	each(len(dst), costMove, func(from, to int) {
		dst, x := dst[from:to], x[from:to]
		for i := range dst {
			dst[i] += float32(alpha * x[i])
		}
	})
}
