package train

import (
	"math"
	"strings"
	"testing"
)

// steps applies an optimizer n times with a constant gradient.
func steps(o Optimizer, w, g []float32, n int) []float32 {
	w = append([]float32(nil), w...)
	state := make([][]float32, len(o.slots()))
	for i := range state {
		state[i] = make([]float32, len(w))
	}
	for t := range n {
		o.update(w, g, state, o.rate(uint64(t)), uint64(t+1))
	}
	return w
}

// The expected values follow from Keras 3's formulas by hand: for one step from
// zero state, Adam moves by rate*g/|g|, RMSprop by rate*g/sqrt((1-rho)g^2).
func TestOptimizers(t *testing.T) {
	start, gradient := []float32{1, 2, 3, 4}, []float32{1, 6, 7, 2}
	root10 := float32(math.Sqrt(10))
	for _, c := range []struct {
		name  string
		o     Optimizer
		steps int
		want  []float32
	}{
		{"SGD", SGD{LearningRate: 0.5}, 1, []float32{0.5, -1, -0.5, 3}},
		// v1 = -0.5g, v2 = 0.9*v1 - 0.5g: total -0.5g - 0.95g
		{"SGD momentum", SGD{LearningRate: 0.5, Momentum: 0.9}, 2, []float32{-0.45, -6.7, -7.15, 1.1}},
		// step 1: 0.9*(-0.5g) - 0.5g = -0.95g; step 2: v = -0.95g, 0.9v - 0.5g = -1.355g
		{"SGD Nesterov", SGD{LearningRate: 0.5, Momentum: 0.9, Nesterov: true}, 2, []float32{-1.305, -11.83, -13.135, -0.61}},
		{"Adam", Adam{LearningRate: 0.5}, 1, []float32{0.5, 1.5, 2.5, 3.5}},
		{"Adam, constant gradient", Adam{LearningRate: 0.5}, 4, []float32{-1, 0, 1, 2}},
		// decay first: w*(1 - 0.5*0.004), then Adam
		{"AdamW", AdamW{LearningRate: 0.5}, 1, []float32{0.498, 1.496, 2.494, 3.492}},
		{"RMSprop", RMSprop{LearningRate: 0.5}, 1, []float32{1 - 0.5*root10, 2 - 0.5*root10, 3 - 0.5*root10, 4 - 0.5*root10}},
		// centered: v - mean^2 = 0.1g^2 - 0.01g^2 = 0.09g^2, so the move is rate/0.3
		{"RMSprop centered", RMSprop{LearningRate: 0.3, Centered: true}, 1, []float32{0, 1, 2, 3}},
		{"RMSprop momentum", RMSprop{LearningRate: 0.5, Momentum: 0.5}, 1, []float32{1 - 0.5*root10, 2 - 0.5*root10, 3 - 0.5*root10, 4 - 0.5*root10}},
	} {
		got := steps(c.o, start, gradient, c.steps)
		for i := range got {
			// A handful of float32 roundings of numbers below 16, and epsilon 1e-7.
			if math.Abs(float64(got[i]-c.want[i])) > 5e-6 {
				t.Errorf("%s: element %d is %v, want %v", c.name, i, got[i], c.want[i])
			}
		}
	}
}

func TestOptimizersRefuse(t *testing.T) {
	for _, c := range []struct {
		o    Optimizer
		want string
	}{
		{SGD{LearningRate: -1}, "LearningRate is -1"},
		{SGD{Momentum: 1}, "Momentum is 1"},
		{Adam{Beta1: 1.5}, "Beta1 is 1.5"},
		{Adam{LearningRate: math.NaN()}, "LearningRate is NaN"},
		{AdamW{WeightDecay: -0.1}, "WeightDecay is -0.1"},
		{RMSprop{Rho: -1}, "Rho is -1"},
		{Adam{Schedule: CosineDecay{}}, "CosineDecay: 0 steps"},
		{Adam{Schedule: Warmup{Steps: 1, Then: StepDecay{}}}, "StepDecay: 0 steps"},
	} {
		if err := c.o.check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T%+v: error %v, want %q", c.o, c.o, err, c.want)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		step uint64
		want float64
	}{
		{"constant", Constant{}, 1000, 1},
		{"step, before", StepDecay{Steps: 10, Rate: 0.5}, 9, 1},
		{"step, after two", StepDecay{Steps: 10, Rate: 0.5}, 20, 0.25},
		{"exponential", ExponentialDecay{Steps: 10, Rate: 0.25}, 5, 0.5},
		{"cosine, start", CosineDecay{Steps: 10}, 0, 1},
		{"cosine, middle", CosineDecay{Steps: 10, Alpha: 0.2}, 5, 0.6},
		{"cosine, end", CosineDecay{Steps: 10, Alpha: 0.2}, 99, 0.2},
		{"warm-up, first", Warmup{Steps: 4}, 0, 0.25},
		{"warm-up, done", Warmup{Steps: 4}, 4, 1},
		{"warm-up, then", Warmup{Steps: 4, Then: StepDecay{Steps: 2, Rate: 0.5}}, 6, 0.5},
	} {
		if got := c.s.Factor(c.step); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: factor %v at step %d, want %v", c.name, got, c.step, c.want)
		}
		if got := (SGD{LearningRate: 0.1, Schedule: c.s}).rate(c.step); math.Abs(got-0.1*c.want) > 1e-15 {
			t.Errorf("%s: rate %v, want %v", c.name, got, 0.1*c.want)
		}
	}
}

func TestDefaultRates(t *testing.T) {
	for _, c := range []struct {
		o    Optimizer
		want float64
	}{{SGD{}, 0.01}, {Adam{}, 0.001}, {AdamW{}, 0.001}, {RMSprop{}, 0.001}} {
		if got := c.o.rate(0); got != c.want {
			t.Errorf("%T: default rate %v, want %v", c.o, got, c.want)
		}
	}
}
