package compare

import (
	"context"
	"fmt"
	"time"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/train"
)

// model is a network ready for a file.
type model struct {
	row, file string
	graph     *graph.Graph
}

// workshop does the work of [Result.train] step by step. After the first error,
// the steps that follow do nothing.
type workshop struct {
	ctx     context.Context
	result  *Result
	config  Config
	loss    train.Config // what is minimized and reported
	train   data.Dataset
	samples data.Dataset // training rows to calibrate with
	models  []model
	err     error
}

// int8Borders are the number types of a model for integer-only hardware.
var int8Borders = export.Options{Input: graph.Int8, Output: graph.Int8}

// fit trains g.
func (w *workshop) fit(phase string, g *graph.Graph, epochs int, rate float64, seed uint64) {
	if w.err != nil {
		return
	}
	began, c := time.Now(), w.loss
	c.Optimizer, c.BatchSize = train.Adam{LearningRate: rate}, w.config.BatchSize
	history, err := fit(w.ctx, g, w.train, c, train.FitConfig{
		Epochs:    epochs,
		Seed:      seed,
		Callbacks: []train.Callback{&train.Progress{Writer: w.config.Progress, Label: phase}},
	})
	if err != nil {
		w.err = fmt.Errorf("%s: %w", phase, err)
		return
	}
	w.result.Phases = append(w.result.Phases, Phase{Name: phase, Seconds: time.Since(began).Seconds(), Epochs: history.Epochs})
}

func fit(ctx context.Context, g *graph.Graph, ds data.Dataset, c train.Config, f train.FitConfig) (*train.History, error) {
	m, err := train.Compile(g, c)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return m.Fit(ctx, ds, f)
}

// float adds the float32 model of net.
func (w *workshop) float(row, file string, net *graph.Graph) {
	w.add(row, file, func() (*graph.Graph, error) { return export.Float32(net) })
}

// dynamic adds the dynamic-range model of net.
func (w *workshop) dynamic(row, file string, net *graph.Graph) {
	w.add(row, file, func() (*graph.Graph, error) {
		return posttrain.Quantize(w.ctx, net, quant.DynamicRange(), nil, posttrain.Options{})
	})
}

// half adds the float16 model of net.
func (w *workshop) half(row, file string, net *graph.Graph) {
	w.add(row, file, func() (*graph.Graph, error) { return export.Float16(net) })
}

// integer adds the post-training integer model of net.
func (w *workshop) integer(row, file string, net *graph.Graph) {
	w.add(row, file, func() (*graph.Graph, error) {
		return posttrain.Quantize(w.ctx, net, w.config.Recipe, w.samples, posttrain.Options{Export: int8Borders})
	})
}

// quantizers returns the graph that QAT trains: net with fake quantization,
// starting from calibrated ranges.
func (w *workshop) quantizers(net *graph.Graph) *graph.Graph {
	if w.err != nil {
		return nil
	}
	q, err := fakequant.Insert(net, w.config.Recipe)
	if err == nil {
		err = posttrain.Calibrate(w.ctx, q, w.samples, posttrain.Calibration{})
	}
	w.err = err
	return q
}

// trained adds the integer model of a graph with trained quantizers.
func (w *workshop) trained(row, file string, q *graph.Graph) {
	w.add(row, file, func() (*graph.Graph, error) { return export.Integer(q, int8Borders) })
}

// add keeps what make returns.
func (w *workshop) add(row, file string, make func() (*graph.Graph, error)) {
	if w.err != nil {
		return
	}
	g, err := make()
	if err != nil {
		w.err = fmt.Errorf("%s: %w", row, err)
		return
	}
	w.models = append(w.models, model{row, file, g})
}
