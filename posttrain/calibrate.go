package posttrain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/feed"
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/quant"
)

// Calibration says how ranges are found. The zero value notes the minimum and
// maximum over all samples.
type Calibration struct {
	// Estimator chooses the range of each tensor that no override names.
	Estimator quant.Estimator
	// Overrides choose for single tensors; the first that matches counts.
	Overrides []Override
	// Samples is the number of rows to use, from the first on; 0 means all.
	Samples int
	// BatchSize is the number of rows read at once, that goroutines share; 0 means
	// 128. It does not change the result.
	BatchSize int
	// Progress shows the rows done; nil for silence.
	Progress io.Writer
	// Logger is told of weight scales that had to be raised, and warned of too
	// few samples, ranges that outliers dominate and inputs that look unscaled;
	// nil for silence.
	Logger *slog.Logger
}

// Override is another [quant.Estimator] for the tensors whose name matches.
type Override struct {
	// Pattern is matched by [quant.Match] with the names of tensors as
	// fakequant.Insert found them, which are those of their layers.
	Pattern   string          `json:"pattern"`
	Estimator quant.Estimator `json:"estimator"`
}

// Calibrate sets the ranges of every observed tensor of q, a graph from
// fakequant.Insert, by what the tensor is over the samples in the float
// network, as the official converter does: rounded weights would move ranges by a
// percent, at random. Ranges that were known before are replaced; on an error q keeps
// them.
//
// Tensors that share a range are observed as one.
//
// Errors: a recipe without activation quantizers; estimators that do not check;
// a pattern that matches no tensor; samples that do not fit the
// network, or hold NaN or Inf; ctx's error.
func Calibrate(ctx context.Context, q *graph.Graph, samples data.Dataset, c Calibration) error {
	if q.Recipe == nil || q.Recipe.Mode != quant.Integer {
		return fmt.Errorf("posttrain: network %q has no activation quantizers to calibrate: use fakequant.Insert with an integer recipe", q.Name)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	probe := q.Clone()
	for _, z := range probe.Quantizers() {
		if z.Source == graph.MovingAverage {
			z.SetRange(quant.Range{})
		}
		z.MinScale = nil
	}
	running := probe.Unquantized(nil)
	if err := graph.FreezeVariables.Run(running); err != nil { // kernels pack constants
		return fmt.Errorf("posttrain: calibrate: %w", err)
	}
	feeding := feed.Options{Rows: c.Samples, BatchSize: cmp.Or(c.BatchSize, 128), Progress: c.Progress, Label: "calibration"}
	o, err := c.observe(probe, running, feeding.BatchSize)
	if err == nil {
		feeding.Done = fmt.Sprintf("%d tensors", len(o.of))
		err = eachBatch(ctx, running, samples, feeding, o.tap, o.step)
	}
	if err != nil {
		return fmt.Errorf("posttrain: calibrate: %w", err)
	}
	return o.store(q, c.Logger)
}

// estimator returns the estimator for a quantizer that observes the tensors.
func (c Calibration) estimator(names []string) quant.Estimator {
	for _, o := range c.Overrides {
		for _, name := range names {
			if quant.Match(o.Pattern, name) {
				return o.Estimator
			}
		}
	}
	return c.Estimator
}

// check reports estimators and patterns that are of no use for the tensors.
func (c Calibration) check(names []string) error {
	faults := []error{c.Estimator.Check()}
	for _, o := range c.Overrides {
		matches := func(name string) bool { return quant.Match(o.Pattern, name) }
		err := o.Estimator.Check()
		if !slices.ContainsFunc(names, matches) {
			err = errors.Join(err, fmt.Errorf("it matches none of the tensors %q", names))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("override %q: %w", o.Pattern, err))
		}
	}
	return errors.Join(faults...)
}

// observer collects the values of the tensors in front of observing FakeQuant
// nodes, together where a quantizer is shared.
type observer struct {
	probe *graph.Graph
	// observed has an entry for each quantizer, in graph order.
	observed []observed
	of       map[*graph.Tensor]*seen
	seen     []*seen // those of the map, in graph order
	rows     int
}

