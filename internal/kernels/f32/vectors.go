package f32

// vectors are the loops below the kernels that are not matrix products. The portable ones, plain Go, define what the
// others compute, bit by bit. Slices that a routine runs along have the length of the first one; the parameters of those
// on rows repeat along them.
type vectors struct {
	// On elements.
	add, sub, mul func(dst, a, b []float32)
	scale, axpy   func(dst []float32, alpha float32, x []float32)
	clamp         func(dst, x []float32, lo, hi, zero float32)
	gate          func(dx, dy, y []float32, lo, hi float32)
	minMax        func(x []float32) (lo, hi float32, nan bool)
	sumMagnitudes func(sum, x []float32) (nonzero int) // of a multiple of 16
	// leakyRelu computes v where x is above 0, alpha*v elsewhere.
	leakyRelu                                     func(dst, v, x []float32, alpha float32)
	exp, tanh, sigmoid, hardSwish, elu            func(dst, x []float32)
	hardSwishGrad, sigmoidGrad, tanhGrad, eluGrad func(dx, dy, v []float32) // of the gradients' v

	// On rows.
	biasClamp     func(dst, x, bias []float32, lo, hi, zero float32)
	scaleRows     func(dst, x, factor []float32)
	affine        func(dst, x, factor, shift []float32)
	normalize     func(dst, x, mean, invStd, gamma, beta []float32)
	normalizeGrad func(dx, dy, x, mean, invStd, meanB, meanG, factor []float32)

	// On columns: they add at least one row of len(sum) columns after another to sum.
	sumRows       func(rows int, sum, x []float32)
	sumSquares    func(rows int, sum, x, mean []float32)
	sumProducts   func(rows int, sum, dy, x []float32)
	sumNormalized func(rows int, sum, products, dy, x, mean, invStd []float32)
	// sumMaskedNormalized takes what mask passes of dy, whose rows are step elements apart; there are multiples of eight columns.
	sumMaskedNormalized func(rows int, sum, products, dy []float32, mask []uint8, x, mean, invStd []float32, step int)

	// On windows.
	maxPool         func(y []float32, arg []int32, x []float32, w windows)
	maxPoolGrad     func(dx, dy []float32, arg []int32, w windows)
	maxPoolGrad2    func(dx, dy []float32, arg []int32, w windows) // for 2x2 taps and at least eight channels
	averagePool     func(y, x []float32, taps float32, w windows)
	averagePoolGrad func(dx, dy []float32, taps float32, keep uint32, w windows)

	// On strips of pixels.
	depthwise     func(y, x, w, bias []float32, l limits, s strip)
	depthwiseGrad func(dw, x, dy []float32, s strip)

	// On rows of tiles.
	winogradWindow, winogradSpread func(v, x []float32, t tiling)
	winogradGather                 func(y, v []float32, t tiling)

	// On images of one channel, by kernels of 3x3 of at least eight channels; nil where products are not fused.
	oneChannel     func(y, x, w []float32, p pixels)
	oneChannelGrad func(sum, bias, x, dy []float32, add bool, p pixels)

	// On what a pool lets pass, in several input channels at a time.
	sparseWeights    func(sum, bias, x, dy []float32, winners []int32, p sparse)
	sparseOneChannel func(sum, bias, x, dy []float32, winners []int32, p sparse)
	sparseInput      func(dx, dy []float32, winners []int32, w []float32, p sparse)

	// transpose8 transposes eight rows of 8*blocks columns; nil where it is not faster than [transpose].
	transpose8 func(dst []float32, stride int, src []float32, from, blocks int)

	// Of optimizers.
	sgd                func(w, grad []float32, rate float32)
	momentum, nesterov func(w, grad, v []float32, rate, m float32)
	adam               func(w, grad, m, v []float32, rest1, rest2, rate, epsilon float32)
	rmsprop            func(w, grad, v []float32, rho, rest, rate, epsilon float32)

	// Of quantization.
	fakeQuantize func(y, x []float32, mask []uint8, scale, before, half float32, after, zero, lo, hi int32)
	maskGrad     func(dx, dy []float32, mask []uint8)
	tail         func(dst, x []float32, mask []uint8, k *tailConstants, rounds int) (least, most float32, nan bool)
	// tailPool2 is tailPool for 2x2 taps and at least eight channels. If it returns true, nothing else is valid.
	tailPool2 func(y []float32, arg []int32, x, bias []float32, k *tailConstants, rounds int, w windows) (least, most float32, nan bool)
	tailPool  func(y []float32, arg []int32, x, bias []float32, k *tailConstants, rounds int, w windows) (least, most float32, nan bool)
	// normalize and tail in one pass over multiples of eight columns: one that does not round, whose mask may be empty,
	// one that rounds, and one that rounds and has neither bits nor bounds.
	clampNormalized   func(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants)
	roundNormalized   func(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants) (least, most float32, nan bool)
	restoreNormalized func(dst, x, mean, invStd, gamma, beta []float32, k *tailConstants)

	// On patches. The first three are the three above where the activation is not below zero; params are mean, invStd, gamma and
	// beta. Where they round and return that there is a NaN, nothing else is valid.
	rectify          func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch)
	roundRectified   func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) (least, most float32, nan bool)
	restoreRectified func(dst, x, params []float32, k *tailConstants, p patch) (nan bool)
	// normalizeMaskedGrad is normalizeGrad of what mask passes of dy, whose pixels are step elements apart; params are mean,
	// invStd, meanB, meanG and factor.
	normalizeMaskedGrad func(dx, dy []float32, mask []uint8, x, params []float32, step int, p patch)
}

