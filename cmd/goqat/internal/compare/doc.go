// Package compare trains a small network, quantizes it in every way there is,
// writes the files and measures them on test data: what `goqat compare` does.
//
// The functions you want are [ByName], [Open] and [Run]:
//
//	model, err := compare.ByName("ds-cnn")
//	source, err := compare.Open(model, "") // its own data
//	result, err := compare.Run(ctx, source, compare.Config{Model: model.Name, Dir: "out"})
//	err = result.WriteText(os.Stdout)
//
// The comparison is fair. Quantization-aware training continues the trained
// float network for some epochs, so a control does the same without quantizers:
// equal epochs, rate, batches and order of rows. Training and calibration see
// training rows only, nothing is selected by looking at a score, and test rows
// are first read when all files are on the disk. What is measured are the files,
// read back and run in the interpreter.
//
// Most models tell classes. The autoencoder is a detector: it learns to give normal
// rows back, and takes for an anomaly what it gives back worse than nearly all of
// the rows that it has learned from. Each file has a threshold of its own, from the
// training rows, so that its errors count as they would in use.
//
// The package tunes nothing and compares one network on one data set at a time.
package compare
