package nodes

import "github.com/goqat/goqat/internal/kernels/f32"

// categoricalHinge is max(0, 1 + neg - pos), pos = sum(t*x), neg = max((1-t)*x).
//
// Gradient: (1-t) at the first of the greatest - t, 0 where the loss is.
type categoricalHinge struct{ size int }

// margin returns 1 + neg - pos and the index of neg.
func (l categoricalHinge) margin(x, t []float32) (margin float32, at int) {
	neg := (1 - t[0]) * x[0]
	for j, v := range x {
		if other := (1 - t[j]) * v; other > neg {
			neg, at = other, j
		}
	}
	return 1 + neg - f32.Dot(t, x), at
}

func (l categoricalHinge) forward(loss, x, target []float32) {
	for r := range loss {
		margin, _ := l.margin(row(x, r, l.size), row(target, r, l.size))
		loss[r] = max(margin, 0)
	}
}

func (l categoricalHinge) backward(dx, x, target, scale []float32) {
	for r, s := range scale {
		d, t := row(dx, r, l.size), row(target, r, l.size)
		margin, at := l.margin(row(x, r, l.size), t)
		clear(d)
		if !(margin > 0) {
			continue
		}
		d[at] = (1 - t[at]) * s
		for j, v := range t {
			d[j] -= float32(v * s)
		}
	}
}

// side returns the target of a hinge loss: 0 stands for -1.
func side(t float32) float32 {
	if t == 0 {
		return -1
	}
	return t
}

// hinge is the mean of max(0, 1-t*x).
//
// Gradient: -t / size where the margin is open, 0 elsewhere.
type hinge struct{ size int }

func (l hinge) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			sum += max(1-float32(side(t[j])*v), 0)
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l hinge) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		t := side(target[i])
		dx[i] = 0
		if float32(t*v) < 1 {
			dx[i] = -t * (scale[i/l.size] / float32(l.size))
		}
	}
}

// squaredHinge is the mean of max(0, 1-t*x)^2.
//
// Gradient: -2*t*max(0, 1-t*x) / size.
type squaredHinge struct{ size int }

func (l squaredHinge) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			m := max(1-float32(side(t[j])*v), 0)
			sum += float32(m * m)
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l squaredHinge) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		t := side(target[i])
		dx[i] = -2 * t * max(1-float32(t*v), 0) * (scale[i/l.size] / float32(l.size))
	}
}
