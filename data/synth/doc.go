// Package synth makes small synthetic data sets from a seed, for tests, examples and first steps. Nothing in
// them was measured; results on them say nothing about real data.
//
// The functions you want are [Line.Make] for regression and [Images.Make] for classification; [Blobs.Make]
// is for networks without images, [Words.Make] and [Machine.Make] for sound and [Motion.Make] for time series.
//
//	ds, err := synth.Images{Rows: 500, Classes: 4}.Make(seed)
//	train, test, err := data.SplitStratified(ds, 0.8, seed)
//
// The same values and seed give the same set, bit for bit, on every architecture. Train and test rows of one
// problem come from one set that is split; another seed is another problem.
package synth
