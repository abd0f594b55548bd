// Package train fits the weights of a graph by gradient descent on Gorgonia:
// losses, optimizers, schedules, metrics, callbacks and checkpoints, with Keras'
// names, defaults and meaning.
//
// The functions you want are [Compile] and [Model.Fit]:
//
//	m, err := train.Compile(net, train.Config{
//		Optimizer: train.Adam{LearningRate: 1e-3},
//		Loss:      train.SparseCategoricalCrossentropy{FromLogits: true},
//		Metrics:   []train.Metric{train.Accuracy{}},
//		BatchSize: 128,
//	})
//	defer m.Close()
//	history, err := m.Fit(ctx, trainSet, train.FitConfig{Epochs: 5, Validation: valSet, Seed: 1})
//
// The weights, BatchNorm statistics and quantization ranges are the variables
// of the graph: Fit changes them in place. Training a graph with
// fake-quantization nodes is quantization-aware training; nothing else differs,
// but that BatchNorm's statistics rest in the last third of it (see
// [FitConfig]).
//
// The regularizers and constraints of layers are fields of the graph's
// parameters: Fit adds the penalties to the loss and restores the constraints
// after each update, on the float weights behind any quantizer.
//
// The same seed gives the same bytes, whatever the number of threads, and a run
// resumed from a checkpoint ends with the bytes of one that never stopped.
//
// The package does not quantize, export or read files of data.
package train
