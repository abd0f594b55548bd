// Package q16 has the kernels of operators on 16-bit activations: codes int16
// with zero point 0, weights int8, biases int64, as TensorFlow Lite's 16x8
// quantization has them.
//
// An operator is prepared once and run many times, as those of package q8:
//
//	conv, err := q16.NewConv2D(spec, weights, bias)
//	conv.Run(dst, src, batch)
//
// and operators on single codes are tables of all 65536 results:
//
//	table, err := q16.NewTanh(scale)
//	table.Run(dst, src)
//
// The arithmetic is that of the reference kernels of LiteRT, which every desktop
// runtime shares for most operators, and of TensorFlow Lite for Microcontrollers
// where these differ. The implementations here are the formulas. Operators with
// weights, pools and arithmetic hand their work to the routines of package q8,
// which give the same codes, unless their Kernel says [q8.Reference].
//
// Copies (concatenation, padding, slices) and the borders to real values need no
// kernels of their own; see packages axes, strided, window and quant.
package q16
