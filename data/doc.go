// Package data holds what a network learns from: the [Dataset] interface, sets in memory, readers for IDX, CSV, NPY
// and NPZ files, windows of time series, splits, augmentation, and the order in which rows are visited.
//
// The functions you want are [OpenIDX] (or [ReadCSV], or [NewMemory] for values you already have) and
// [Split].
//
//	train, test, err := data.OpenIDX("/usr/share/datasets/fashion-mnist")
//	train, validation, err := data.SplitStratified(train, 0.9, seed)
//
//	for batch := range data.Batches(data.Shuffle(train.Len(), seed, epoch), 128) {
//		err := train.Read(batch, x, y)
//	}
//
// # Rows, shapes and labels
//
// A row is one example: an input and a target. Shapes leave out the batch axis and are in row-major order;
// images are [height, width, channels] (NHWC without its N). A class label is a target of shape [1] holding
// an exact integer; anything else, such as a regression value or a one-hot vector, is a dense target.
//
// # What training sees
//
// A set may differ from epoch to epoch ([Epoched]): [Augment] makes one of any set, and training asks for the epoch it
// is in. Everything else reads rows as they are. Random choices depend on a seed, the epoch and the row alone.
//
//	set, err = data.Oversample(train, seed)                              // as many rows of each class
//	set, err = data.Augment(set, seed, data.RandomFlip{Mode: data.FlipHorizontal}, data.RandomErasing{})
//
// # Errors
//
// Constructors and readers check everything once: lengths, shapes, NaN, Inf, and labels against the number of
// classes. Their errors name the row and element, the line and column, or the byte. A set that was constructed
// without an error only fails on an index out of range or buffers of the wrong length.
//
// # What it does not do
//
// It downloads nothing and caches nothing on disk, and it does not normalize. Sound files are read by data/audio;
// ready-made sets are in data/digits (real) and data/synth (synthetic).
package data
