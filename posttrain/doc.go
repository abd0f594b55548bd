// Package posttrain quantizes a finished network: it runs sample data through
// it, notes the ranges of its activations, and lets the export package turn
// them into integers.
//
// The function you want is [Quantize], or [Calibrate] between fakequant.Insert
// and export.Integer:
//
//	model, err := posttrain.Quantize(ctx, net, quant.Int8(), samples, posttrain.Options{})
//
// The network given is never changed. Sample data should look like the data the
// model will meet, and must not be test data.
//
// The package does not train; a calibrated graph may be trained further.
package posttrain
