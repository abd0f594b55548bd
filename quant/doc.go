// Package quant is the affine mathematics of integer networks: it says what a
// scale and a zero point are, how they follow from a range, and what fake
// quantization computes. Every other package (training, calibration, export,
// interpreter) takes its numbers from here, so that there is one definition.
//
// A real number x and its integer code q are tied by
//
//	x = Scale * (q - ZeroPoint)
//
// The functions you want are [Asymmetric] and [Symmetric] (range to scale and
// zero point) and [Params.FakeQuantize] (what training simulates):
//
//	scale, zero, err := quant.Asymmetric(-1, 3, quant.Signed(8, false))
//	p := quant.PerTensor(scale, zero)
//	p.FakeQuantize(y, x, mask, shape, quant.Signed(8, false))
//
// Where the range comes from is the business of an [Observer], by the rule of its
// [Estimator].
//
// A [Recipe] is the plain data that says which tensors get which quantizers.
//
// The package knows nothing of graphs, files or layers.
package quant
