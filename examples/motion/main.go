// Command motion recognizes what a person does from an accelerometer: it trains
// a network of one-dimensional layers on windows of recordings, with weights for
// rare classes, continues with quantization-aware training, and writes an int8
// file.
//
//	go run ./examples/motion
//
// The recordings are synthetic, made when the program starts: no sensor measured
// them. The subjects of the test windows are not among those of the training
// windows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/examples/internal/score"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
	"github.com/goqat/goqat/zoo"
)

// options are the flags.
type options struct {
	out    string
	epochs int
}

func main() {
	var o options
	flag.StringVar(&o.out, "o", "motion.tflite", "file to write")
	flag.IntVar(&o.epochs, "epochs", 15, "epochs before quantization-aware training, which takes a third as many")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintln(os.Stderr, "motion:", err)
		os.Exit(1)
	}
}

// windows cuts the recordings of a training and of a test group of subjects.
func windows() (rows, test data.Dataset, err error) {
	recordings, err := synth.Motion{Subjects: 12}.Make(1)
	if err != nil {
		return nil, nil, err
	}
	cut := data.Windows{Length: 128, Stride: 32, Channels: synth.MotionChannels, Classes: len(synth.MotionLabels())}
	if rows, err = cut.Cut(recordings[:9]); err != nil {
		return nil, nil, err
	}
	cut.Stride = cut.Length
	test, err = cut.Cut(recordings[9:])
	return rows, test, err
}

// run trains, quantizes, writes and measures.
func run(ctx context.Context, out, progress io.Writer, o options) error {
	rows, test, err := windows()
	if err != nil {
		return err
	}
	weights, err := data.ClassWeights(rows)
	if err != nil {
		return err
	}
	network, err := zoo.ByName("accelerometer")
	if err != nil {
		return err
	}
	net, err := network.Build(layers.Input(rows.InputShape()), data.Classes(rows), 1)
	if err != nil {
		return err
	}
	if err := fit(ctx, net, rows, weights, 3e-3, o.epochs, "float", progress); err != nil {
		return err
	}
	float, err := score.Accuracy(ctx, net, test)
	if err != nil {
		return err
	}

	qnet, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		return err
	}
	if err := posttrain.Calibrate(ctx, qnet, rows, posttrain.Calibration{Samples: 200}); err != nil {
		return err
	}
	if err := fit(ctx, qnet, rows, weights, 5e-4, (o.epochs+2)/3, "QAT", progress); err != nil {
		return err
	}
	model, err := export.Integer(qnet, export.Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		return err
	}
	if err := tflite.WriteFile(o.out, model); err != nil {
		return err
	}
	confusion, err := score.Confusion(ctx, model, test)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "synthetic recordings: %d training and %d test windows of %v\nfloat32 before QAT %.1f %%, int8 after QAT %.1f %% right; %s:\n%s",
		rows.Len(), test.Len(), rows.InputShape(), 100*float, 100*confusion.Accuracy(), o.out, confusion.Table(synth.MotionLabels()))
	return err
}

// fit trains g.
func fit(ctx context.Context, g *graph.Graph, rows data.Dataset, weights map[int]float32, rate float64, epochs int, label string, progress io.Writer) error {
	m, err := train.Compile(g, train.Config{
		Optimizer: train.Adam{LearningRate: rate},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
		Metrics:   []train.Metric{train.Accuracy{}},
		BatchSize: 16,
	})
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = m.Fit(ctx, rows, train.FitConfig{
		Epochs: epochs, Seed: 1, ClassWeight: weights,
		Callbacks: []train.Callback{&train.Progress{Writer: progress, Label: label}},
	})
	return err
}
