package train

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/goqat/goqat/graph"
)

// Monitor names the figure that a callback watches.
type Monitor uint8

const (
	// ValidationLoss is the loss on FitConfig.Validation; smaller is better.
	ValidationLoss Monitor = iota
	// ValidationMetric is a metric on FitConfig.Validation.
	ValidationMetric
	// TrainingLoss is the loss over the epoch; smaller is better.
	TrainingLoss
	// TrainingMetric is a metric over the epoch.
	TrainingMetric
)

// value returns the monitored figure of an epoch; metric is a name, or empty for
// the first.
func (m Monitor) value(e Epoch, metric string) (float64, error) {
	scores := &e.Train
	if m == ValidationLoss || m == ValidationMetric {
		if scores = e.Validation; scores == nil {
			return 0, fmt.Errorf("train: early stopping watches the validation set, but FitConfig.Validation is nil")
		}
	}
	if m == ValidationLoss || m == TrainingLoss {
		return scores.Loss, nil
	}
	if len(scores.Metrics) == 0 {
		return 0, fmt.Errorf("train: early stopping watches a metric, but Config.Metrics is empty")
	}
	if metric == "" {
		return scores.Metrics[0].Value, nil
	}
	v, ok := scores.Metric(metric)
	if !ok {
		return 0, fmt.Errorf("train: early stopping watches metric %q, but Config.Metrics has none of that name", metric)
	}
	return v, nil
}

// EarlyStopping ends training when the monitored figure has not improved for
// Patience epochs. Use a pointer; its memory is part of checkpoints, and each
// Fit that does not resume starts it afresh.
type EarlyStopping struct {
	Monitor Monitor
	// Metric is the name of the metric that Monitor means; empty for the first.
	Metric string
	// Patience is the number of epochs without improvement after which training
	// ends; 0 counts as 1, as in Keras.
	Patience int
	// MinDelta is the least change that counts as an improvement.
	MinDelta float64
	// Maximize says that larger is better; set it for accuracy, not for MAE.
	Maximize bool
	// RestoreBest puts the best epoch's variables back when Fit ends.
	RestoreBest bool

	memory stoppingMemory
	best   []*graph.Tensor
}

// stoppingMemory is what EarlyStopping remembers between epochs.
type stoppingMemory struct {
	Best  float64 `json:"best"`
	Epoch int     `json:"epoch"` // number of the best epoch, 0 for none
	Wait  int     `json:"wait"`
}

// BestEpoch returns the number of the best epoch, counted from 1; 0 before any.
func (s *EarlyStopping) BestEpoch() int { return s.memory.Epoch }

// Start implements [StartCallback].
func (s *EarlyStopping) Start(f *Fitting) error {
	if f.Epoch == 0 && f.Batch == 0 {
		s.memory, s.best = stoppingMemory{}, nil
	}
	return nil
}

// EpochEnd implements [Callback].
func (s *EarlyStopping) EpochEnd(f *Fitting, e Epoch) error {
	v, err := s.Monitor.value(e, s.Metric)
	if err != nil {
		return err
	}
	gain := s.memory.Best - v
	if s.Maximize {
		gain = -gain
	}
	if s.memory.Epoch == 0 || gain > s.MinDelta || math.IsNaN(s.memory.Best) {
		s.memory = stoppingMemory{Best: v, Epoch: e.Number}
		if s.RestoreBest {
			s.best = snapshot(f.Model.g)
		}
		return nil
	}
	if s.memory.Wait++; s.memory.Wait >= s.Patience {
		f.Stop()
	}
	return nil
}

// End implements [EndCallback].
func (s *EarlyStopping) End(f *Fitting) error {
	if !s.RestoreBest || s.best == nil {
		return nil
	}
	for i, v := range f.Model.g.Variables() {
		copy(v.Float32s(), s.best[i].Float32s())
	}
	return nil
}

// SaveState implements [StatefulCallback].
func (s *EarlyStopping) SaveState() (json.RawMessage, []*graph.Tensor, error) {
	state, err := json.Marshal(s.memory)
	return state, s.best, err
}

// LoadState implements [StatefulCallback].
func (s *EarlyStopping) LoadState(state json.RawMessage, best []*graph.Tensor) error {
	s.best = best
	return json.Unmarshal(state, &s.memory)
}

// snapshot copies the variables of g, in their order.
func snapshot(g *graph.Graph) []*graph.Tensor {
	var copies []*graph.Tensor
	for _, v := range g.Variables() {
		copies = append(copies, &graph.Tensor{Name: v.Name, Role: graph.Constant, Shape: v.Shape, Data: append([]float32(nil), v.Float32s()...)})
	}
	return copies
}
