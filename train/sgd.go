package train

import "github.com/goqat/goqat/internal/kernels/f32"

// SGD is gradient descent with optional momentum.
//
//	plain:    w -= rate*g
//	momentum: v = Momentum*v - rate*g;  w += v
//	Nesterov: v = Momentum*v - rate*g;  w += Momentum*v - rate*g
//
// Source: Keras 3, SGD.
type SGD struct {
	LearningRate float64 // 0 means 0.01
	Schedule     Schedule
	Momentum     float64
	Nesterov     bool
}

func (o SGD) slots() []string {
	if o.Momentum == 0 {
		return nil
	}
	return []string{"momentum"}
}

func (o SGD) rate(step uint64) float64 { return rateOf(o.LearningRate, 0.01, o.Schedule, step) }

func (o SGD) check() error {
	return checkSettings("SGD", o.Schedule,
		map[string]float64{"LearningRate": o.LearningRate}, map[string]float64{"Momentum": o.Momentum})
}

func (o SGD) update(w, g []float32, state [][]float32, rate float64, _ uint64) {
	if o.Momentum == 0 {
		f32.SGD(w, g, float32(rate))
		return
	}
	f32.Momentum(w, g, state[0], float32(rate), float32(o.Momentum), o.Nesterov)
}
