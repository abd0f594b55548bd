package train

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train/internal/nodes"
)

// FitConfig says how long and on what order of the data to train.
type FitConfig struct {
	// Epochs is the number of passes over the data; 0 means 1, as in Keras. A
	// resumed run counts the epochs made before.
	Epochs int
	// Validation is measured after each epoch; nil for none. It is never
	// trained on.
	Validation data.Dataset
	// ClassWeight multiplies the loss of each row by the weight of its class: the
	// label, or the largest of several targets; classes left out have 1. It is
	// for training only: validation and metrics stay without weights, as in
	// Keras.
	ClassWeight map[int]float32
	// SampleWeight is the same by row of the data set; one of the two is nil.
	SampleWeight []float32
	// Seed drives the order of rows and dropout.
	Seed uint64
	// InOrder visits rows in their order instead of shuffling each epoch.
	InOrder bool
	// FreezeBatchNorm is the epoch, counted from 1, from whose first step on the
	// moving statistics of BatchNorm stay as they are and training normalizes
	// with them, as the exported model will: quantizers and weights then settle
	// on what the model computes. gamma, beta and all weights are trained on.
	//
	// 0 is the default: networks with an integer recipe are frozen in the last
	// third of all steps, from step ceil(2/3 * Epochs * steps of an epoch) on,
	// counted from 0, and others never are. [Never] freezes nothing. A BatchNorm
	// behind per-tensor weights is folded with its moving statistics, and so
	// frozen, from the first step, whatever is asked for here.
	FreezeBatchNorm int
	Callbacks       []Callback
	// Logger is told of weights whose scales post-training quantization had fixed:
	// training lets them follow the weights again, and the rounding that was chosen
	// for them is lost. nil for silence.
	Logger *slog.Logger
}

// Never is a [FitConfig.FreezeBatchNorm] that lets the statistics move to the
// end.
const Never = -1

// Fit trains the graph on ds. Each epoch visits every row once, as that epoch
// sees it (see [data.Epoched]), in an order that depends only on seed and epoch;
// a last partial batch is trained on like any other. While a step is computed, a
// goroutine may read the rows of the next; it never does while callbacks run. The
// history of the finished epochs is returned even with an error.
//
// When ctx ends, Fit returns its error; the variables are those of the last
// finished step.
//
// Errors: a set that does not fit the network, or weights that do not fit the
// set; a label out of range, by row; a loss or gradient that is not finite, by
// epoch, batch and tensor, before it touches the weights; what callbacks return.
func (m *Model) Fit(ctx context.Context, ds data.Dataset, c FitConfig) (*History, error) {
	history := &History{}
	if err := m.fits(ds); err != nil {
		return history, err
	}
	if c.Validation != nil {
		if err := m.fits(c.Validation); err != nil {
			return history, fmt.Errorf("validation: %w", err)
		}
	}
	w, err := newWeights(c, ds)
	if err != nil {
		return history, err
	}
	if c.Epochs == 0 {
		c.Epochs = 1
	}
	if c.FreezeBatchNorm < Never {
		return history, fmt.Errorf("train: FreezeBatchNorm is %d, want an epoch, 0 for the default or train.Never", c.FreezeBatchNorm)
	}
	if m.seed != c.Seed {
		m.forget()
		m.seed = c.Seed
	}
	if names := m.g.UnpinWeights(); len(names) > 0 {
		m.forget()
		if c.Logger != nil {
			c.Logger.Warn("scales of weights that post-training quantization had fixed follow the weights again", "tensors", names)
		}
	}
	c.Callbacks = lastCheckpoints(c.Callbacks)
	defer stopProgress(c.Callbacks)
	size := m.cfg.BatchSize
	if rest := ds.Len() % size; rest > 0 {
		if _, err := m.compiled(true, rest); err != nil {
			return history, err // now rather than at the end of an epoch
		}
	}
	f := &Fitting{Model: m, Epochs: c.Epochs, Batches: (ds.Len() + size - 1) / size, History: history, weights: w, cfg: c}
	if err := f.begin(ds); err != nil {
		return history, err
	}
	for !f.stopped && f.Epoch < f.Epochs {
		if err := f.epoch(ctx, data.Epoch(ds, f.Epoch)); err != nil {
			return history, err
		}
	}
	for _, cb := range c.Callbacks {
		if e, ok := cb.(EndCallback); ok {
			if err := e.End(f); err != nil {
				return history, err
			}
		}
	}
	return history, nil
}

