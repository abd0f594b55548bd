package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Routines on the rows of matrices. In the first kind, parameters repeat along the matrix: parameter i%len(parameters)
// belongs to element i. The second kind sums columns.

func rowwise() {
	biasClamp()
	scaleRows()
	affine()
	normalize()
	normalizeGrad()
	sums("sumRows", "x []float32", "x", "x[c]", nil, func(row, _ []reg.VecVirtual) reg.VecVirtual { return row[0] })
	sums("sumSquares", "x, mean []float32", "x", "float32((x[c]-mean[c]) * (x[c]-mean[c]))", []string{"mean"},
		func(row, params []reg.VecVirtual) reg.VecVirtual {
			VSUBPS(params[0], row[0], row[0])
			VMULPS(row[0], row[0], row[0])
			return row[0]
		})
	sums("sumProducts", "dy, x []float32", "dy x", "float32(dy[c] * x[c])", nil,
		func(row, _ []reg.VecVirtual) reg.VecVirtual {
			VMULPS(row[1], row[0], row[0])
			return row[0]
		})
	sumNormalized()
}

func biasClamp() {
	routine("biasClamp", "(dst, x, bias []float32, lo, hi, zero float32)", "adds a bias and limits to [lo, hi]; zero as in clamp:",
		"for i := range dst { dst[i] = min(max(x[i] + bias[i%len(bias)], lo), hi) + zero }")
	dst, x, bias, l := slice("dst"), slice("x"), slice("bias"), loadLimits()
	repeat(size("dst"), size("bias"), []reg.GPVirtual{dst, x}, func(w width, i reg.GPVirtual) {
		w.store(l.clamp(w, w.do(VADDPS, w.load(at(x, i)), w.load(at(bias, i)))), at(dst, i))
	})
	end()
}

func scaleRows() {
	routine("scaleRows", "(dst, x, factor []float32)", "multiplies by a factor per column:",
		"for i := range dst { dst[i] = x[i] * factor[i%len(factor)] }")
	dst, x, factor := slice("dst"), slice("x"), slice("factor")
	repeat(size("dst"), size("factor"), []reg.GPVirtual{dst, x}, func(w width, i reg.GPVirtual) {
		w.store(w.do(VMULPS, w.load(at(x, i)), w.load(at(factor, i))), at(dst, i))
	})
	end()
}

func affine() {
	routine("affine", "(dst, x, factor, shift []float32)", "scales and shifts by parameters per column:",
		"for i := range dst { c := i%len(factor); dst[i] = float32(x[i]*factor[c]) + shift[c] }")
	dst, x, factor, shift := slice("dst"), slice("x"), slice("factor"), slice("shift")
	repeat(size("dst"), size("factor"), []reg.GPVirtual{dst, x}, func(w width, i reg.GPVirtual) {
		v := w.do(VMULPS, w.load(at(x, i)), w.load(at(factor, i)))
		w.store(w.do(VADDPS, v, w.load(at(shift, i))), at(dst, i))
	})
	end()
}

func normalize() {
	routine("normalize", "(dst, x, mean, invStd, gamma, beta []float32)", "normalizes by parameters per column:",
		"for i := range dst {",
		"\tc := i % len(mean)",
		"\tdst[i] = float32(float32((x[i]-mean[c])*invStd[c])*gamma[c]) + beta[c]",
		"}")
	dst, x, mean, invStd, gamma, beta := slice("dst"), slice("x"), slice("mean"), slice("invStd"), slice("gamma"), slice("beta")
	repeat(size("dst"), size("mean"), []reg.GPVirtual{dst, x}, func(w width, i reg.GPVirtual) {
		v := w.do(VSUBPS, w.load(at(x, i)), w.load(at(mean, i)))
		w.do(VMULPS, v, w.load(at(invStd, i)))
		w.do(VMULPS, v, w.load(at(gamma, i)))
		w.store(w.do(VADDPS, v, w.load(at(beta, i))), at(dst, i))
	})
	end()
}

