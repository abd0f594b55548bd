// Package q8 computes the 8-bit operators of TensorFlow Lite on plain slices,
// with the very integers of its reference kernels: activations in NHWC order,
// convolution weights OHWI, depthwise weights 1HWO, fully-connected weights
// [outputs, inputs].
//
// An operator with parameters is made once with a New function, which turns
// scales into integers ([NewFullyConnected], [NewConv2D],
// [NewDepthwiseConv2D], [NewTransposeConv], [NewSoftmax], [NewRelu], [NewRequantize] and so on), and
// then run any number of times, from several goroutines if need be:
//
//	fc, err := q8.NewFullyConnected(q8.FullyConnectedSpec{
//		Inputs: 2, Outputs: 1,
//		Input:  quant.PerTensor(0.5, 0),
//		Weight: quant.PerTensor(0.25, 0),
//		Output: quant.PerTensor(1, 0),
//	}, weights, bias)
//	fc.Run(dst, src, rows)
//
// Operators on float32 activations with 8-bit weights, which quantize their
// input at run time, are [NewHybridFullyConnected], [NewHybridConv2D],
// [NewHybridDepthwiseConv2D] and [NewHybridTransposeConv].
//
// New functions check everything that does not depend on the data and return
// errors; Run methods trust the slice lengths their comments state. Matrix
// operators have a fast kernel (the default) and a slow one that is the formula
// itself ([Reference]); both give the same integers. Fast convolutions and
// fully-connected operators run on AVX-512 with VNNI, on AVX2 or in plain Go
// ([Level]); build tag purego leaves the assembly out, and
// GODEBUG=cpu.avx512f=off chooses a lower level.
//
// The package knows nothing of graphs and files, and computes no shapes.
package q8
