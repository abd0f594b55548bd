package train

import (
	"encoding/json"

	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/parallel"
)

// Callback is told of the end of each epoch, after validation. Callbacks are
// called in the order given, [Checkpoint] after all others.
type Callback interface {
	EpochEnd(f *Fitting, e Epoch) error
}

// BatchCallback is a [Callback] that is also told of each finished step.
type BatchCallback interface {
	Callback
	BatchEnd(f *Fitting) error
}

// StartCallback is a [Callback] that is also told of the start of Fit.
type StartCallback interface {
	Callback
	Start(f *Fitting) error
}

// EndCallback is a [Callback] that is also told of the end of Fit, unless Fit
// fails.
type EndCallback interface {
	Callback
	End(f *Fitting) error
}

// StatefulCallback is a [Callback] whose memory belongs in checkpoints.
type StatefulCallback interface {
	Callback
	// SaveState returns the memory: JSON and named tensors.
	SaveState() (json.RawMessage, []*graph.Tensor, error)
	// LoadState restores it.
	LoadState(state json.RawMessage, tensors []*graph.Tensor) error
}

// Fitting is a Fit in progress, as callbacks see it.
type Fitting struct {
	// Model is the model being trained.
	Model *Model
	// Epochs is the number of epochs asked for; Batches the steps of one epoch.
	Epochs, Batches int
	// Epoch is the current epoch and Batch the number of its finished steps,
	// both counted from 0.
	Epoch, Batch int
	// History holds the finished epochs.
	History *History

	m       meter
	weights weights
	cfg     FitConfig
	pace    parallel.Pace
	stopped bool
}

// Stop ends training after the current epoch.
func (f *Fitting) Stop() { f.stopped = true }

// Running returns the scores of the current epoch so far.
func (f *Fitting) Running() Scores { return f.m.scores(f.Model.cfg.Metrics) }
