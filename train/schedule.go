package train

import (
	"errors"
	"fmt"
	"math"
)

// Schedule scales an optimizer's learning rate over the steps of training.
type Schedule interface {
	// Factor multiplies the learning rate at a step, counted from 0.
	Factor(step uint64) float64
}

// Constant keeps the rate: factor 1.
type Constant struct{}

// Factor implements [Schedule].
func (Constant) Factor(uint64) float64 { return 1 }

// StepDecay multiplies the rate by Rate after every Steps steps:
// Rate^floor(step/Steps).
type StepDecay struct {
	Steps uint64
	Rate  float64
}

// Factor implements [Schedule].
func (s StepDecay) Factor(step uint64) float64 { return math.Pow(s.Rate, float64(step/s.Steps)) }

func (s StepDecay) check() error { return checkDecay("StepDecay", s.Steps, s.Rate) }

// ExponentialDecay multiplies the rate smoothly by Rate every Steps steps:
// Rate^(step/Steps).
type ExponentialDecay struct {
	Steps uint64
	Rate  float64
}

// Factor implements [Schedule].
func (s ExponentialDecay) Factor(step uint64) float64 {
	return math.Pow(s.Rate, float64(step)/float64(s.Steps))
}

func (s ExponentialDecay) check() error { return checkDecay("ExponentialDecay", s.Steps, s.Rate) }

// CosineDecay lowers the rate along half a cosine from 1 to Alpha over Steps
// steps and keeps it there:
//
//	(1-Alpha) * (1 + cos(pi*min(step,Steps)/Steps))/2 + Alpha
type CosineDecay struct {
	Steps uint64
	Alpha float64
}

// Factor implements [Schedule].
func (s CosineDecay) Factor(step uint64) float64 {
	x := float64(min(step, s.Steps)) / float64(s.Steps)
	return (1-s.Alpha)*(1+math.Cos(math.Pi*x))/2 + s.Alpha
}

func (s CosineDecay) check() error { return checkDecay("CosineDecay", s.Steps, s.Alpha) }

// Warmup raises the rate linearly from 1/Steps to 1 over Steps steps, then
// follows Then (nil: constant), whose steps count from the end of the warm-up.
type Warmup struct {
	Steps uint64
	Then  Schedule
}

// Factor implements [Schedule].
func (s Warmup) Factor(step uint64) float64 {
	if step < s.Steps {
		return float64(step+1) / float64(s.Steps)
	}
	if s.Then == nil {
		return 1
	}
	return s.Then.Factor(step - s.Steps)
}

func (s Warmup) check() error {
	err := checkDecay("Warmup", s.Steps, 1)
	if c, ok := s.Then.(interface{ check() error }); ok {
		err = errors.Join(err, c.check())
	}
	return err
}

// checkDecay reports a schedule without steps or with an impossible rate.
func checkDecay(name string, steps uint64, rate float64) error {
	if steps == 0 || !(rate >= 0) || math.IsInf(rate, 0) {
		return fmt.Errorf("train: %s: %d steps and rate %v, want at least one step and a finite rate", name, steps, rate)
	}
	return nil
}
