// Package oracle runs a .tflite file in Google's own runtime, LiteRT, and returns every tensor of it, so that tests can
// hold this module's files and integers against the real thing.
//
// The two functions you want are [Start] and [Oracle.Run]; [Oracle.Inspect] shows a file as LiteRT reads it.
//
//	o := oracle.Start(t)                                  // skips the test where Python or LiteRT is missing
//	tensors, err := o.Run(model, oracle.Options{Batch: 256}, []oracle.Tensor{oracle.Input(codes)})
//	if err != nil {
//		t.Fatal(err)
//	}
//	got, err := oracle.Values[int8](tensors[17])          // tensors[i] is tensor i of the file
//
// # What is returned
//
// With the [Reference] resolver (LiteRT's BUILTIN_REF kernels, experimental_preserve_all_tensors) all tensors come
// back: constants once, everything else as Batch examples, stacked. After those of the file come the kernels' [Scratch]
// tensors. For hybrid operators these hold the codes, scales and zero points that LiteRT chose at run time; what a
// kernel did not write is whatever was in memory. With the [Default] resolver XNNPACK fuses operators, so only inputs,
// outputs and constants have data. [Optimized] is for the few operators that the reference set lacks.
//
// Examples are run one after another, and variables are reset before each: whatever a kernel does per call (hybrid
// kernels choose one quantization per image or per row) is exact by construction, a model with a fixed batch works,
// and constants keep their shape. It costs little: 256 examples of a two-convolution int8 network with all
// its tensors take 25 ms on 8x8 images and 0.27 s on 28x28, against 26 ms and 0.16 s when the batch is resized to 256,
// with equal bytes (reference kernels, one thread).
//
// # Where LiteRT comes from
//
// From the Python interpreter that GOQAT_ORACLE_PYTHON names, else from .venv at the root of the module, which `make
// test` creates from requirements.txt. Without either, a test is skipped with a message, or fails where
// GOQAT_REQUIRE_ORACLE is 1. One process serves a whole test binary and ends with it.
//
// # What it does not do
//
// It does not judge: comparing is the caller's work. It reads the first subgraph only, no strings, and it is for tests;
// no package of this module may import it outside of them.
package oracle
