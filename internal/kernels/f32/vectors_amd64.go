//go:build !purego

package f32

// vectorsAVX2 serve the AVX-512 level too, but for a few: they wait for memory rather than for arithmetic.
var vectorsAVX2 = vectors{
	add: addAVX2, sub: subAVX2, mul: mulAVX2,
	scale: scaleAVX2, axpy: axpyAVX2,
	clamp: clampAVX2, gate: gateAVX2, minMax: minMaxAVX2, sumMagnitudes: sumMagnitudesAVX2,
	leakyRelu: leakyReluAVX2,
	exp:       expAVX2, tanh: tanhAVX2, sigmoid: sigmoidAVX2, hardSwish: hardSwishAVX2, elu: eluAVX2,
	hardSwishGrad: hardSwishGradAVX2, sigmoidGrad: sigmoidGradAVX2, tanhGrad: tanhGradAVX2, eluGrad: eluGradAVX2,

	biasClamp: biasClampAVX2, scaleRows: scaleRowsAVX2, affine: affineAVX2,
	normalize: normalizeAVX2, normalizeGrad: normalizeGradAVX2,

	sumRows: sumRowsAVX2, sumSquares: sumSquaresAVX2,
	sumProducts: sumProductsAVX2, sumNormalized: sumNormalizedAVX2,
	sumMaskedNormalized: func(rows int, sum, products, dy []float32, mask []uint8, x, mean, invStd []float32, step int) {
		sumMaskedNormalizedAVX2(sum, products, x, dy, mask, mean, invStd, word*step, 1, rows, 0, len(sum))
	},

	maxPool: func(y []float32, arg []int32, x []float32, w windows) {
		maxPoolAVX2(y, arg, x, w.first, w.count, w.step, w.rows, w.cols, w.line, w.channels, w.channels)
	},
	maxPoolGrad: func(dx, dy []float32, arg []int32, w windows) {
		maxPoolGradAVX2(dx, dy, arg, w.first, w.count, w.step, w.rows, w.cols, w.line, w.channels, w.channels)
	},
	maxPoolGrad2: func(dx, dy []float32, arg []int32, w windows) {
		maxPoolGrad2AVX2(dx, dy, arg, w.first, w.count, w.step, w.line, w.channels)
	},
	averagePool: averagePoolBy(averagePoolAVX2),
	averagePoolGrad: func(dx, dy []float32, taps float32, keep uint32, w windows) {
		averagePoolGradAVX2(dx, dy, taps, keep, w.first, w.count, w.step, w.rows, w.cols, w.line, w.channels, w.channels)
	},

	depthwise: func(y, x, w, bias []float32, l limits, s strip) {
		depthwiseAVX2(y, x, w, bias, l.lo, l.hi, l.zero, s.lines, word*s.below, s.channels, s.count, word*s.step, s.rows, s.cols, word*s.line, word*s.col, word*s.out)
	},
	depthwiseGrad: func(dw, x, dy []float32, s strip) {
		depthwiseGradAVX2(dw, x, dy, s.lines, word*s.below, s.channels, s.count, word*s.step, s.rows, s.cols, word*s.line, word*s.col, word*s.out, word*s.gap)
	},

	winogradWindow: func(v, x []float32, t tiling) {
		winogradWindowAVX2(v, word*t.apart, x, word*t.line, t.channels, t.count)
	},
	winogradSpread: func(v, x []float32, t tiling) {
		winogradSpreadAVX2(v, word*t.apart, x, word*t.line, t.channels, t.count)
	},
	winogradGather: func(y, v []float32, t tiling) {
		winogradGatherAVX2(y, word*t.line, v, word*t.apart, t.channels, t.count)
	},

	oneChannel: func(y, x, w []float32, p pixels) {
		oneChannelAVX2(y, x, w, p.rows, p.count, word*p.step, word*p.line, word*p.down, p.channels)
	},
	oneChannelGrad: func(sum, bias, x, dy []float32, add bool, p pixels) {
		more := 0
		if add {
			more = 1
		}
		oneChannelGradAVX2(sum, bias, x, dy, more, p.rows, p.count, word*p.step, word*p.line, word*p.down, p.channels)
	},

	sparseWeights: func(sum, bias, x, dy []float32, winners []int32, p sparse) {
		for c := 0; c < p.inC; c += 8 {
			p.weights(sparseWeightsAVX2, c, sum, bias, x, dy, winners)
		}
	},
	sparseOneChannel: func(sum, bias, x, dy []float32, winners []int32, p sparse) {
		step, down, next, under := p.strides()
		sparseOneChannelAVX2(sum, bias, x, dy, winners, p.outC, p.rows, p.count, step, down, next, under, p.strip, word*p.line)
	},
	sparseInput: func(dx, dy []float32, winners []int32, w []float32, p sparse) {
		for c := 0; c < p.inC; c += 8 {
			p.input(sparseInputAVX2, c, dx, dy, winners, w)
		}
	},

	transpose8: func(dst []float32, stride int, src []float32, from, blocks int) {
		transpose8AVX2(dst, word*stride, src, word*from, blocks)
	},

	sgd: sgdAVX2, momentum: momentumAVX2, nesterov: nesterovAVX2, adam: adamAVX2, rmsprop: rmspropAVX2,

	fakeQuantize: fakeQuantizeAVX2, maskGrad: maskGradAVX2,
	tail: func(dst, x []float32, mask []uint8, k *tailConstants, rounds int) (least, most float32, nan bool) {
		return tailAVX2(dst, x, mask, k.lo[:], rounds)
	},
	tailPool2: func(y []float32, arg []int32, x, bias []float32, k *tailConstants, rounds int, w windows) (least, most float32, nan bool) {
		return tailPool2AVX2(y, arg, x, bias, k.lo[:], rounds, w.first, w.count, w.step, w.line, w.channels)
	},
	tailPool: func(y []float32, arg []int32, x, bias []float32, k *tailConstants, rounds int, w windows) (least, most float32, nan bool) {
		return tailPoolAVX2(y, arg, x, bias, k.lo[:], rounds, w.first, w.count, w.step, w.rows, w.cols, w.line, w.channels, w.channels)
	},
	clampNormalized: func(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants) {
		clampNormalizedAVX2(dst, x, mean, invStd, gamma, beta, mask, k.lo[:])
	},
	roundNormalized: func(dst, x, mean, invStd, gamma, beta []float32, mask []uint8, k *tailConstants) (least, most float32, nan bool) {
		return roundNormalizedAVX2(dst, x, mean, invStd, gamma, beta, mask, k.lo[:])
	},
	restoreNormalized: func(dst, x, mean, invStd, gamma, beta []float32, k *tailConstants) {
		restoreNormalizedAVX2(dst, x, mean, invStd, gamma, beta, k.lo[:])
	},

	rectify: func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) {
		rectifyAVX2(dst, x, mask, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	},
	roundRectified: func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) (least, most float32, nan bool) {
		return roundRectifiedAVX2(dst, x, mask, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	},
	restoreRectified: func(dst, x, params []float32, k *tailConstants, p patch) bool {
		return restoreRectifiedAVX2(dst, x, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	},
	normalizeMaskedGrad: func(dx, dy []float32, mask []uint8, x, params []float32, step int, p patch) {
		normalizeMaskedGradAVX2(dx, dy, mask, x, params, word*step, p.lines, p.pixels, word*p.gap, p.channels)
	},
}

func vectorsAVX512() vectors {
	v := vectorsAVX2
	v.exp, v.tanh, v.sigmoid, v.elu, v.averagePool = expAVX512, tanhAVX512, sigmoidAVX512, eluAVX512, averagePoolBy(averagePoolAVX512)
	v.depthwise = func(y, x, w, bias []float32, l limits, s strip) {
		depthwiseAVX512(y, x, w, bias, l.lo, l.hi, l.zero, s.lines, word*s.below, s.channels, s.count, word*s.step, s.rows, s.cols, word*s.line, word*s.col, word*s.out)
	}
	v.depthwiseGrad = func(dw, x, dy []float32, s strip) {
		depthwiseGradAVX512(dw, x, dy, s.lines, word*s.below, s.channels, s.count, word*s.step, s.rows, s.cols, word*s.line, word*s.col, word*s.out, word*s.gap)
	}
	v.sparseWeights = func(sum, bias, x, dy []float32, winners []int32, p sparse) {
		for c := 0; c < p.inC; c += 16 {
			if c+16 <= p.inC {
				p.weights(sparseWeightsAVX512, c, sum, bias, x, dy, winners)
			} else {
				p.weights(sparseWeightsAVX2, c, sum, bias, x, dy, winners)
			}
		}
	}
	v.sparseInput = func(dx, dy []float32, winners []int32, w []float32, p sparse) {
		for c := 0; c < p.inC; c += 16 {
			if c+16 <= p.inC {
				p.input(sparseInputAVX512, c, dx, dy, winners, w)
			} else {
				p.input(sparseInputAVX2, c, dx, dy, winners, w)
			}
		}
	}
	v.rectify = func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) {
		if p.channels%16 != 0 {
			vectorsAVX2.rectify(dst, x, mask, params, k, p)
			return
		}
		rectifyAVX512(dst, x, mask, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	}
	v.roundRectified = func(dst, x []float32, mask []uint8, params []float32, k *tailConstants, p patch) (least, most float32, nan bool) {
		if p.channels%16 != 0 {
			return vectorsAVX2.roundRectified(dst, x, mask, params, k, p)
		}
		return roundRectifiedAVX512(dst, x, mask, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	}
	v.restoreRectified = func(dst, x, params []float32, k *tailConstants, p patch) bool {
		if p.channels%16 != 0 {
			return vectorsAVX2.restoreRectified(dst, x, params, k, p)
		}
		return restoreRectifiedAVX512(dst, x, params, k.lo[:], p.lines, p.pixels, word*p.gap, p.channels)
	}
	v.sumMaskedNormalized = func(rows int, sum, products, dy []float32, mask []uint8, x, mean, invStd []float32, step int) {
		if len(sum)%16 != 0 {
			vectorsAVX2.sumMaskedNormalized(rows, sum, products, dy, mask, x, mean, invStd, step)
			return
		}
		sumMaskedNormalizedAVX512(sum, products, x, dy, mask, mean, invStd, word*step, 1, rows, 0, len(sum))
	}
	v.normalizeMaskedGrad = func(dx, dy []float32, mask []uint8, x, params []float32, step int, p patch) {
		if p.channels%16 != 0 {
			vectorsAVX2.normalizeMaskedGrad(dx, dy, mask, x, params, step, p)
			return
		}
		normalizeMaskedGradAVX512(dx, dy, mask, x, params, word*step, p.lines, p.pixels, word*p.gap, p.channels)
	}
	return v
}

// averagePoolBy returns the loop that a routine runs.
func averagePoolBy(run func(y, x []float32, taps float32, first, count, step, rows, cols, line, channels, lanes int)) func(y, x []float32, taps float32, w windows) {
	return func(y, x []float32, taps float32, w windows) {
		// Few channels and those behind them, which the next windows overwrite: but for the last ones.
		if n := w.count - 7/w.channels; w.channels < 8 && n > 0 {
			run(y, x, taps, w.first, n, w.step, w.rows, w.cols, w.line, w.channels, 8)
			y, w.first, w.count = y[n*w.channels:], w.first+n*w.step, w.count-n
			if w.count == 0 {
				return
			}
		}
		run(y, x, taps, w.first, w.count, w.step, w.rows, w.cols, w.line, w.channels, w.channels)
	}
}

// strides are the distances between windows, and what is left of rows of them, in the input or its gradient and in the strip.
func (p *sparse) strides() (step, down, next, under int) {
	step, next = p.apart[1]*p.inC, p.apart[1]*p.outC
	return word * step, word * (p.apart[0]*p.line - p.count*step), next, p.apart[0]*p.strip - p.count*next
}

// weights runs a routine for the input channels from c on, the first time with the bias.
func (p *sparse) weights(run func(sum, bias, x, dy []float32, winners []int32, left, first, outC, rows, count, out, step, down, next, under, below, pixel, line int), c int, sum, bias, x, dy []float32, winners []int32) {
	if c > 0 {
		bias = nil
	}
	step, down, next, under := p.strides()
	run(sum[c:], bias, x[c:], dy, winners, p.outC, 0, p.outC, p.rows, p.count, word*p.outC, step, down, next, under, p.strip, word*p.inC, word*p.line)
}

func (p *sparse) input(run func(w, dx, dy []float32, winners []int32, outC, rows, count, step, down, next, under, below, pixel, line int), c int, dx, dy []float32, winners []int32, w []float32) {
	step, down, next, under := p.strides()
	run(w[c:], dx[c:], dy, winners, p.outC, p.rows, p.count, step, down, next, under, p.strip, word*p.inC, word*p.line)
}
