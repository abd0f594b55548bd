package compare

import (
	"context"
	"time"

	"github.com/goqat/goqat/cmd/goqat/internal/memory"
	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/report"
	"github.com/goqat/goqat/train"
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
	c, m, err := c.withDefaults(s)
	if err != nil {
		return nil, err
	}
	net, err := m.build(s, c.Seed)
	if err != nil {
		return nil, err
	}
	if s.Train, err = m.task.lessons(s.Train); err != nil {
		return nil, err
	}
	r := newResult(s, c)
	r.Network = describe(net)
	models, err := r.train(ctx, net, s.Train, m.task.config(), c)
	if err != nil {
		return nil, err
	}
	paths, err := writeAll(c.Dir, models)
	if err != nil {
		return nil, err
	}
	if err := r.measure(ctx, m.task, s, c, paths); err != nil {
		return nil, err
	}
	r.PeakMemory = memory.Peak()
	return r, nil
}

// train makes the models of all rows. It knows no test data.
func (r *Result) train(ctx context.Context, net *graph.Graph, lessons data.Dataset, loss train.Config, c Config) ([]model, error) {
	samples, err := data.Subset(lessons, data.Shuffle(lessons.Len(), c.seedOf(streamCalibration), 0)[:r.Data.CalibrationRows])
	if err != nil {
		return nil, err
	}
	w := &workshop{ctx: ctx, result: r, config: c, loss: loss, train: lessons, samples: samples}
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

// measure reads the files back, judges them on the test rows and fills in the rows
// and gains.
func (r *Result) measure(ctx context.Context, t task, s Source, c Config, files []file) error {
	began := time.Now()
	labels, err := data.Labels(s.Test)
	if err != nil {
		return err
	}
	right := map[string][]bool{}
	var entries []report.Entry
	for _, f := range files {
		j, err := f.judge(ctx, t, s.Train, s.Test, c.Progress)
		if err != nil {
			return err
		}
		right[f.name] = report.Right(labels, j.predictions)
		entries = append(entries, report.Entry{Name: f.name, Path: f.path, Bytes: f.bytes, Predictions: j.predictions})
		if j.detector != nil {
			j.detector.Name = f.name
			r.Detectors = append(r.Detectors, *j.detector)
		}
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
