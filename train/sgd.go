package train

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
	r, m := float32(rate), float32(o.Momentum)
	if o.Momentum == 0 {
		for i, d := range g {
			w[i] -= float32(r * d)
		}
		return
	}
	v := state[0]
	for i, d := range g {
		step := float32(r * d)
		v[i] = float32(m*v[i]) - step
		if o.Nesterov {
			w[i] += float32(m*v[i]) - step
		} else {
			w[i] += v[i]
		}
	}
}
