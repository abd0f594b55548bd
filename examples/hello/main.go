// Command hello is the smallest network there is: one dense unit learns the line
// y = 2x - 1 from six points and becomes four .tflite files.
//
//	go run ./examples/hello
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

var (
	xs = []float32{-1, 0, 1, 2, 3, 4}
	ys = []float32{-3, -1, 1, 3, 5, 7} // 2x - 1
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

// run learns, exports and prints.
func run(ctx context.Context, w io.Writer) error {
	points, err := data.NewMemory(data.Arrays{InputShape: []int{1}, X: xs, Y: ys})
	if err != nil {
		return err
	}
	net, err := learn(ctx, points)
	if err != nil {
		return err
	}
	models, err := quantize(ctx, net, points)
	if err != nil {
		return err
	}
	var saved bytes.Buffer
	if err := graph.Encode(&saved, net); err != nil { // what graph.Save writes
		return err
	}
	return show(w, models, saved.Len())
}

// learn fits one dense unit to the points.
func learn(ctx context.Context, points data.Dataset) (*graph.Graph, error) {
	net, err := layers.Sequential{layers.Dense{Units: 1}}.Build(layers.Input{1}, 1)
	if err != nil {
		return nil, err
	}
	m, err := train.Compile(net, train.Config{Optimizer: train.SGD{}, Loss: train.MeanSquaredError{}})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	_, err = m.Fit(ctx, points, train.FitConfig{Epochs: 500, Seed: 1})
	return net, err
}

// model is a kind of file.
type model struct {
	name string
	file []byte
}

// quantize exports net in four kinds. MinElements 0 lets the dynamic-range model
// quantize even a single weight; as a default that would only cost accuracy.
func quantize(ctx context.Context, net *graph.Graph, points data.Dataset) ([]model, error) {
	dynamic := quant.DynamicRange()
	dynamic.MinElements = 0
	codes := posttrain.Options{Export: export.Options{Input: graph.Int8, Output: graph.Int8}}
	var models []model
	for _, kind := range []struct {
		name   string
		export func() (*graph.Graph, error)
	}{
		{"float32", func() (*graph.Graph, error) { return export.Float32(net) }},
		{"dynamic range", func() (*graph.Graph, error) {
			return posttrain.Quantize(ctx, net, dynamic, nil, posttrain.Options{})
		}},
		{"float16", func() (*graph.Graph, error) { return export.Float16(net) }},
		{"int8", func() (*graph.Graph, error) { return posttrain.Quantize(ctx, net, quant.Int8(), points, codes) }},
	} {
		g, err := kind.export()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		file, err := tflite.Marshal(g) // what tflite.WriteFile writes
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		models = append(models, model{kind.name, file})
	}
	return models, nil
}
