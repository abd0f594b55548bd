package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/goqat/goqat/data"
)

// Precision is the share of right ones among the outputs predicted positive:
// TP/(TP + FP), or 0 without any. Every output of a row counts by itself, with
// targets as [Accuracy] takes them; those above 0.5 are positive, and of a label
// the output that it names.
//
// Outputs are taken as probabilities, made from logits by the loss's softmax or
// sigmoid, to which the scores of hinge losses are put too.
//
// Source: Keras 3, metrics.Precision.
type Precision struct {
	// Threshold above which an output is positive; 0 means 0.5, or with TopK
	// none.
	Threshold float64
	// TopK, if not 0, makes the greatest TopK outputs of a row positive (of
	// equal ones the first) if they are above the threshold, and no others.
	// With TopK 1 and one of the Classes it is the precision of that class as a
	// [ConfusionMatrix] has it.
	TopK int
	// Classes are the outputs that count; nil means all.
	Classes []int
	As      string // the metric's name; empty means "precision"
}

// Recall is the share of outputs predicted positive among those that should be:
// TP/(TP + FN), or 0 without any. All else is as in [Precision].
//
// Source: Keras 3, metrics.Recall.
type Recall struct {
	Threshold float64 // as in [Precision]
	TopK      int     // as in [Precision]
	Classes   []int   // as in [Precision]
	As        string  // the metric's name; empty means "recall"
}

// Name implements [Metric].
func (m Precision) Name() string { return nameOr(m.As, "precision") }

// Name implements [Metric].
func (m Recall) Name() string { return nameOr(m.As, "recall") }

// Score implements [Metric]: the value over a single row.
func (m Precision) Score(output, target []float32, loss Loss) float64 {
	return alone(m, output, target, loss)
}

// Score implements [Metric]: the value over a single row.
func (m Recall) Score(output, target []float32, loss Loss) float64 {
	return alone(m, output, target, loss)
}

// Counts of Precision and Recall, by index.
const (
	truePositives = iota
	falsePositives
	falseNegatives
	decisions // their number
)

// Accumulate implements [Accumulator].
func (m Precision) Accumulate(counts []float64, output, target []float32, loss Loss) []float64 {
	if counts == nil {
		counts = make([]float64, decisions)
	}
	p, threshold := probabilities(output, loss), orDefault(m.Threshold, 0.5)
	switch {
	case m.TopK > 0 && m.Threshold == 0:
		threshold = -1
	case linkOf(loss) == sigmoid: // compared as logits, which are not rounded
		p, threshold = output, math.Log(threshold/(1-threshold))
	}
	for j := range output {
		if m.counts(j) {
			said := p[j] > float32(threshold) && (m.TopK == 0 || rank(output, j) < m.TopK)
			switch is := positive(output, target, j); {
			case said && is:
				counts[truePositives]++
			case said:
				counts[falsePositives]++
			case is:
				counts[falseNegatives]++
			}
		}
	}
	return counts
}

// Accumulate implements [Accumulator].
func (m Recall) Accumulate(counts []float64, output, target []float32, loss Loss) []float64 {
	return m.precision().Accumulate(counts, output, target, loss)
}

// precision has the same settings, and so the same counts.
func (m Recall) precision() Precision { return Precision(m) }

// counts reports whether output j is one of the Classes.
func (m Precision) counts(j int) bool {
	for _, c := range m.Classes {
		if c == j {
			return true
		}
	}
	return m.Classes == nil
}

// rank returns how many outputs come before output j: the greater ones, and
// equal ones of a smaller index.
func rank(output []float32, j int) int {
	before := 0
	for i, v := range output {
		if v > output[j] || v == output[j] && i < j {
			before++
		}
	}
	return before
}

// Value implements [Accumulator].
func (Precision) Value(counts []float64) float64 {
	return ratio(counts[truePositives], counts[falsePositives])
}

// Value implements [Accumulator].
func (Recall) Value(counts []float64) float64 {
	return ratio(counts[truePositives], counts[falseNegatives])
}

// ratio returns part/(part + rest), 0 for nothing.
func ratio(part, rest float64) float64 {
	if part == 0 {
		return 0
	}
	return part / (part + rest)
}

func (m Precision) check() error {
	var faults []error
	if !(m.Threshold >= 0 && m.Threshold <= 1) {
		faults = append(faults, fmt.Errorf("threshold is %v, want 0 to 1", m.Threshold))
	}
	if m.TopK < 0 {
		faults = append(faults, fmt.Errorf("TopK is %d, want a positive number", m.TopK))
	}
	return errors.Join(faults...)
}

func (m Recall) check() error { return m.precision().check() }

func (m Precision) fits(output []int, _ data.Dataset) error {
	n := 1
	for _, d := range output {
		n *= d
	}
	for _, c := range m.Classes {
		if c < 0 || c >= n {
			return fmt.Errorf("class %d of a network with %d outputs", c, n)
		}
	}
	return nil
}

func (m Recall) fits(output []int, ds data.Dataset) error { return m.precision().fits(output, ds) }
