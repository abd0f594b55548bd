package f32

// The loops in this file run along the rows of matrices; parameter i%len(parameters) belongs to element i.

func scaleRowsPortable(dst, x, factor []float32) {
	for len(dst) > 0 {
		n := min(len(factor), len(dst))
		d, s := dst[:n], x[:n]
		for c, f := range factor[:n] {
			d[c] = s[c] * f
		}
		dst, x = dst[n:], x[n:]
	}
}

func affinePortable(dst, x, factor, shift []float32) {
	for len(dst) > 0 {
		n := min(len(factor), len(dst))
		d, s, shift := dst[:n], x[:n], shift[:n]
		for c, f := range factor[:n] {
			d[c] = float32(s[c]*f) + shift[c]
		}
		dst, x = dst[n:], x[n:]
	}
}

func normalizePortable(dst, x, mean, invStd, gamma, beta []float32) {
	for len(dst) > 0 {
		n := min(len(mean), len(dst))
		d, s, invStd, gamma, beta := dst[:n], x[:n], invStd[:n], gamma[:n], beta[:n]
		for c, m := range mean[:n] {
			xhat := float32((s[c] - m) * invStd[c])
			d[c] = float32(xhat*gamma[c]) + beta[c]
		}
		dst, x = dst[n:], x[n:]
	}
}

func normalizeGradPortable(dx, dy, x, mean, invStd, meanB, meanG, factor []float32) {
	for len(dx) > 0 {
		n := min(len(mean), len(dx))
		d, g, s, invStd := dx[:n], dy[:n], x[:n], invStd[:n]
		meanB, meanG, factor := meanB[:n], meanG[:n], factor[:n]
		for c, m := range mean[:n] {
			xhat := float32((s[c] - m) * invStd[c])
			d[c] = factor[c] * (g[c] - meanB[c] - float32(xhat*meanG[c]))
		}
		dx, dy, x = dx[n:], dy[n:], x[n:]
	}
}
