package train

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
)

// Checkpoint saves the whole state of training after each epoch: the graph with
// its variables, the optimizer, the position in the data, the history and the
// memory of callbacks. [Resume] goes on from it. Use a pointer.
type Checkpoint struct {
	Path string
	// EverySteps also saves within epochs, after each EverySteps steps of the
	// optimizer; 0 for epochs only.
	EverySteps uint64

	fingerprint string
}

// trainingKey is the metadata key of a checkpoint's progressState.
const trainingKey = "training"

// progressState is where training stands, as stored in a checkpoint.
type progressState struct {
	Version     int               `json:"version"`
	Config      string            `json:"config"`
	Fingerprint string            `json:"data"`
	Seed        uint64            `json:"seed"`
	InOrder     bool              `json:"in_order"`
	Freeze      int               `json:"freeze_batch_norm"`
	Step        uint64            `json:"step"`
	Epoch       int               `json:"epoch"`
	Batch       int               `json:"batch"`
	Running     meter             `json:"running"`
	Stopped     bool              `json:"stopped"`
	History     History           `json:"history"`
	Callbacks   []json.RawMessage `json:"callbacks"`

	tensors map[string]*graph.Tensor // of callbacks, by stored name
}

// progressVersion is the version of the format this code reads and writes.
const progressVersion = 1

// prepare remembers the fingerprint of the data and the weights of its rows.
func (c *Checkpoint) prepare(ds data.Dataset, w weights) (err error) {
	if c.Path == "" {
		return fmt.Errorf("train: checkpoint: Path is empty")
	}
	c.fingerprint, err = fingerprint(ds, w)
	return err
}

// fingerprint identifies a set and, where rows have weights, those.
func fingerprint(ds data.Dataset, w weights) (string, error) {
	s, err := data.Fingerprint(ds)
	if of := w.fingerprint(); of != "" {
		s += " weights " + of
	}
	return s, err
}

// BatchEnd implements [BatchCallback].
func (c *Checkpoint) BatchEnd(f *Fitting) error {
	if c.EverySteps == 0 || f.Model.step%c.EverySteps != 0 || f.Batch == f.Batches {
		return nil // the last batch is saved by EpochEnd
	}
	return c.save(f)
}

// EpochEnd implements [Callback].
func (c *Checkpoint) EpochEnd(f *Fitting, _ Epoch) error { return c.save(f) }

