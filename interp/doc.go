// Package interp runs any [graph.Graph] in Go: float32 networks, networks with
// fake quantization, int8 models, dynamic-range models (float32 activations,
// int8 weights) and models with float16 weights. Integer tensors have the very
// codes of the runtime that [Options.Profile] names.
//
// The functions you want are [New] and [Interpreter.RunFloat]:
//
//	ip, err := interp.New(model, interp.Options{Batch: 32})
//	...
//	scores, err := ip.RunFloat(images) // any number of rows
//
// [Interpreter.Run] takes the model's own number types, which [Output] gives back;
// neither allocates. [Options.Tap] shows every tensor as it is computed; [RunNode]
// computes one node, or a run of nodes, on given inputs, which is how operators are
// compared one by one.
//
// An interpreter plans once: kernels with packed weights, and the place of every
// activation in one arena, which [PlanMemory] shows. It serves one goroutine at a
// time; [Interpreter.Clone] makes another one that shares all but the arena, and
// [Options.Threads] divides the rows of a batch. What a file may ask for is bounded
// by [Options.MaxBytes].
//
// At inference BatchNorm uses its moving statistics and Dropout is the
// identity. A FakeQuant node whose range was never observed passes its input
// through, so that calibration can run.
//
// Results do not depend on the number of threads, and those of a batch are
// those of its rows one by one. Several interpreters may share a graph that nobody
// changes meanwhile.
//
// It does not train and does not read files: see packages train and tflite. It
// has no operators with state.
package interp
