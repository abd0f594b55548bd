package posttrain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/internal/progress"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/quant"
)

// Calibration says how ranges are found. The zero value notes the minimum and
// maximum over all samples.
type Calibration struct {
	// Samples is the number of rows to use, from the first on; 0 means all.
	Samples int
	// BatchSize is the number of rows run at once; 0 means 32. It does not
	// change the result.
	BatchSize int
	// Progress shows the rows done; nil for silence.
	Progress io.Writer
	// Logger is told of weight scales that had to be raised; nil for silence.
	Logger *slog.Logger
}

// Calibrate sets the ranges of every observed tensor of q, a graph from
// fakequant.Insert, to the least and greatest value over the samples. While it
// runs, weights are quantized and activations are not. Ranges that were known
// before are replaced; on an error q keeps them.
//
// Errors: a recipe without activation quantizers; samples that do not fit the
// network, or hold NaN or Inf; ctx's error.
func Calibrate(ctx context.Context, q *graph.Graph, samples data.Dataset, c Calibration) error {
	if q.Recipe == nil || q.Recipe.Mode != quant.Integer {
		return fmt.Errorf("posttrain: network %q has no activation quantizers to calibrate: use fakequant.Insert with an integer recipe", q.Name)
	}
	if err := fits(q, samples); err != nil {
		return err
	}
	// A clone whose ranges are unknown passes activations through unrounded.
	probe := q.Clone()
	for _, z := range probe.Quantizers() {
		if z.Source == graph.MovingAverage {
			z.SetRange(quant.Range{})
		}
		z.MinScale = nil
	}
	o := newObserver(probe)
	if err := o.run(ctx, probe, samples, c); err != nil {
		return fmt.Errorf("posttrain: calibrate: %w", err)
	}
	return o.store(q, probe, c.Logger)
}

// fits reports samples that the network cannot take.
func fits(q *graph.Graph, samples data.Dataset) error {
	switch {
	case len(q.Inputs) != 1:
		return fmt.Errorf("posttrain: network %q has %d inputs, want one", q.Name, len(q.Inputs))
	case samples == nil || samples.Len() == 0:
		return errors.New("posttrain: no samples to calibrate with")
	case !slices.Equal(q.Inputs[0].Shape[1:], samples.InputShape()):
		return fmt.Errorf("posttrain: input %q takes rows of shape %v, but the samples have %v", q.Inputs[0].Name, q.Inputs[0].Shape[1:], samples.InputShape())
	}
	return nil
}

// observer collects the ranges of the tensors in front of observing FakeQuant
// nodes, merged where a quantizer is shared.
type observer struct {
	of     map[*graph.Tensor][]*graph.Quantizer
	ranges map[*graph.Quantizer]quant.Range
	fault  error
}

func newObserver(g *graph.Graph) *observer {
	o := &observer{of: map[*graph.Tensor][]*graph.Quantizer{}, ranges: map[*graph.Quantizer]quant.Range{}}
	for _, n := range g.Nodes {
		if f, ok := n.Op.(graph.FakeQuant); ok && f.Observe && f.Quantizer.Source == graph.MovingAverage {
			o.of[n.Inputs[0]] = append(o.of[n.Inputs[0]], f.Quantizer)
		}
	}
	return o
}

// tap extends the range of a tensor that is observed.
func (o *observer) tap(t *graph.Tensor, _ []int, values any) {
	if len(o.of[t]) == 0 || o.fault != nil {
		return
	}
	lo, hi, ok, err := quant.Observe(values.([]float32))
	for _, z := range o.of[t] {
		if err == nil && ok {
			o.ranges[z], err = o.ranges[z].Extended(lo, hi)
		}
	}
	if err != nil {
		o.fault = fmt.Errorf("tensor %q: %w", t.Name, err)
	}
}

// run passes the samples through g.
func (o *observer) run(ctx context.Context, g *graph.Graph, samples data.Dataset, c Calibration) error {
	size := c.BatchSize
	if size == 0 {
		size = 32
	}
	ip, err := interp.New(g, interp.Options{Batch: size, Tap: o.tap})
	if err != nil {
		return err
	}
	rows := samples.Len()
	if c.Samples > 0 {
		rows = min(rows, c.Samples)
	}
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	bar := progress.New(c.Progress, progress.Options{Label: "calibration"})
	bar.Start(1, 0, rows)
	defer bar.Stop()
	width := graph.Elements(samples.InputShape())
	x := make([]float32, size*width)
	y := make([]float32, size*graph.Elements(samples.TargetShape()))
	done := 0
	for index := range data.Batches(order, size) {
		if err := ctx.Err(); err != nil {
			return err
		}
		x := x[:len(index)*width]
		if err := samples.Read(index, x, y[:len(y)/size*len(index)]); err != nil {
			return err
		}
		if _, err := ip.RunFloat(x); err != nil {
			return err
		}
		if o.fault != nil {
			return fmt.Errorf("rows %d to %d: %w", index[0], index[len(index)-1], o.fault)
		}
		done += len(index)
		bar.Step(done, "")
	}
	bar.EndEpoch(fmt.Sprintf("%d samples, %d tensors", rows, len(o.of)))
	return nil
}

// store writes the ranges found on probe into q, its original, and raises
// weight scales where biases need it.
func (o *observer) store(q, probe *graph.Graph, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	for _, z := range probe.Quantizers() {
		if r, ok := o.ranges[z]; ok {
			z.SetRange(r)
		}
	}
	if err := graph.RaiseWeightScales(probe, log); err != nil {
		return err
	}
	for i, z := range q.Quantizers() {
		from := probe.Quantizers()[i]
		z.MinScale = from.MinScale
		if z.Source == graph.MovingAverage {
			z.SetRange(from.Observed())
		}
	}
	return nil
}