// seen is a tensor that observers share, and what its rows are in a batch.
type seen struct {
	observers []*quant.Observer
	rows      []quant.Summary
}

type observed struct {
	quantizer *graph.Quantizer
	observer  *quant.Observer
	// input says that a tensor is an input of the network.
	input bool
}

// observe prepares observers for the quantizers of probe, on the tensors of
// running, the same network without them, for batches of so many rows.
func (c Calibration) observe(probe, running *graph.Graph, batch int) (*observer, error) {
	o := &observer{probe: probe, of: map[*graph.Tensor]*seen{}}
	named := map[string]*graph.Tensor{}
	for _, t := range running.Tensors() {
		named[t.Name] = t
	}
	tensors := map[*graph.Quantizer][]*graph.Tensor{}
	var order []*graph.Quantizer
	var all []string
	for _, n := range probe.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Observe && f.Quantizer.Source == graph.MovingAverage {
			if tensors[f.Quantizer] == nil {
				order = append(order, f.Quantizer)
			}
			x := n.Inputs[0]
			for named[x.Name] == nil { // the output of another FakeQuant
				x = probe.Producer(x).Inputs[0]
			}
			tensors[f.Quantizer] = append(tensors[f.Quantizer], named[x.Name])
			all = append(all, n.Inputs[0].Name)
		}
	}
	if err := c.check(all); err != nil {
		return nil, err
	}
	for _, z := range order {
		s := observed{quantizer: z}
		var err error
		if s.observer, err = quant.NewObserver(c.estimator(tensorNames(tensors[z]))); err != nil {
			return nil, err
		}
		for _, t := range tensors[z] {
			if o.of[t] == nil {
				o.of[t] = &seen{rows: make([]quant.Summary, batch)}
				o.seen = append(o.seen, o.of[t])
			}
			o.of[t].observers = append(o.of[t].observers, s.observer)
			s.input = s.input || slices.Contains(running.Inputs, t)
		}
		o.observed = append(o.observed, s)
	}
	return o, nil
}

func tensorNames(ts []*graph.Tensor) []string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.Name
	}
	return names
}

// tap summarizes the rows of a tensor that is observed.
func (o *observer) tap(t *graph.Tensor, first, rows int, values []float32) error {
	s := o.of[t]
	if s == nil {
		return nil
	}
	size := len(values) / rows
	for r := range rows {
		row := values[r*size:][:size]
		s.rows[first+r] = f32.Summarize(row)
		if err := s.rows[first+r].Check(row); err != nil {
			return fmt.Errorf("row %d: %w", r, err)
		}
	}
	for _, z := range s.observers {
		z.Count(values)
	}
	return nil
}

// step ends a batch.
func (o *observer) step(rows int) {
	o.rows += rows
	for _, s := range o.seen {
		for _, z := range s.observers {
			z.ObserveRows(s.rows[:rows])
		}
	}
	for _, s := range o.observed {
		s.observer.Step()
	}
}

// store writes the ranges into q, the original of the probe, and raises weight
// scales where biases need it.
func (o *observer) store(q *graph.Graph, log *slog.Logger) error {
	for _, s := range o.observed {
		r, err := s.observer.Range(s.quantizer.Grid(), s.quantizer.Symmetric)
		if err != nil {
			return fmt.Errorf("posttrain: calibrate: tensor %q: %w", s.quantizer.Name, err)
		}
		s.quantizer.SetRange(r)
	}
	if err := graph.RaiseWeightScales(o.probe, log); err != nil {
		return err
	}
	if err := o.warn(log); err != nil {
		return err
	}
	for i, z := range q.Quantizers() {
		from := o.probe.Quantizers()[i]
		z.MinScale = from.MinScale
		if z.Source == graph.MovingAverage {
			z.SetRange(from.Observed())
		}
	}
	return nil
}