// A patch is lines of pixels of a multiple of eight channels. Behind each line there is a gap in what is written.
type patch struct{ lines, pixels, gap, channels int }

// portable is plain Go. It rounds each product before it adds it.
var portable = &dispatch{name: "portable", gemm: gemmPortable, vectors: vectors{
	add: addPortable, sub: subPortable, mul: mulPortable,
	scale: scalePortable, axpy: axpyPortable,
	clamp: clampPortable, gate: gatePortable, minMax: minMaxPortable, sumMagnitudes: sumMagnitudesPortable,
	leakyRelu: leakyReluPortable,
	exp:       eachBy(Exp), tanh: eachBy(Tanh), sigmoid: eachBy(Sigmoid), hardSwish: eachBy(hardSwish), elu: eachBy(Elu),
	hardSwishGrad: slopedBy(hardSwishSlope), sigmoidGrad: slopedBy(sigmoidSlope), tanhGrad: slopedBy(tanhSlope), eluGrad: slopedBy(eluSlope),

	biasClamp: biasClampPortable, scaleRows: scaleRowsPortable, affine: affinePortable,
	normalize: normalizePortable, normalizeGrad: normalizeGradPortable,

	sumRows: sumRowsPortable, sumSquares: sumSquaresPortable,
	sumProducts: sumProductsPortable, sumNormalized: sumNormalizedPortable, sumMaskedNormalized: sumMaskedNormalizedPortable,

	maxPool: maxPoolPortable, maxPoolGrad: maxPoolGradPortable, maxPoolGrad2: maxPoolGradPortable,
	averagePool: averagePoolPortable, averagePoolGrad: averagePoolGradPortable,

	depthwise: depthwisePortable, depthwiseGrad: depthwiseGradPortable,

	winogradWindow: winogradWindowPortable, winogradSpread: winogradSpreadPortable, winogradGather: winogradGatherPortable,

	sparseWeights: sparseWeightsPortable, sparseInput: sparseInputPortable, sparseOneChannel: sparseOneChannelPortable,

	sgd: sgdPortable, momentum: momentumPortable, nesterov: nesterovPortable, adam: adamPortable, rmsprop: rmspropPortable,

	fakeQuantize: fakeQuantizePortable, maskGrad: maskGradPortable, tail: tailPortable, tailPool: tailPoolPortable, tailPool2: tailPoolPortable,
	clampNormalized: clampNormalizedPortable, roundNormalized: roundNormalizedPortable, restoreNormalized: restoreNormalizedPortable,
	rectify: rectifyPortable, roundRectified: roundRectifiedPortable, restoreRectified: restoreRectifiedPortable,
	normalizeMaskedGrad: normalizeMaskedGradPortable,
}}
