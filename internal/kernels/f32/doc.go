// Package f32 holds the float32 kernels of training and inference: fully-connected, convolution, depthwise and transposed
// convolution layers with their gradients, pooling, batch normalization, activations, softmax, elementary functions and
// reductions, on plain slices.
//
// The two functions you want are [Conv2D] and [FullyConnected]; each has gradient kernels beside it. A forward pass
// over one batch of 28x28 images:
//
//	one := [2]int{1, 1}
//	w := window.Window{Input: [2]int{28, 28}, Kernel: [2]int{3, 3}, Stride: one, Dilation: one}.Complete(graph.Same.Window)
//	g := f32.Conv{Window: w, Batch: 128, InC: 1, OutC: 16}
//	var ws f32.Workspace
//	y := make([]float32, g.OutputLen())
//	f32.Conv2D(&ws, g, y, x, weights, bias, quant.Relu)
//
// Where weights do not change, [NewConv2D], [NewDepthwiseConv2D] and [NewFullyConnected] prepare an operator once that gives
// the same bits faster.
//
// Layout is TensorFlow Lite's: activations NHWC, convolution weights OHWI [OutC, KernelH, KernelW, InC], depthwise weights
// [KernelH, KernelW, OutC], fully-connected weights [Out, In], row-major without gaps. Destinations come before sources in every argument list. A slice may be
// longer than needed; a shorter one is a programming error and panics with the runtime's bounds error. Destinations
// must not overlap sources unless a kernel says that it works in place. Scratch memory lives in a [Workspace] that the
// caller keeps between calls.
//
// # Order of summation
//
// Results have the same bits for any number of threads. Matrix products (dense layers and convolutions) are computed by
// assembly where the processor has AVX2 with FMA or AVX-512, which add each product with one rounding and agree with each
// other, and elsewhere, or with the build tag purego, by plain Go, which rounds each product before it adds it; [Fused]
// tells which. All other products are rounded before they are added, and all other loops give the same bits whether they
// are assembly or plain Go. The order is the same everywhere:
//   - forward outputs and the gradient of inputs and of fully-connected weights are one chain of additions per element,
//     starting at +0, in ascending order of the summation index (for a convolution's weights: row-major taps, then
//     channels; for its input gradient: row-major output pixels, then channels); the bias is added last;
//   - a transposed convolution and the gradient of its input are the input gradient and the convolution that it turns
//     around, and add in their order;
//   - the input gradient of a depthwise convolution is one such chain per output channel, and the chains of the output
//     channels that belong to one input channel are added in order;
//   - the gradient of convolution weights and column sums are one such chain per chunk of rows, and the chunks are added
//     in order; the number of chunks depends on shapes only. In a [Layer], chunks are groups of images;
//   - where [Conv.Winograd] holds, [Conv2DGrad] and training steps of [PooledConv] add transformed values in such chains;
//     where [PooledConv.Sparse] holds, its gradients are chains of what the pool lets pass, in an order of their own;
//   - sums over a slice use 16 lanes by index modulo 16, which are then added pairwise in a fixed tree.
//
// Padding counts as nothing: the sums run over valid taps only. (Implementations may add products with zeros there, so
// with infinite or NaN weights border pixels are not specified.)
//
// The package does not know graphs, shapes of rank other than described, quantization or automatic differentiation, and
// it has no state: see package graph for operators and train for what strings kernels together.
package f32
