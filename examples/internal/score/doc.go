// Package score measures models for the examples: it runs a network that may
// have been read from a file, in goqat's interpreter, on a data set with class
// labels.
//
// The functions you want are [Accuracy] and [Confusion].
package score
