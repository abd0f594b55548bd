// Package posttrain quantizes a finished network: it runs sample data through
// it, chooses the ranges of its activations, and lets the export package turn
// them into integers.
//
// The function you want is [Quantize], or [Calibrate] between fakequant.Insert
// and export.Integer:
//
//	model, err := posttrain.Quantize(ctx, net, quant.Int8(), samples, posttrain.Options{})
//
// Ranges are the extremes of the samples unless [Calibration] names another
// estimator. Where that loses too much, [Repair] has four remedies: [Equalize] and
// [AbsorbBiases] change the float network to one that computes the same and is
// easier to quantize, [AdaRound] and [CorrectBias] change the weights and biases
// of the quantized one.
//
// The network given is never changed, but for the ranges that Calibrate sets.
// Sample data should look like the data the model will meet, and must not be test
// data.
//
// The package does not train; a calibrated graph may be trained further.
package posttrain
