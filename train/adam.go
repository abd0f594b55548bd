package train

import (
	"errors"
	"math"

	"github.com/goqat/goqat/internal/kernels/f32"
)

// Adam keeps moving averages of the gradient and its square.
//
//	m += (1-Beta1)*(g - m);  v += (1-Beta2)*(g*g - v)
//	w -= rate * sqrt(1-Beta2^t)/(1-Beta1^t) * m/(sqrt(v) + Epsilon)
//
// Source: Kingma and Ba, "Adam" (2015), in the form of Keras 3.
type Adam struct {
	LearningRate float64 // 0 means 0.001
	Schedule     Schedule
	Beta1        float64 // 0 means 0.9
	Beta2        float64 // 0 means 0.999
	Epsilon      float64 // 0 means 1e-7
}

func (Adam) slots() []string { return []string{"m", "v"} }

func (o Adam) rate(step uint64) float64 { return rateOf(o.LearningRate, 0.001, o.Schedule, step) }

func (o Adam) check() error {
	return checkSettings("Adam", o.Schedule,
		map[string]float64{"LearningRate": o.LearningRate, "Epsilon": o.Epsilon},
		map[string]float64{"Beta1": o.Beta1, "Beta2": o.Beta2})
}

func (o Adam) update(w, g []float32, state [][]float32, rate float64, step uint64) {
	b1, b2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	t := float64(step)
	r := float32(rate * math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t)))
	f32.Adam(w, g, state[0], state[1], float32(1-b1), float32(1-b2), r, float32(orDefault(o.Epsilon, 1e-7)))
}

// sqrt32 is the correctly rounded float32 square root.
func sqrt32(v float32) float32 { return float32(math.Sqrt(float64(v))) }

// AdamW is [Adam] with decoupled weight decay: before each update,
//
//	w -= rate*WeightDecay*w
//
// for every parameter.
//
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization"
// (2019), in the form of Keras 3.
type AdamW struct {
	LearningRate float64 // 0 means 0.001
	Schedule     Schedule
	Beta1        float64 // 0 means 0.9
	Beta2        float64 // 0 means 0.999
	Epsilon      float64 // 0 means 1e-7
	WeightDecay  float64 // 0 means 0.004
}

// adam is the optimizer without the decay.
func (o AdamW) adam() Adam {
	return Adam{LearningRate: o.LearningRate, Schedule: o.Schedule, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon}
}

func (o AdamW) slots() []string { return o.adam().slots() }

func (o AdamW) rate(step uint64) float64 { return o.adam().rate(step) }

func (o AdamW) check() error {
	return errors.Join(o.adam().check(),
		checkSettings("AdamW", nil, map[string]float64{"WeightDecay": o.WeightDecay}, nil))
}

func (o AdamW) update(w, g []float32, state [][]float32, rate float64, step uint64) {
	f32.Axpy(w, -float32(rate*orDefault(o.WeightDecay, 0.004)), w)
	o.adam().update(w, g, state, rate, step)
}