// save writes the checkpoint; the old one stays until the new one is complete.
func (c *Checkpoint) save(f *Fitting) error {
	m := f.Model
	p := progressState{
		Version: progressVersion, Config: m.cfg.identity(), Fingerprint: c.fingerprint,
		Seed: f.cfg.Seed, InOrder: f.cfg.InOrder, Freeze: f.cfg.FreezeBatchNorm, Step: m.step, Epoch: f.Epoch, Batch: f.Batch,
		Running: f.m, Stopped: f.stopped, History: *f.History,
	}
	file := &graph.File{Graph: m.g}
	for i, t := range m.g.Parameters() {
		for j, slot := range m.cfg.Optimizer.slots() {
			file.Tensors = append(file.Tensors, &graph.Tensor{Name: slotName(slot, t), Role: graph.Constant, Shape: t.Shape, Data: m.state[i][j]})
		}
	}
	for i, s := range stateful(f.cfg.Callbacks) {
		state, tensors, err := s.SaveState()
		if err != nil {
			return fmt.Errorf("train: checkpoint: %w", err)
		}
		p.Callbacks = append(p.Callbacks, state)
		for j, t := range tensors {
			file.Tensors = append(file.Tensors, &graph.Tensor{Name: callbackName(i, j), Type: t.Type, Role: graph.Constant, Shape: t.Shape, Data: t.Data})
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	file.Metadata = map[string]string{trainingKey: string(text)}
	if err := graph.SaveFile(c.Path, file); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	return nil
}

func slotName(slot string, t *graph.Tensor) string { return "optimizer/" + slot + "/" + t.Name }
func callbackName(i, j int) string                 { return fmt.Sprintf("callback/%d/%d", i, j) }

// stateful returns the callbacks whose memory a checkpoint holds.
func stateful(list []Callback) []StatefulCallback {
	var with []StatefulCallback
	for _, c := range list {
		if s, ok := c.(StatefulCallback); ok {
			with = append(with, s)
		}
	}
	return with
}

// Resume reads a checkpoint and returns a model that goes on from it: the next
// Fit, on the same data with the same seed, continues to its number of epochs
// and ends with the bytes of a run that never stopped. No code that built the
// network is needed. The configuration must be that of the interrupted run.
//
// Errors: a damaged file; a file without training state; another
// configuration.
func Resume(path string, c Config) (*Model, error) {
	file, err := graph.LoadFile(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	text, ok := file.Metadata[trainingKey]
	if !ok {
		return nil, fmt.Errorf("train: %s holds a network but no training state", path)
	}
	p := &progressState{tensors: map[string]*graph.Tensor{}}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	if p.Version != progressVersion {
		return nil, fmt.Errorf("train: %s has training state of version %d, want %d", path, p.Version, progressVersion)
	}
	m, err := Compile(file.Graph, c)
	if err != nil {
		return nil, err
	}
	if id := m.cfg.identity(); id != p.Config {
		m.Close()
		return nil, fmt.Errorf("train: %s was trained with %s, not with %s", path, p.Config, id)
	}
	for _, t := range file.Tensors {
		p.tensors[t.Name] = t
	}
	for i, t := range m.g.Parameters() {
		for j, slot := range m.cfg.Optimizer.slots() {
			v := p.tensors[slotName(slot, t)]
			if v == nil || len(v.Float32s()) != len(m.state[i][j]) {
				m.Close()
				return nil, fmt.Errorf("train: %s: optimizer state %q is missing or has another size", path, slotName(slot, t))
			}
			copy(m.state[i][j], v.Float32s())
		}
	}
	m.step, m.resume = p.Step, p
	return m, nil
}

// restore puts a resumed Fit where the interrupted one stopped.
//
// Errors: other data or weights of its rows, another seed, order or
// FreezeBatchNorm, other callbacks with memory.
func (f *Fitting) restore(ds data.Dataset) error {
	p := f.Model.resume
	got, err := fingerprint(ds, f.weights)
	if err != nil {
		return err
	}
	if got != p.Fingerprint {
		what := "data set differs from that"
		if set, _, _ := strings.Cut(got, " "); strings.HasPrefix(p.Fingerprint, set) {
			what = "class or sample weights differ from those"
		}
		return fmt.Errorf("train: resume: the %s of the checkpoint (fingerprint %s, want %s)", what, got, p.Fingerprint)
	}
	if f.cfg.Seed != p.Seed || f.cfg.InOrder != p.InOrder {
		return fmt.Errorf("train: resume: seed %d and in order %t, but the checkpoint has %d and %t", f.cfg.Seed, f.cfg.InOrder, p.Seed, p.InOrder)
	}
	if f.cfg.FreezeBatchNorm != p.Freeze {
		return fmt.Errorf("train: resume: FreezeBatchNorm is %d, but the checkpoint has %d", f.cfg.FreezeBatchNorm, p.Freeze)
	}
	callbacks := stateful(f.cfg.Callbacks)
	if len(callbacks) != len(p.Callbacks) {
		return fmt.Errorf("train: resume: %d callbacks with memory, but the checkpoint has %d", len(callbacks), len(p.Callbacks))
	}
	for i, cb := range callbacks {
		var tensors []*graph.Tensor
		for p.tensors[callbackName(i, len(tensors))] != nil {
			tensors = append(tensors, p.tensors[callbackName(i, len(tensors))])
		}
		if err := cb.LoadState(p.Callbacks[i], tensors); err != nil {
			return fmt.Errorf("train: resume: callback %d: %w", i, err)
		}
	}
	f.Epoch, f.Batch, f.m, f.stopped = p.Epoch, p.Batch, p.Running, p.Stopped
	*f.History = p.History
	f.Model.resume = nil
	return nil
}
