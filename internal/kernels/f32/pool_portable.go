package f32

import "math"

// each calls f for every tap of every window with the index of its first channel.
func (w *windows) each(window func(i, first int), tap func(at int)) {
	for i := range w.count {
		first := w.first + i*w.step
		window(i*w.channels, first)
		for r := range w.rows {
			for c := range w.cols {
				tap(first + r*w.line + c*w.channels)
			}
		}
	}
}

func maxPoolPortable(y []float32, arg []int32, x []float32, w windows) {
	var best []float32
	var won []int32
	w.each(func(i, first int) {
		best = y[i:][:w.channels]
		copy(best, x[first:])
		if arg != nil {
			won = arg[i:][:w.channels]
			for c := range won {
				won[c] = int32(first + c)
			}
		}
	}, func(at int) {
		for c, v := range x[at:][:len(best)] {
			if b := best[c]; !(v <= b) && b == b {
				best[c] = v
				if won != nil {
					won[c] = int32(at + c)
				}
			}
		}
	})
}

func maxPoolGradPortable(dx, dy []float32, arg []int32, w windows) {
	w.each(func(i, _ int) {
		for r := range w.rows {
			clear(dx[w.first+i/w.channels*w.step+r*w.line:][:w.cols*w.channels])
		}
		for c, d := range dy[i:][:w.channels] {
			if a := arg[i+c]; a >= 0 {
				dx[a] += d
			}
		}
	}, func(int) {})
}

func averagePoolPortable(y, x []float32, taps float32, w windows) {
	var sum []float32
	w.each(func(i, _ int) {
		sum = y[i:][:w.channels]
		clear(sum)
	}, func(at int) {
		for c, v := range x[at:][:len(sum)] {
			sum[c] += v
		}
	})
	for i := range y {
		y[i] /= taps
	}
}

func averagePoolGradPortable(dx, dy []float32, taps float32, keep uint32, w windows) {
	var d []float32
	w.each(func(i, _ int) { d = dy[i:][:w.channels] }, func(at int) {
		to := dx[at:][:len(d)]
		for c, v := range d {
			to[c] = math.Float32frombits(math.Float32bits(to[c])&keep) + v/taps
		}
	})
}
