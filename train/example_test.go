package train_test

import (
	"context"
	"fmt"

	"github.com/goqat/goqat/data/digits"
	"github.com/goqat/goqat/export"
	"github.com/goqat/goqat/fakequant"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/interp"
	"github.com/goqat/goqat/layers"
	"github.com/goqat/goqat/posttrain"
	"github.com/goqat/goqat/quant"
	"github.com/goqat/goqat/tflite"
	"github.com/goqat/goqat/train"
)

// The whole way: train, quantize, train on with fake quantization, export, run.
func Example() {
	if err := wholeWay(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// float32 accuracy above 90 %: true
	// int8 model of 3 operators; the file is below 5,000 bytes: true
	// outputs: 10 int8 codes
}

func wholeWay(ctx context.Context) error {
	trainSet, testSet := digits.Load()
	net, err := layers.Sequential{
		layers.Flatten{},
		layers.Dense{Units: 32, Activation: layers.ActReLU},
		layers.Dense{Units: 10},
	}.Build(layers.Input{8, 8, 1}, 1)
	if err != nil {
		return err
	}
	config := train.Config{
		Optimizer: train.Adam{LearningRate: 1e-3},
		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
		Metrics:   []train.Metric{train.Accuracy{}},
	}
	m, err := train.Compile(net, config)
	if err != nil {
		return err
	}
	defer m.Close()
	if _, err := m.Fit(ctx, trainSet, train.FitConfig{Epochs: 20, Seed: 1}); err != nil {
		return err
	}
	scores, err := m.Evaluate(ctx, testSet)
	if err != nil {
		return err
	}
	fmt.Println("float32 accuracy above 90 %:", scores.Metrics[0].Value > 0.9)

	qnet, err := fakequant.Insert(net, quant.Int8()) // a copy
	if err != nil {
		return err
	}
	if err := posttrain.Calibrate(ctx, qnet, trainSet, posttrain.Calibration{Samples: 200}); err != nil {
		return err
	}
	qm, err := train.Compile(qnet, config)
	if err != nil {
		return err
	}
	defer qm.Close()
	if _, err := qm.Fit(ctx, trainSet, train.FitConfig{Epochs: 2, Seed: 1}); err != nil {
		return err
	}
	model, err := export.Integer(qnet, export.Options{Input: graph.Int8, Output: graph.Int8})
	if err != nil {
		return err
	}
	file, err := tflite.Marshal(model)
	if err != nil {
		return err
	}
	fmt.Printf("int8 model of %d operators; the file is below 5,000 bytes: %t\n", len(model.Nodes), len(file) < 5000)

	ip, err := interp.New(model, interp.Options{})
	if err != nil {
		return err
	}
	if err := ip.Run(make([]int8, 64)); err != nil {
		return err
	}
	fmt.Println("outputs:", len(ip.Output(0).([]int8)), "int8 codes")
	return nil
}
