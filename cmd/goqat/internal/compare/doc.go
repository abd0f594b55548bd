// Package compare trains a small network, quantizes it in every way there is,
// writes the files and measures them on test data: what `goqat compare` does.
//
// The functions you want are [Open] and [Run]:
//
//	source, err := compare.Open("") // the embedded digits
//	result, err := compare.Run(ctx, source, compare.Config{Dir: "out"})
//	err = result.WriteText(os.Stdout)
//
// The comparison is fair. Quantization-aware training continues the trained
// float network for some epochs, so a control does the same without quantizers:
// equal epochs, rate, batches and order of rows. Training and calibration see
// training rows only, nothing is selected by looking at a score, and test rows
// are first read when all files are on the disk. What is measured are the files,
// read back and run in the interpreter.
//
// The package tunes nothing and compares one network on one data set at a time.
package compare