func normalizeGrad() {
	routine("normalizeGrad", "(dx, dy, x, mean, invStd, meanB, meanG, factor []float32)", "computes the gradient of the input of a normalization:",
		"for i := range dx {",
		"\tc := i % len(mean)",
		"\txhat := float32((x[i] - mean[c]) * invStd[c])",
		"\tdx[i] = factor[c] * ((dy[i] - meanB[c]) - float32(xhat*meanG[c]))",
		"}")
	dx, dy, x := slice("dx"), slice("dy"), slice("x")
	mean, invStd, meanB, meanG, factor := slice("mean"), slice("invStd"), slice("meanB"), slice("meanG"), slice("factor")
	repeat(size("dx"), size("mean"), []reg.GPVirtual{dx, dy, x}, func(w width, i reg.GPVirtual) {
		d, v := w.load(at(dy, i)), w.do(VSUBPS, w.load(at(x, i)), w.load(at(mean, i)))
		w.do(VMULPS, v, w.load(at(invStd, i)))
		w.do(VMULPS, v, w.load(at(meanG, i)))
		w.do(VSUBPS, d, w.load(at(meanB, i)))
		w.do(VSUBPS, d, v)
		w.store(w.do(VMULPS, d, w.load(at(factor, i))), at(dx, i))
	})
	end()
}

// sums makes a routine that adds terms of the rows of matrices to sum, one chain per column. matrices are the names of the
// matrices among the parameters, params those of the vectors.
func sums(name, parameters, matrices, term string, params []string, f func(row, params []reg.VecVirtual) reg.VecVirtual) {
	routine(name, "(rows int, sum, "+parameters+")", "adds rows of len(sum) columns, of which there must be one, in order:",
		"for range rows { for c := range sum { sum[c] += "+term+" }; next row }")
	sum, cols, rows := slice("sum"), size("sum"), number("rows")
	var data, vectors []reg.GPVirtual
	for _, m := range strings.Fields(matrices) {
		data = append(data, slice(m))
	}
	for _, p := range params {
		vectors = append(vectors, slice(p))
	}
	var acc []reg.VecVirtual
	var loaded [][]reg.VecVirtual
	columns([]int{4, 2, 1}, cols, rows, data, func(c reg.GPVirtual, n int, mask reg.VecVirtual) {
		acc, loaded = nil, nil
		for v := range n {
			acc = append(acc, loadColumns(sum, c, v, mask))
			var l []reg.VecVirtual
			for _, p := range vectors {
				l = append(l, loadColumns(p, c, v, mask))
			}
			loaded = append(loaded, l)
		}
	}, func(v int, row []reg.VecVirtual) {
		VADDPS(f(row, loaded[v]), acc[v], acc[v])
	}, func(c reg.GPVirtual, mask reg.VecVirtual) {
		for v, a := range acc {
			storeColumns(a, sum, c, v, mask)
		}
	})
	end()
}

// sumNormalized has two chains per column; their registers leave none for mean and invStd, which are read in every row.
func sumNormalized() {
	routine("sumNormalized", "(rows int, sum, products, dy, x, mean, invStd []float32)",
		"adds rows of len(sum) columns, of which there must be one, in order:",
		"for range rows {",
		"\tfor c := range sum {",
		"\t\tsum[c] += dy[c]",
		"\t\tproducts[c] += float32(dy[c] * float32((x[c]-mean[c])*invStd[c]))",
		"\t}",
		"\tnext row",
		"}")
	sum, products, cols, rows := slice("sum"), slice("products"), size("sum"), number("rows")
	dy, x, mean, invStd := slice("dy"), slice("x"), slice("mean"), slice("invStd")
	var s, p []reg.VecVirtual
	var m, i []operand.Op
	columns([]int{4, 2, 1}, cols, rows, []reg.GPVirtual{dy, x}, func(c reg.GPVirtual, n int, mask reg.VecVirtual) {
		s, p, m, i = nil, nil, nil, nil
		for v := range n {
			s, p = append(s, loadColumns(sum, c, v, mask)), append(p, loadColumns(products, c, v, mask))
			if mask != nil {
				m, i = append(m, loadColumns(mean, c, v, mask)), append(i, loadColumns(invStd, c, v, mask))
				continue
			}
			m = append(m, operand.Mem{Base: mean, Index: c, Scale: 4, Disp: 32 * v})
			i = append(i, operand.Mem{Base: invStd, Index: c, Scale: 4, Disp: 32 * v})
		}
	}, func(v int, row []reg.VecVirtual) {
		VADDPS(row[0], s[v], s[v])
		VSUBPS(m[v], row[1], row[1])
		VMULPS(i[v], row[1], row[1])
		VMULPS(row[1], row[0], row[0])
		VADDPS(row[0], p[v], p[v])
	}, func(c reg.GPVirtual, mask reg.VecVirtual) {
		for v := range s {
			storeColumns(s[v], sum, c, v, mask)
			storeColumns(p[v], products, c, v, mask)
		}
	})
	end()
}
