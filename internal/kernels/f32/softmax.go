package f32

import (
	"math"
	"sync"
)

// Softmax computes y[r,c] = exp(x[r,c]-m) / sum over c of exp(x[r,c]-m), where m is the row's maximum; the sum is [Sum]'s.
// It may work in place. Shapes: y, x [rows, cols].
func Softmax(rows, cols int, y, x []float32) {
	eachRows(rows, cols, y, x, nil, func(cols int, y, x, _ []float32) {
		lessMax(cols, y, x)
		level.exp(y, y)
		for ; len(y) > 0; y = y[cols:] {
			s := Sum(y[:cols])
			for c, e := range y[:cols] {
				y[c] = e / s
			}
		}
	})
}

// SoftmaxGrad computes the gradient of the input of [Softmax] from its output y:
// dx[r,c] = y[r,c] * (dy[r,c] - sum over c of dy[r,c]*y[r,c]), where the sum is [Dot]'s. It may work in place.
// Shapes: all [rows, cols].
func SoftmaxGrad(rows, cols int, dx, dy, y []float32) {
	eachRows(rows, cols, dx, dy, y, func(cols int, dx, dy, y []float32) {
		for r := 0; r < len(dx); r += cols {
			dx, dy, y := dx[r:][:cols], dy[r:][:cols], y[r:][:cols]
			s := Dot(dy, y)
			for c, d := range dy {
				dx[c] = y[c] * (d - s)
			}
		}
	})
}

// LogSoftmax computes y[r,c] = x[r,c] - m - log(sum over c of exp(x[r,c]-m)), where m is the row's maximum. It may work
// in place. Shapes: y, x [rows, cols].
func LogSoftmax(rows, cols int, y, x []float32) {
	eachRows(rows, cols, y, x, nil, func(cols int, y, x, _ []float32) {
		lessMax(cols, y, x)
		block := exponentials.Get().(*[fewExponentials]float32)
		defer exponentials.Put(block)
		for fit := max(1, len(block)/cols) * cols; len(y) > 0; y = y[min(fit, len(y)):] {
			subtractLogSums(cols, y[:min(fit, len(y))], block[:])
		}
	})
}

// subtractLogSums subtracts from each row the logarithm of the sum of its exponentials, in the order of [Sum]. The block
// holds a row at least, or else multiples of lanes.
func subtractLogSums(cols int, y, block []float32) {
	if cols <= len(block) {
		e := block[:len(y)]
		level.exp(e, y)
		for ; len(y) > 0; y, e = y[cols:], e[cols:] {
			subtract(y[:cols], Log(Sum(e[:cols])))
		}
		return
	}
	var s [lanes]float32
	for rest := y; len(rest) > 0; {
		e := block[:min(len(block), len(rest))]
		level.exp(e, rest[:len(e)])
		sumLanes(&s, e)
		rest = rest[len(e):]
	}
	subtract(y, Log(tree(&s)))
}

func subtract(y []float32, l float32) {
	for c, v := range y {
		y[c] = v - l
	}
}

// fewExponentials stay in a core's nearest cache.
const fewExponentials = 64 * lanes

// exponentials are recycled.
var exponentials = sync.Pool{New: func() any { return new([fewExponentials]float32) }}

// lessMax computes y = x - the row's maximum.
func lessMax(cols int, y, x []float32) {
	for ; len(x) > 0; y, x = y[cols:], x[cols:] {
		m := rowMax(x[:cols])
		y := y[:cols]
		for c, v := range x[:cols] {
			y[c] = v - m
		}
	}
}

// eachRows calls f for ranges of the rows of matrices [rows, cols], on all cores. The third may be nil.
func eachRows(rows, cols int, dst, a, b []float32, f func(cols int, dst, a, b []float32)) {
	type args struct {
		cols      int
		dst, a, b []float32
		f         func(cols int, dst, a, b []float32)
	}
	each(rows, cols*costExp, args{cols, dst, a, b, f}, func(m args, from, to int) {
		from, to = from*m.cols, to*m.cols
		var b []float32
		if m.b != nil {
			b = m.b[from:to]
		}
		m.f(m.cols, m.dst[from:to], m.a[from:to], b)
	})
}

// rowMax is the largest element of x, NaN if there is one. It compares numbers as integers of the same order, which takes
// no branch and little time for each.
func rowMax(x []float32) float32 {
	most, magnitude := int32(math.MinInt32), int32(0)
	for _, v := range x {
		bits := int32(math.Float32bits(v))
		magnitude = max(magnitude, bits&math.MaxInt32)
		most = max(most, bits^bits>>31&math.MaxInt32)
	}
	if magnitude > infBits {
		return float32(math.NaN())
	}
	return math.Float32frombits(uint32(most ^ most>>31&math.MaxInt32))
}
