package f32

import "math"

// The kernels in this file are optimizers: they change the weights w, and state of the same length, by a gradient,
// elementwise over len(grad) elements. State below 2^-100 becomes 0: what decays where gradients have ended would otherwise
// become denormal numbers, on which processors are slow, and stay there. Weights do not see the difference.

// SGD computes w -= rate*grad.
func SGD(w, grad []float32, rate float32) {
	each(len(grad), costUpdate, update{w: w, grad: grad, rate: rate}, func(u update, i, j int) { level.sgd(u.w[i:j], u.grad[i:j], u.rate) })
}

// Momentum computes v = m*v - rate*grad and w += v, or for Nesterov's momentum w += m*v - rate*grad.
func Momentum(w, grad, v []float32, rate, m float32, nesterov bool) {
	f := func(u update, i, j int) { level.momentum(u.w[i:j], u.grad[i:j], u.v[i:j], u.rate, u.rho) }
	if nesterov {
		f = func(u update, i, j int) { level.nesterov(u.w[i:j], u.grad[i:j], u.v[i:j], u.rate, u.rho) }
	}
	each(len(grad), costUpdate, update{w: w, grad: grad, v: v, rate: rate, rho: m}, f)
}

// Adam computes
//
//	m += rest1*(grad - m);  v += rest2*(grad*grad - v);  w -= rate*m/(sqrt(v) + epsilon)
func Adam(w, grad, m, v []float32, rest1, rest2, rate, epsilon float32) {
	each(len(grad), costUpdate, update{w: w, grad: grad, m: m, v: v, rest1: rest1, rest2: rest2, rate: rate, epsilon: epsilon}, func(u update, i, j int) {
		level.adam(u.w[i:j], u.grad[i:j], u.m[i:j], u.v[i:j], u.rest1, u.rest2, u.rate, u.epsilon)
	})
}

// RMSprop computes v = rho*v + rest*grad*grad and w -= rate*grad/sqrt(v + epsilon).
func RMSprop(w, grad, v []float32, rho, rest, rate, epsilon float32) {
	each(len(grad), costUpdate, update{w: w, grad: grad, v: v, rho: rho, rest2: rest, rate: rate, epsilon: epsilon}, func(u update, i, j int) {
		level.rmsprop(u.w[i:j], u.grad[i:j], u.v[i:j], u.rho, u.rest2, u.rate, u.epsilon)
	})
}

// update is the arguments of an optimizer.
type update struct {
	w, grad, m, v               []float32
	rest1, rest2, rate, epsilon float32
	rho                         float32 // or momentum
}

// costUpdate is the cost of an element of an optimizer: a root and a division.
const costUpdate = 8

func sgdPortable(w, grad []float32, rate float32) {
	w = w[:len(grad)]
	for i, d := range grad {
		w[i] -= float32(rate * d)
	}
}

func momentumPortable(w, grad, v []float32, rate, m float32) {
	w, v = w[:len(grad)], v[:len(grad)]
	for i, d := range grad {
		v[i] = settled(float32(m*v[i]) - float32(rate*d))
		w[i] += v[i]
	}
}

func nesterovPortable(w, grad, v []float32, rate, m float32) {
	w, v = w[:len(grad)], v[:len(grad)]
	for i, d := range grad {
		step := float32(rate * d)
		v[i] = settled(float32(m*v[i]) - step)
		w[i] += float32(m*v[i]) - step
	}
}

func adamPortable(w, grad, m, v []float32, rest1, rest2, rate, epsilon float32) {
	w, m, v = w[:len(grad)], m[:len(grad)], v[:len(grad)]
	for i, d := range grad {
		m[i] = settled(m[i] + float32(rest1*(d-m[i])))
		v[i] = settled(v[i] + float32(rest2*(float32(d*d)-v[i])))
		w[i] -= float32(rate*m[i]) / (sqrt(v[i]) + epsilon)
	}
}

func rmspropPortable(w, grad, v []float32, rho, rest, rate, epsilon float32) {
	w, v = w[:len(grad)], v[:len(grad)]
	for i, d := range grad {
		v[i] = settled(float32(rho*v[i]) + float32(rest*float32(d*d)))
		w[i] -= float32(rate*d) / sqrt(v[i]+epsilon)
	}
}

// settled returns v, or 0 where that is too small to matter.
func settled(v float32) float32 {
	if v > -0x1p-100 && v < 0x1p-100 {
		return 0
	}
	return v
}

// sqrt is the correctly rounded float32 root: that of float64, rounded.
func sqrt(v float32) float32 { return float32(math.Sqrt(float64(v))) }