// begin restores where a resumed run stopped and tells the callbacks.
func (f *Fitting) begin(ds data.Dataset) error {
	if f.Model.resume != nil {
		if err := f.restore(ds); err != nil {
			return err
		}
	}
	for _, cb := range f.cfg.Callbacks {
		if p, ok := cb.(*Checkpoint); ok {
			if err := p.prepare(ds, f.weights); err != nil {
				return err
			}
		}
		if s, ok := cb.(StartCallback); ok {
			if err := s.Start(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// epoch trains from the current batch to the end of the epoch, validates and
// tells the callbacks.
func (f *Fitting) epoch(ctx context.Context, ds data.Dataset) error {
	began := time.Now()
	var order []int
	if f.cfg.InOrder {
		for i := range ds.Len() {
			order = append(order, i)
		}
	} else {
		order = data.Shuffle(ds.Len(), f.cfg.Seed, f.Epoch)
	}
	m := f.Model
	rows := newAhead(m, ds, true, order[min(f.Batch*m.cfg.BatchSize, len(order)):])
	for rows.more() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.step(rows); err != nil {
			return fmt.Errorf("train: epoch %d, batch %d: %w", f.Epoch+1, f.Batch+1, err)
		}
		f.Batch++
		for _, cb := range f.cfg.Callbacks {
			if b, ok := cb.(BatchCallback); ok {
				if err := b.BatchEnd(f); err != nil {
					return err
				}
			}
		}
	}
	return f.endEpoch(ctx, began)
}

// step trains on the next batch.
func (f *Fitting) step(rows *ahead) error {
	m := f.Model
	f.pace.Start()
	defer f.pace.Stop()
	s, index, err := rows.next()
	if err != nil {
		return err
	}
	defer rows.wait()
	s.FreezeStatistics(f.frozen())
	f.weights.fill(s.Weights(), s.Target(), index)
	if err := s.Run(m.step); err != nil {
		return err
	}
	if err := m.finite(s); err != nil {
		return err
	}
	if err := s.Commit(); err != nil {
		return err
	}
	rate := m.cfg.Optimizer.rate(m.step)
	m.step++
	for i, p := range m.parameters {
		m.cfg.Optimizer.update(p.Float32s(), s.Gradients()[i], m.state[i], rate, m.step)
	}
	for i := range m.projections {
		m.projections[i].apply()
	}
	f.m.add(m.cfg, s.Loss(), len(index), s.Output(), s.Target())
	return nil
}

// frozen reports whether BatchNorm statistics are frozen in the current step. It
// depends on the position alone, so that a resumed run agrees with one that
// never stopped.
func (f *Fitting) frozen() bool {
	switch from := f.cfg.FreezeBatchNorm; {
	case from > 0:
		return f.Epoch+1 >= from
	case from == Never:
		return false
	}
	recipe := f.Model.g.Recipe
	return recipe != nil && recipe.Mode == quant.Integer && 3*(f.Epoch*f.Batches+f.Batch) >= 2*f.Epochs*f.Batches
}

// finite reports a loss or gradient that is NaN or infinite.
func (m *Model) finite(s *nodes.Step) error {
	if l := s.Loss(); l-l != 0 {
		return fmt.Errorf("the loss is %v: lower the learning rate or look for outliers in the data", l)
	}
	for i, p := range m.parameters {
		g := s.Gradients()[i]
		if lo, hi, nan := f32.MinMax(g); !nan && lo-lo == 0 && hi-hi == 0 {
			continue
		}
		for j, v := range g {
			if v-v != 0 {
				return fmt.Errorf("the gradient of %q is %v at element %d: lower the learning rate or look for outliers in the data", p.Name, v, j)
			}
		}
	}
	return nil
}

// endEpoch closes the books of an epoch.
func (f *Fitting) endEpoch(ctx context.Context, began time.Time) error {
	m := f.Model
	e := Epoch{Number: f.Epoch + 1, Train: f.Running(), LearningRate: m.cfg.Optimizer.rate(m.step - 1)}
	if f.cfg.Validation != nil {
		v, err := m.Evaluate(ctx, f.cfg.Validation)
		if err != nil {
			return err
		}
		e.Validation = &v
	}
	e.Seconds = time.Since(began).Seconds()
	f.History.Epochs = append(f.History.Epochs, e)
	f.Epoch, f.Batch, f.m = f.Epoch+1, 0, meter{}
	for _, cb := range f.cfg.Callbacks {
		if err := cb.EpochEnd(f, e); err != nil {
			return err
		}
	}
	return nil
}

// lastCheckpoints moves checkpoints behind the other callbacks, so that they
// save the others' memory of the epoch.
func lastCheckpoints(list []Callback) []Callback {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Callback) int {
		rank := func(c Callback) int {
			if _, ok := c.(*Checkpoint); ok {
				return 1
			}
			return 0
		}
		return rank(a) - rank(b)
	})
	return list
}
