// Package tflite reads, writes, checks and describes .tflite files: the format
// that LiteRT, TFLite Micro and integer-only hardware run.
//
// The two functions you want are [WriteFile] and [ReadFile]:
//
//	err := tflite.WriteFile("model.tflite", g)
//	g, err := tflite.ReadFile("model.tflite")
//
// [Verify] holds a file to the rules of the TensorFlow Lite 8-bit quantization
// specification that can be checked without running it, [Describe] says what is
// in a file and what its bytes are spent on, and [Trainable] turns the constants
// of a float file into parameters.
//
// # Writing
//
// The same graph gives the same bytes. A file has one subgraph, and those that were
// read with it, the signature "serving_default", batch 1, operator versions as the official converter
// chooses them, and the least runtime version these need. Constants and
// quantization parameters with equal content are stored once. Everything
// written has passed [Verify]. Operators that exist only while training
// (BatchNorm, Dropout, FakeQuant) are an error that names the node.
//
// # Reading
//
// Files may come from anywhere: every offset is suspect, and what is damaged is an
// error that names the tensor or operator by index and the byte where it stands;
// nothing panics and no allocation goes far beyond the file's size. All faults of a
// file are reported together. Nodes are named after their outputs, since operators
// have no names in a file.
//
// Operators that graphs have not are read as those that make the same numbers:
// SPLIT as slices, PACK as reshapes and a concatenation, SPACE_TO_BATCH_ND around a
// convolution as its dilation. The shapes that networks for any batch compute as
// they run become constants. What is left is kept as [graph.Foreign], which can be
// shown and written back but not run; so are the subgraphs behind the first
// ([graph.Graph.Subgraphs]), and tensors of other types, with state, or of sizes
// unknown until run time ([graph.Kept]). [Describe] shows any well-formed file, with
// all its subgraphs, as it is.
//
// # What it does not do
//
// It does not run models and does not quantize them. It does not read models for
// batches of more than one row, or with sizes of 0, and does not write back sparse
// storage, data in another file, options of StableHLO, or tensors that belong to an
// operator alone.
package tflite
