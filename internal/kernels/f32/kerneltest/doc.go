// Package kerneltest holds the float32 kernels as plain formulas: slow loops that say what each kernel of package f32
// computes, in which order and with which rounding. Any implementation, portable or vectorized, is held equal to them.
//
// The two functions you want are [Conv2D] and [FullyConnected]; the others bear the names of what they define:
//
//	want := make([]float32, g.OutputLen())
//	kerneltest.Conv2D(g, want, x, w, bias, quant.Relu)
//	f32.Conv2D(&ws, g, got, x, w, bias, quant.Relu)     // the same bits
//
// Nothing but tests imports this package. It does no timing and draws no random shapes; the conformance test in package
// f32 does.
package kerneltest
