// Command sound teaches the keyword network of MLPerf Tiny some words and
// calibrates an int8 file of it.
//
//	go run ./examples/sound                      words that a synthesizer says
//	go run ./examples/sound -wav DIR -o kws.tflite   your own: DIR/yes/*.wav, DIR/no/*.wav ...
//
// The words of the first form are synthetic: they are made when the program
// starts, and no person ever spoke them. Speakers of the test rows are not among
// those of the training rows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/examples/internal/score"
	"github.com/goqat/goqat/export"
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
	wav, out string
	epochs   int
}

func main() {
	var o options
	flag.StringVar(&o.wav, "wav", "", "directory with a folder of WAV files (16 kHz, a second each) for each word; empty for synthetic words")
	flag.StringVar(&o.out, "o", "words.tflite", "file to write")
	flag.IntVar(&o.epochs, "epochs", 12, "epochs of training")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintln(os.Stderr, "sound:", err)
		os.Exit(1)
	}
}

// run trains, calibrates, writes and measures.
func run(ctx context.Context, out, progress io.Writer, o options) error {
	load := synthetic
	if o.wav != "" {
		load = func() (words, error) { return recorded(o.wav) }
	}
	w, err := load()
	if err != nil {
		return err
	}
	dscnn, err := zoo.ByName("ds-cnn")
	if err != nil {
		return err
	}
	normalized, err := layers.Normalization{}.Adapt(ctx, w.train)
	if err != nil {
		return err
	}
	net, err := append(layers.Sequential{normalized}, dscnn.Layers(len(w.labels))...).Build(layers.Input(w.train.InputShape()), 1)
	if err != nil {
		return err
	}
	if err := fit(ctx, net, w.train, o.epochs, progress); err != nil {
		return err
	}
	model, err := posttrain.Quantize(ctx, net, quant.Int8(), w.train, posttrain.Options{
		Export: export.Options{Input: graph.Int8, Output: graph.Int8},
	})
	if err != nil {
		return err
	}
	if err := tflite.WriteFile(o.out, model); err != nil {
		return err
	}
	float, err := score.Accuracy(ctx, net, w.test)
	if err != nil {
		return err
	}
	file, err := tflite.ReadFile(o.out)
	if err != nil {
		return err
	}
	confusion, err := score.Confusion(ctx, file, w.test)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d training and %d test rows\nfloat32 %.1f %%, int8 %.1f %% right; %s:\n%s",
		w.name, w.train.Len(), w.test.Len(), 100*float, 100*confusion.Accuracy(), o.out, confusion.Table(w.labels))
	return err
}

// fit trains net.
func fit(ctx context.Context, net *graph.Graph, rows data.Dataset, epochs int, progress io.Writer) error {
	m, err := train.Compile(net, train.Config{
		Optimizer: train.Adam{LearningRate: 2e-3},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
		Metrics:   []train.Metric{train.Accuracy{}},
		BatchSize: 8, // BatchNorm's moving statistics, with Keras' momentum of 0.99, need some hundred steps
	})
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = m.Fit(ctx, rows, train.FitConfig{
		Epochs: epochs, Seed: 1, Callbacks: []train.Callback{&train.Progress{Writer: progress, Label: "ds-cnn"}},
	})
	return err
}
