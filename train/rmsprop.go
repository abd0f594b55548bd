package train

import "github.com/goqat/goqat/internal/kernels/f32"

// RMSprop divides the gradient by a moving average of its magnitude.
//
//	v = Rho*v + (1-Rho)*g*g
//	plain:    w -= rate*g/sqrt(v + Epsilon)
//	momentum: u = Momentum*u + rate*g/sqrt(v + Epsilon);  w -= u
//
// Centered subtracts the square of the moving average of g from v.
//
// Source: Hinton's lecture notes, in the form of Keras 3.
type RMSprop struct {
	LearningRate float64 // 0 means 0.001
	Schedule     Schedule
	Rho          float64 // 0 means 0.9
	Momentum     float64
	Epsilon      float64 // 0 means 1e-7
	Centered     bool
}

func (o RMSprop) slots() []string {
	names := []string{"v"}
	if o.Momentum > 0 {
		names = append(names, "momentum")
	}
	if o.Centered {
		names = append(names, "mean")
	}
	return names
}

func (o RMSprop) rate(step uint64) float64 { return rateOf(o.LearningRate, 0.001, o.Schedule, step) }

func (o RMSprop) check() error {
	return checkSettings("RMSprop", o.Schedule,
		map[string]float64{"LearningRate": o.LearningRate, "Epsilon": o.Epsilon},
		map[string]float64{"Rho": o.Rho, "Momentum": o.Momentum})
}

func (o RMSprop) update(w, g []float32, state [][]float32, rate float64, _ uint64) {
	rho := float32(orDefault(o.Rho, 0.9))
	rest, r, eps, mom := 1-rho, float32(rate), float32(orDefault(o.Epsilon, 1e-7)), float32(o.Momentum)
	if o.Momentum == 0 && !o.Centered {
		f32.RMSprop(w, g, state[0], rho, rest, r, eps)
		return
	}
	v, mean := state[0], state[len(state)-1]
	for i, d := range g {
		v[i] = float32(rho*v[i]) + float32(rest*float32(d*d))
		power := v[i]
		if o.Centered {
			mean[i] = float32(rho*mean[i]) + float32(rest*d)
			power -= float32(mean[i] * mean[i])
		}
		move := float32(r*d) / sqrt32(power+eps)
		if o.Momentum > 0 {
			u := state[1]
			u[i] = float32(mom*u[i]) + move
			move = u[i]
		}
		w[i] -= move
	}
}
