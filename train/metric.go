package train

import (
	"fmt"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/train/internal/nodes"
)

// Metric measures predictions; its value is the mean over the rows seen, which
// sample and class weights do not touch. Metrics hold settings and no memory.
type Metric interface {
	// Name appears in histories and logs: "accuracy".
	Name() string
	// Score measures one row: the network's output against the target.
	Score(output, target []float32, loss Loss) float64
}

// Accumulator is a [Metric] that is no mean over rows: its value follows from
// counts over all of them.
type Accumulator interface {
	Metric
	// Accumulate adds a row to the counts, which are empty before the first, and
	// returns them. The number of counts depends on the length of the output.
	Accumulate(counts []float64, output, target []float32, loss Loss) []float64
	// Value returns the metric.
	Value(counts []float64) float64
}

// alone is the Score of an Accumulator: its value over a single row.
func alone(a Accumulator, output, target []float32, loss Loss) float64 {
	return a.Value(a.Accumulate(nil, output, target, loss))
}

// checkMetrics reports settings out of range and names that two metrics have.
func checkMetrics(metrics []Metric) error {
	seen := map[string]bool{}
	for _, m := range metrics {
		name := m.Name()
		if c, ok := m.(interface{ check() error }); ok {
			if err := c.check(); err != nil {
				return fmt.Errorf("train: metric %s: %w", name, err)
			}
		}
		if seen[name] {
			return fmt.Errorf("train: two metrics have the name %q: set the field As of one", name)
		}
		seen[name] = true
	}
	return nil
}

// metricsFit reports a metric that cannot measure outputs of the given shape.
func metricsFit(metrics []Metric, output []int, ds data.Dataset) error {
	for _, m := range metrics {
		if f, ok := m.(interface {
			fits(output []int, ds data.Dataset) error
		}); ok {
			if err := f.fits(output, ds); err != nil {
				return fmt.Errorf("train: metric %s: %w", m.Name(), err)
			}
		}
	}
	return nil
}

// Accuracy is the share of right predictions. With one target and several
// outputs the target is a label and the prediction the largest output (the
// first of equals); with several targets both are the largest; with one output
// the prediction is positive above 0.5, or above 0 when the loss takes logits or
// is a hinge loss.
type Accuracy struct{}

// Name implements [Metric].
func (Accuracy) Name() string { return "accuracy" }

// Score implements [Metric].
func (Accuracy) Score(output, target []float32, loss Loss) float64 {
	right, predicted := classes(output, target, loss)
	if right == predicted {
		return 1
	}
	return 0
}

// classes returns the class of a target and the class that is predicted for it,
// by the rules of [Accuracy]; with one output, 1 is positive.
func classes(output, target []float32, loss Loss) (right, predicted int) {
	switch {
	case len(output) == 1:
		threshold := float32(0.5)
		if linkOf(loss) == sigmoid {
			threshold = 0
		}
		if target[0] > 0.5 {
			right = 1
		}
		if output[0] > threshold {
			predicted = 1
		}
		return right, predicted
	case len(target) == 1:
		return int(target[0]), Largest(output)
	}
	return Largest(target), Largest(output)
}

// Largest returns the index of the greatest value, the first of equals.
func Largest(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

// link says what turns outputs into probabilities.
type link uint8

const (
	identity link = iota // they are probabilities already
	sigmoid
	softmax
)

// linkOf returns the link of the outputs that a loss takes: logits, or the
// scores of a hinge loss, which are read as logits.
func linkOf(l Loss) link {
	switch s := l.spec(); {
	case s.Kind == nodes.Hinge, s.Kind == nodes.SquaredHinge, s.Kind == nodes.BinaryCrossentropy && s.FromLogits:
		return sigmoid
	case s.Kind == nodes.CategoricalHinge, s.FromLogits:
		return softmax
	}
	return identity
}

// probabilities returns what the outputs of a row mean under the loss.
func probabilities(output []float32, loss Loss) []float32 {
	p := make([]float32, len(output))
	switch linkOf(loss) {
	case sigmoid:
		f32.SigmoidTo(p, output)
	case softmax:
		f32.Softmax(1, len(p), p, output)
	default:
		return output
	}
	return p
}

// positive reports whether output j should be positive: the target is its own,
// or a label among several outputs.
func positive(output, target []float32, j int) bool {
	if len(target) == 1 && len(output) > 1 {
		return int(target[0]) == j
	}
	return target[j] > 0.5
}

// MAE is the mean absolute error over the elements of a row.
type MAE struct{}

// Name implements [Metric].
func (MAE) Name() string { return "mae" }

// Score implements [Metric].
func (MAE) Score(output, target []float32, _ Loss) float64 {
	sum := 0.0
	for i, t := range target {
		sum += max(float64(output[i])-float64(t), float64(t)-float64(output[i]))
	}
	return sum / float64(len(target))
}

// nameOr returns the name a user gave a metric, or the usual one.
func nameOr(as, usual string) string {
	if as == "" {
		return usual
	}
	return as
}
