// Package importer makes graphs of files.
//
// The function you want is [Graph].
//
//	g, origins, err := importer.Graph(f)
//
// What package operators has a row for is read by it. Operators that graphs have
// not are lowered to those that make the same numbers; what computes shapes as the
// network runs is folded into constants; a dilation between SPACE_TO_BATCH_ND and
// BATCH_TO_SPACE_ND, and time in front of the batch, are undone. What is left is
// kept as [graph.Foreign].
//
// It reads no bytes but constants and options, and writes none.
package importer
