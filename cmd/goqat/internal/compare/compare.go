package compare

import (
	"context"
	"fmt"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/memory"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/report"
)

// Names of the rows.
const (
	float32Row    = "float32"
	dynamicRow    = "dynamic range"
	float16Row    = "float16"
	int8Row       = "int8 (post-training)"
	controlRow    = "float32 control"
	controlInt8   = "int8 control (post-training)"
	qatRow        = "int8 (QAT)"
	referenceRow  = float32Row
	gainReference = controlInt8
)

// Run trains, quantizes, writes the files to c.Dir and measures them.
//
// Errors: every fault of the configuration; data that the network cannot take;
// ctx's error, after which no file is half written.
func Run(ctx context.Context, s Source, c Config) (*Result, error) {
	c, err := c.withDefaults(s)
	if err != nil {
		return nil, err
	}
	r := newResult(s, c)
	models, err := r.train(ctx, s.Train, c)
	if err != nil {
		return nil, err
	}
	paths, err := writeAll(c.Dir, models)
	if err != nil {
		return nil, err
	}
	if err := r.measure(ctx, s.Test, c, paths); err != nil {
		return nil, err
	}
	r.PeakMemory = memory.Peak()
	return r, nil
}

// train makes the models of all rows. It knows no test data.
func (r *Result) train(ctx context.Context, train data.Dataset, c Config) ([]model, error) {
	stack, err := c.Model.layers(r.Data.Classes, r.small)
	if err != nil {
		return nil, err
	}
	net, err := stack.Build(layers.Input(train.InputShape()), c.Seed)
	if err != nil {
		return nil, err
	}
	r.Network = describe(net)
	samples, err := data.Subset(train, data.Shuffle(train.Len(), c.seedOf(streamCalibration), 0)[:r.Data.CalibrationRows])
	if err != nil {
		return nil, err
	}
	w := &workshop{ctx: ctx, result: r, config: c, train: train, samples: samples}
	w.fit("float32", net, c.Epochs, rate, c.Seed)
	w.float(float32Row, "float32.tflite", net)
	w.dynamic(dynamicRow, "dynamic-range.tflite", net)
	w.half(float16Row, "float16.tflite", net)
	w.integer(int8Row, "int8-post-training.tflite", net)

	control := net.Clone()
	w.fit("control", control, c.QATEpochs, tuneRate, c.seedOf(streamTune))
	w.float(controlRow, "control-float32.tflite", control)
	w.integer(controlInt8, "control-int8-post-training.tflite", control)

	qat := w.quantizers(net)
	w.fit("QAT", qat, c.QATEpochs, tuneRate, c.seedOf(streamTune))
	w.trained(qatRow, "int8-qat.tflite", qat)
	return w.models, w.err
}

// measure reads the files back, runs them on the test rows and fills in the rows
// and gains.
func (r *Result) measure(ctx context.Context, test data.Dataset, c Config, files []file) error {
	began := time.Now()
	labels, err := data.Labels(test)
	if err != nil {
		return err
	}
	right := map[string][]bool{}
	var entries []report.Entry
	for _, f := range files {
		predictions, err := f.predict(ctx, test, c.Progress)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		right[f.name] = report.Right(labels, predictions)
		entries = append(entries, report.Entry{Name: f.name, Path: f.path, Bytes: f.bytes, Predictions: predictions})
	}
	r.Phases = append(r.Phases, Phase{Name: "evaluation", Seconds: time.Since(began).Seconds()})
	if r.Rows, err = report.Compare(labels, entries, referenceRow); err != nil {
		return err
	}
	for _, over := range []string{gainReference, controlRow} {
		d, err := report.PairedDifference(right[over], right[qatRow])
		if err != nil {
			return err
		}
		r.Gains = append(r.Gains, Gain{Of: qatRow, Over: over, Difference: d})
	}
	return nil
}

// describe counts what a network learns.
func describe(g *graph.Graph) Network {
	n := Network{}
	for _, p := range g.Parameters() {
		n.Parameters += p.Elements()
	}
	return n
}
