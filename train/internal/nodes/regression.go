package nodes

// squaredError is the mean of (x-t)^2.
//
// Gradient: 2*(x-t) / size.
type squaredError struct{ size int }

func (l squaredError) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			d := v - t[j]
			sum += float32(d * d)
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l squaredError) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		dx[i] = 2 * (v - target[i]) * (scale[i/l.size] / float32(l.size))
	}
}

// absoluteError is the mean of |x-t|.
//
// Gradient: sign(x-t) / size, 0 where they are equal.
type absoluteError struct{ size int }

func (l absoluteError) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			sum += max(v-t[j], t[j]-v)
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l absoluteError) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		g := scale[i/l.size] / float32(l.size)
		switch {
		case v < target[i]:
			g = -g
		case v == target[i]:
			g = 0
		}
		dx[i] = g
	}
}

// huber is the mean of d^2/2 for d = |x-t| up to delta, delta*(d - delta/2)
// beyond.
//
// Gradient: x-t, clipped to ±delta, / size.
type huber struct {
	size  int
	delta float32
}

func (l huber) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			d := max(v-t[j], t[j]-v)
			if d <= l.delta {
				sum += float32(d * d / 2)
			} else {
				sum += float32(l.delta * (d - l.delta/2))
			}
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l huber) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		dx[i] = min(max(v-target[i], -l.delta), l.delta) * (scale[i/l.size] / float32(l.size))
	}
}
