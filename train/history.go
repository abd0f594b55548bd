package train

import (
	"fmt"
	"strings"
)

// History is what Fit reports: one entry for each finished epoch.
type History struct {
	Epochs []Epoch `json:"epochs"`
}

// Epoch holds the figures of one epoch.
type Epoch struct {
	// Number counts from 1.
	Number int `json:"epoch"`
	// Train are means over the epoch's batches, each weighed by its rows,
	// measured with the weights of their time.
	Train Scores `json:"train"`
	// Validation is measured after the epoch; nil without a validation set.
	Validation *Scores `json:"validation,omitempty"`
	// LearningRate of the last step.
	LearningRate float64 `json:"learning_rate"`
	// Seconds of wall-clock time, validation included; of this process only,
	// when the epoch was resumed.
	Seconds float64 `json:"seconds"`
}

// Scores are a loss and metrics over a set.
type Scores struct {
	Loss float64 `json:"loss"`
	// Metrics are in the order of Config.Metrics.
	Metrics []NamedScore `json:"metrics,omitempty"`
}

// NamedScore is the value of one metric.
type NamedScore struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Confusion holds the counts of a [ConfusionMatrix]; nil for other metrics.
	Confusion Confusion `json:"confusion,omitempty"`
}

// Metric returns the value of the named metric; ok is false if there is none.
func (s Scores) Metric(name string) (value float64, ok bool) {
	for _, m := range s.Metrics {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

// Confusion returns the counts of the first [ConfusionMatrix] among the metrics,
// nil if there is none.
func (s Scores) Confusion() Confusion {
	for _, m := range s.Metrics {
		if m.Confusion != nil {
			return m.Confusion
		}
	}
	return nil
}

func (s Scores) String() string { return s.text("") }

// text prints the scores with a prefix before each name.
func (s Scores) text(prefix string) string {
	parts := []string{fmt.Sprintf("%sloss %.4f", prefix, s.Loss)}
	for _, m := range s.Metrics {
		parts = append(parts, fmt.Sprintf("%s%s %.4f", prefix, m.Name, m.Value))
	}
	return strings.Join(parts, "  ")
}

// meter sums scores over rows.
type meter struct {
	Loss    float64     `json:"loss"`
	Metrics []float64   `json:"metrics"`          // sums, 0 for accumulators
	Counts  [][]float64 `json:"counts,omitempty"` // of accumulators, nil for others
	Rows    int         `json:"rows"`
}

// scores returns the means, and the values of accumulators.
func (m meter) scores(metrics []Metric) Scores {
	if m.Rows == 0 {
		return Scores{}
	}
	n := float64(m.Rows)
	s := Scores{Loss: m.Loss / n}
	for i, metric := range metrics {
		score := NamedScore{Name: metric.Name(), Value: m.Metrics[i] / n}
		if a, ok := metric.(Accumulator); ok {
			score.Value = a.Value(m.Counts[i])
		}
		if c, ok := metric.(interface{ matrix([]float64) Confusion }); ok {
			score.Confusion = c.matrix(m.Counts[i])
		}
		s.Metrics = append(s.Metrics, score)
	}
	return s
}

// add counts a batch: its mean loss, outputs and targets.
func (m *meter) add(c Config, loss float32, rows int, output, target []float32) {
	if m.Metrics == nil {
		m.Metrics, m.Counts = make([]float64, len(c.Metrics)), make([][]float64, len(c.Metrics))
	}
	m.Rows += rows
	m.Loss += float64(loss) * float64(rows)
	no, nt := len(output)/rows, len(target)/rows
	for r := range rows {
		out, want := output[r*no:(r+1)*no], target[r*nt:(r+1)*nt]
		for i, metric := range c.Metrics {
			if a, ok := metric.(Accumulator); ok {
				m.Counts[i] = a.Accumulate(m.Counts[i], out, want, c.Loss)
			} else {
				m.Metrics[i] += metric.Score(out, want, c.Loss)
			}
		}
	}
}
