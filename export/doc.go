// Package export turns a trained network into the network that a file holds:
// integers, dynamic range, float16 or plain float32. Each exporter is a list of
// passes; read the list to know the exporter.
//
// The functions you want are [Integer], for a graph with fake-quantization
// nodes, and [Float32]:
//
//	model, err := export.Integer(qnet, export.Options{Input: graph.Int8, Output: graph.Int8})
//	err = tflite.WriteFile("model.tflite", model)
//
// The result is a graph of its own: the network it came from is not changed,
// and later training does not reach it.
//
// The package does not write files and does not run anything.
package export
