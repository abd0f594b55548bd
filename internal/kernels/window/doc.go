// Package window is the geometry that every kernel on images shares: which pixels of the input lie under the kernel at
// each position of the output.
//
// The two functions you want are [Window.Complete], which finishes a geometry by a padding rule of the caller, and
// [Window.EachTap], which walks it; [Window.Phases] are the parts of a transposed convolution, and [Resize] says how images
// are resized by copying pixels:
//
//	w := window.Window{Input: size, Kernel: [2]int{3, 3}, Stride: one, Dilation: one}.Complete(graph.Same.Window)
//	for p := range w.Positions() {
//		w.EachTap(p, func(tap, pixel int) { y[p] += x[pixel] * kernel[tap] })
//	}
//
// The package has no rules of its own for padding and resizing (package graph defines them), and does no arithmetic.
package window
