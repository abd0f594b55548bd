package nodes

import "github.com/goqat/goqat/internal/kernels/f32"

// Probabilities are clipped to [epsilon, 1-epsilon] before their logarithm is
// taken; where they are outside there is no gradient. Source: Keras 3.
const epsilon = 1e-7

// clip returns p inside [epsilon, 1-epsilon] and whether it was there.
func clip(p float32) (clipped float32, inside bool) {
	return min(max(p, epsilon), 1-epsilon), p >= epsilon && p <= 1-epsilon
}

// categoricalLogits is -sum(t*log(softmax(x))).
//
// Gradient: softmax(x)*sum(t) - t.
type categoricalLogits struct {
	rows, size int
	logp       []float32
}

func (l *categoricalLogits) forward(loss, x, target []float32) {
	f32.LogSoftmax(l.rows, l.size, l.logp, x)
	for r := range loss {
		loss[r] = -f32.Dot(row(target, r, l.size), row(l.logp, r, l.size))
	}
}

func (l *categoricalLogits) backward(dx, x, target, scale []float32) {
	f32.ExpTo(dx, l.logp)
	for r, s := range scale {
		d, t := row(dx, r, l.size), row(target, r, l.size)
		total := f32.Sum(t)
		for j, p := range d {
			d[j] = (float32(p*total) - t[j]) * s
		}
	}
}

// categoricalProbabilities is -sum(t*log(clip(q))), q = p/sum(p).
//
// Gradient: (g - sum(g*q))/sum(p) with g = -t/q, or 0 where q was clipped.
type categoricalProbabilities struct {
	size int
	g    []float32
}

func (l *categoricalProbabilities) forward(loss, p, target []float32) {
	for r := range loss {
		p, t := row(p, r, l.size), row(target, r, l.size)
		total := f32.Sum(p)
		for j := range p {
			q, _ := clip(p[j] / total)
			l.g[j] = f32.Log(q)
		}
		loss[r] = -f32.Dot(t, l.g)
	}
}

func (l *categoricalProbabilities) backward(dp, p, target, scale []float32) {
	for r, s := range scale {
		d, p, t := row(dp, r, l.size), row(p, r, l.size), row(target, r, l.size)
		total := f32.Sum(p)
		for j := range p {
			q, inside := clip(p[j] / total)
			l.g[j] = 0
			if inside {
				l.g[j] = -t[j] / q
			}
		}
		shared := f32.Dot(l.g, p) / total
		for j := range d {
			d[j] = (l.g[j] - shared) / total * s
		}
	}
}

// binaryLogits is the mean of log(1+e^x) - x*t.
//
// Gradient: (sigmoid(x) - t) / size.
type binaryLogits struct{ size int }

func (l binaryLogits) forward(loss, x, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(x, r, l.size) {
			sum += f32.Softplus(v) - float32(v*t[j])
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l binaryLogits) backward(dx, x, target, scale []float32) {
	for i, v := range x {
		dx[i] = (f32.Sigmoid(v) - target[i]) * (scale[i/l.size] / float32(l.size))
	}
}

// binaryProbabilities is the mean of -(t*log q + (1-t)*log(1-q)), q = clip(p).
//
// Gradient: (q-t) / (q*(1-q)) / size, or 0 where p was clipped.
type binaryProbabilities struct{ size int }

func (l binaryProbabilities) forward(loss, p, target []float32) {
	for r := range loss {
		t, sum := row(target, r, l.size), float32(0)
		for j, v := range row(p, r, l.size) {
			q, _ := clip(v)
			sum -= float32(t[j]*f32.Log(q)) + float32((1-t[j])*f32.Log(1-q))
		}
		loss[r] = sum / float32(l.size)
	}
}

func (l binaryProbabilities) backward(dp, p, target, scale []float32) {
	for i, v := range p {
		dp[i] = 0
		if q, inside := clip(v); inside {
			dp[i] = (q - target[i]) / float32(q*(1-q)) * (scale[i/l.size] / float32(l.size))
		}
	}
}

// row returns row r of x [rows, size].
func row(x []float32, r, size int) []float32 { return x[r*size : (r+1)*size] }
