// Package bench measures how fast networks train and run on this machine: what
// `goqat bench train` and `goqat bench run` do.
//
// The functions you want are [OpenRows] and [Train]:
//
//	rows, err := bench.OpenRows("") // synthetic ones
//	r, err := bench.Train(ctx, rows, bench.Training{Network: bench.Networks[0], Batch: 32})
//	fmt.Println(r.SamplesPerSecond)
//
// What is timed is [train.Model.Fit] as users call it: rows read from the set in
// shuffled order, the step, the optimizer, loss and accuracy added up.
//
// [Run] measures a .tflite file, and [WriteModels] writes some.
//
// The networks that are trained are those that the scripts in the folder bench of the repository
// train with PyTorch and TensorFlow. The package judges no accuracy.
package bench
