// Package graph holds networks as values: a [Graph] is a list of nodes in
// execution order, each applying one operator to tensors. Operators carry
// TensorFlow Lite's names and meaning (NHWC activations, OHWI convolution
// weights), plus the few that exist only while training (BatchNorm, Dropout,
// FakeQuant).
//
// Layers lower to a graph, quantization rewrites one graph into another, the
// interpreter and the trainer run it, and the tflite package writes it. A pass
// ([Pass]) takes a private copy and changes it; the graph it came from keeps
// its bytes.
//
// The functions you want are [Graph.Add], which appends a node and infers its
// shape, and [Passes.Run]:
//
//	g := &graph.Graph{Name: "net"}
//	x := g.AddInput("x", graph.Float32, []int{1, 8})
//	y, err := g.Add("y", graph.Relu{}, x)
//	g.Outputs = []*graph.Tensor{y}
//
// [Save] and [Load] keep a graph in a safetensors file, [Graph.WriteText] and
// [Graph.WriteDOT] show it.
//
// The first axis is the batch and is 1 in the graph; [Graph.Shapes] gives the
// shapes for any other batch without editing the graph.
//
// The package does not compute: kernels and execution are elsewhere.
package graph
