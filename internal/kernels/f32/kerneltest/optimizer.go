package kerneltest

import "math"

// SGD defines f32.SGD.
func SGD(w, grad []float32, rate float32) {
	for i, d := range grad {
		w[i] -= float32(rate * d)
	}
}

// Momentum defines f32.Momentum.
func Momentum(w, grad, v []float32, rate, m float32, nesterov bool) {
	for i, d := range grad {
		v[i] = settled(float32(m*v[i]) - float32(rate*d))
		if nesterov {
			w[i] += float32(m*v[i]) - float32(rate*d)
		} else {
			w[i] += v[i]
		}
	}
}

// Adam defines f32.Adam.
func Adam(w, grad, m, v []float32, rest1, rest2, rate, epsilon float32) {
	for i, d := range grad {
		m[i] = settled(m[i] + float32(rest1*(d-m[i])))
		v[i] = settled(v[i] + float32(rest2*(float32(d*d)-v[i])))
		w[i] -= float32(rate*m[i]) / (root(v[i]) + epsilon)
	}
}

// RMSprop defines f32.RMSprop.
func RMSprop(w, grad, v []float32, rho, rest, rate, epsilon float32) {
	for i, d := range grad {
		v[i] = settled(float32(rho*v[i]) + float32(rest*float32(d*d)))
		w[i] -= float32(rate*d) / root(v[i]+epsilon)
	}
}

// settled is what becomes of state: 0 below 2^-100.
func settled(v float32) float32 {
	if math.Abs(float64(v)) < 0x1p-100 {
		return 0
	}
	return v
}

func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }
