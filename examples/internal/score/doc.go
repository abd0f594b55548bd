// Package score measures models for the examples: it runs a network that may
// have been read from a file, in goqat's interpreter, on a data set with class
// labels.
//
// The function you want is [Accuracy].
package score
