package f32

// AddTo computes dst = a + b, elementwise over len(dst) elements. It may work in place, as may all in this file.
func AddTo(dst, a, b []float32) { combine(level.add, dst, a, b) }

// SubTo computes dst = a - b, elementwise over len(dst) elements.
func SubTo(dst, a, b []float32) { combine(level.sub, dst, a, b) }

// MulTo computes dst = a * b, elementwise over len(dst) elements.
func MulTo(dst, a, b []float32) { combine(level.mul, dst, a, b) }

func combine(f func(dst, a, b []float32), dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	each(len(dst), costMove, operands{f: f, dst: dst, a: a, b: b}, func(o operands, i, j int) { o.f(o.dst[i:j], o.a[i:j], o.b[i:j]) })
}

// ScaleTo computes dst = alpha * x, elementwise over len(dst) elements.
func ScaleTo(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	each(len(dst), costMove, operands{dst: dst, a: x, alpha: alpha}, func(o operands, i, j int) { level.scale(o.dst[i:j], o.alpha, o.a[i:j]) })
}

// Axpy computes dst += alpha * x, elementwise over len(dst) elements.
func Axpy(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	each(len(dst), costMove, operands{dst: dst, a: x, alpha: alpha}, func(o operands, i, j int) { level.axpy(o.dst[i:j], o.alpha, o.a[i:j]) })
}

// operands are the arguments of the kernels above.
type operands struct {
	f         func(dst, a, b []float32)
	dst, a, b []float32
	alpha     float32
}

func addPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func subPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func mulPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func scalePortable(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = alpha * x[i]
	}
}

func axpyPortable(dst []float32, alpha float32, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += float32(alpha * x[i])
	}
}
