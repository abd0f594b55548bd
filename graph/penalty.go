package graph

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Penalty is what training adds to the loss for a parameter w:
//
//	L1*sum(|w|) + L2*sum(w^2)
//
// Gradient: L1*sign(w) + 2*L2*w, with sign(0) = 0. Quantizers do not enter: the
// penalty is on the float values behind them.
//
// Errors: a factor that is negative or not finite.
//
// Source: Keras 3, L1L2.
type Penalty struct {
	L1 float32 `json:"l1,omitempty"`
	L2 float32 `json:"l2,omitempty"`
}

// Check reports factors out of range.
func (p Penalty) Check() error { return errors.Join(checkFactor("l1", p.L1), checkFactor("l2", p.L2)) }

func (p Penalty) String() string {
	var parts []string
	if p.L1 != 0 {
		parts = append(parts, fmt.Sprintf("l1 %v", p.L1))
	}
	if p.L2 != 0 {
		parts = append(parts, fmt.Sprintf("l2 %v", p.L2))
	}
	return strings.Join(parts, " ")
}

// Bound says what a [Constraint] demands of the weights v of each unit.
type Bound uint8

const (
	// Unbounded demands nothing.
	Unbounded Bound = iota
	// MaxNorm keeps sqrt(sum(v^2)) at most Max.
	MaxNorm
	// UnitNorm keeps sqrt(sum(v^2)) at 1.
	UnitNorm
	// NonNeg keeps every weight at 0 or above.
	NonNeg
)

var boundNames = [...]string{"none", "max_norm", "unit_norm", "non_neg"}

func (b Bound) String() string {
	if int(b) < len(boundNames) {
		return boundNames[b]
	}
	return fmt.Sprintf("bound %d", uint8(b))
}

// MarshalText writes the bound by name.
func (b Bound) MarshalText() ([]byte, error) { return nameOf(boundNames[:], b, "bound") }

// UnmarshalText reads a bound by name.
func (b *Bound) UnmarshalText(text []byte) error { return parseName(boundNames[:], b, text, "bound") }

// Constraint is what training restores of a parameter after each update. The
// zero value demands nothing. The weights of one unit are those with one index
// on [Graph.UnitAxis].
//
// Errors: an unknown bound; for MaxNorm a Max that is not positive and finite,
// for others one that is not zero.
//
// Source: Keras 3, constraints.
type Constraint struct {
	Bound Bound   `json:"bound"`
	Max   float32 `json:"max,omitempty"`
}

// Check reports a constraint that no weights could be held to.
func (c Constraint) Check() error {
	switch {
	case int(c.Bound) >= len(boundNames):
		return fmt.Errorf("unknown constraint %d", uint8(c.Bound))
	case c.Bound != MaxNorm && c.Max != 0:
		return fmt.Errorf("constraint %v with a maximum of %v", c.Bound, c.Max)
	case c.Bound == MaxNorm && c.Max == 0:
		return fmt.Errorf("constraint %v with a maximum of 0", c.Bound)
	}
	return checkFactor(c.Bound.String(), c.Max)
}

func (c Constraint) String() string {
	if c.Bound == MaxNorm {
		return fmt.Sprintf("%v %v", c.Bound, c.Max)
	}
	return c.Bound.String()
}

func checkFactor(name string, v float32) error {
	if !(v >= 0) || math.IsInf(float64(v), 0) {
		return fmt.Errorf("%s is %v, want a finite number of at least 0", name, v)
	}
	return nil
}

// UnitAxis returns the axis of the parameter w that indexes units: the channel
// axis of the anchor whose weights w is, directly or behind FakeQuant and
// FoldWeights nodes. It is -1 for any other tensor, which counts as one unit.
func (g *Graph) UnitAxis(w *Tensor) int {
	for _, n := range g.Consumers(w) {
		switch op := n.Op.(type) {
		case Anchored:
			if n.Input(InputWeights) == w {
				return op.ChannelAxis()
			}
		case FakeQuant, FoldWeights:
			if n.Input(0) == w {
				return g.UnitAxis(n.Output)
			}
		}
	}
	return -1
}
