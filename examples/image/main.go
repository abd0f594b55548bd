// Command image trains a small depthwise-separable network on Fashion-MNIST with
// augmentation, continues with quantization-aware training, and writes an int8
// file for a microcontroller.
//
//	go run ./examples/image
//	go run ./examples/image -data DIR -epochs 10 -rows 0 -o fashion.tflite
//
// DIR has the four IDX files, as Debian's dataset-fashion-mnist installs them.
// By default it trains on a part of the rows, which takes about a minute; -rows 0
// takes all.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// options are the flags.
type options struct {
	data, out    string
	rows, epochs int
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "/usr/share/datasets/fashion-mnist", "directory of the four IDX files")
	flag.StringVar(&o.out, "o", "fashion.tflite", "file to write")
	flag.IntVar(&o.rows, "rows", 6000, "training rows; 0 for all")
	flag.IntVar(&o.epochs, "epochs", 6, "epochs before quantization-aware training, which takes half as many")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// network is three depthwise-separable stages on images of any size.
var network = layers.Sequential{
	layers.Conv2D{Filters: 16, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same, NoBias: true},
	layers.BatchNorm{Momentum: 0.9}, layers.ReLU{},
	stage(32, 1),
	layers.Residual{Body: stage(32, 1)},
	stage(48, 2),
	layers.GlobalAveragePool2D{},
	layers.Dropout{Rate: 0.1},
	layers.Dense{Units: 10},
}

func stage(filters, stride int) layers.Sequential {
	return layers.Sequential{
		layers.DepthwiseConv2D{Kernel: [2]int{3, 3}, Strides: [2]int{stride, stride}, Padding: layers.Same, NoBias: true},
		layers.BatchNorm{Momentum: 0.9}, layers.ReLU{},
		layers.Conv2D{Filters: filters, Kernel: [2]int{1, 1}, NoBias: true},
		layers.BatchNorm{Momentum: 0.9}, layers.ReLU{},
	}
}

// run trains, quantizes, writes and measures.
func run(ctx context.Context, w, progress io.Writer, o options) error {
	all, test, err := data.OpenIDX(o.data)
	if err != nil {
		return err
	}
	if o.rows > 0 && o.rows < all.Len() {
		if all, err = data.Subset(all, data.Shuffle(all.Len(), 1, 0)[:o.rows]); err != nil {
			return err
		}
	}
	rows, validation, err := data.SplitStratified(all, 0.9, 1)
	if err != nil {
		return err
	}
	varied, err := data.Augment(rows, 1, data.RandomFlip{Mode: data.FlipHorizontal}, data.RandomTranslation{Height: 0.07, Width: 0.07})
	if err != nil {
		return err
	}
	net, err := network.Build(layers.Input(all.InputShape()), 1)
	if err != nil {
		return err
	}
	if err := fit(ctx, net, varied, validation, 2e-3, o.epochs, "float", progress); err != nil {
		return err
	}

	qnet, err := fakequant.Insert(net, quant.Int8())
	if err != nil {
		return err
	}
	if err := posttrain.Calibrate(ctx, qnet, rows, posttrain.Calibration{Samples: 300}); err != nil {
		return err
	}
	if err := fit(ctx, qnet, varied, validation, 5e-4, (o.epochs+1)/2, "QAT", progress); err != nil {
		return err
	}
	model, err := export.Integer(qnet, export.Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		return err
	}
	if err := tflite.WriteFile(o.out, model); err != nil {
		return err
	}
	return report(ctx, w, net, o.out, test)
}

// fit trains g with a decaying learning rate.
func fit(ctx context.Context, g *graph.Graph, rows, validation data.Dataset, rate float64, epochs int, label string, progress io.Writer) error {
	m, err := train.Compile(g, train.Config{
		Optimizer: train.Adam{LearningRate: rate},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.05},
		Metrics:   []train.Metric{train.Accuracy{}},
		BatchSize: 64,
	})
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = m.Fit(ctx, rows, train.FitConfig{
		Epochs: epochs, Validation: validation, Seed: 1,
		Callbacks: []train.Callback{&train.Progress{Writer: progress, Label: label}},
	})
	return err
}
