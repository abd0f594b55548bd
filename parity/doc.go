// Package parity measures how well fake quantization predicts the integer model
// that export makes of it: operator by operator on equal inputs, and end to end.
//
// The functions you want are [Operators] and [EndToEnd]:
//
//	model, err := export.Integer(qnet, export.Options{})
//	ops, err := parity.Operators(qnet, model, x)
//	for _, op := range ops {
//		fmt.Println(op) // differing codes and the largest difference
//	}
//
// [IntegerAccuracy] is a training callback that exports the network after each
// epoch and reports the accuracy of the integers.
//
// The package compares two graphs in the interpreter; comparing the interpreter
// with LiteRT is the business of the tests.
package parity
