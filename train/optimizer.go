package train

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Optimizer turns gradients into new weights. The optimizers are [SGD], [Adam],
// [AdamW] and [RMSprop].
type Optimizer interface {
	// slots names the state vectors kept for each parameter.
	slots() []string
	// update changes w, given its gradient g, its state, the learning rate and
	// the number of the step, counted from 1.
	update(w, g []float32, state [][]float32, rate float64, step uint64)
	// rate is the learning rate of a step, counted from 0.
	rate(step uint64) float64
	// check reports settings out of range.
	check() error
}

// rateOf applies a schedule to a base rate; zero takes the optimizer's default.
func rateOf(base, standard float64, s Schedule, step uint64) float64 {
	if base == 0 {
		base = standard
	}
	if s == nil {
		return base
	}
	return base * s.Factor(step)
}

// checkSettings reports settings that are NaN, infinite or negative, and
// decays that are not below one.
func checkSettings(optimizer string, s Schedule, positive, decays map[string]float64) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(positive)) {
		if v := positive[name]; !(v >= 0) || math.IsInf(v, 0) {
			faults = append(faults, fmt.Errorf("train: %s: %s is %v, want a finite number of at least 0", optimizer, name, v))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(decays)) {
		if v := decays[name]; !(v >= 0 && v < 1) {
			faults = append(faults, fmt.Errorf("train: %s: %s is %v, want at least 0 and below 1", optimizer, name, v))
		}
	}
	if c, ok := s.(interface{ check() error }); ok {
		faults = append(faults, c.check())
	}
	return errors.Join(faults...)
}

// orDefault returns v, or the standard value where v is zero.
func orDefault(v, standard float64) float64 {
	if v == 0 {
		return standard
	}
	return v
}
