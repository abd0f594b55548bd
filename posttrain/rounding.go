package posttrain

import (
	"math"

	"github.com/goqat/goqat/quant"
)

// shrinkage is the share by which mean products of different inputs are taken to
// be nearer to zero than they are over the samples, so that the codes chosen fit
// other data too.
const shrinkage = 0.1

// maxPairs is the greatest number of weights of an output of which pairs are
// changed at once: the work grows with its square.
const maxPairs = 1024

// rounding is the search for the codes of one output of a layer. For the
// differences e = code - w/scale, the squared error of the output is scale^2
// times
//
//	cost = e' S e + 2 e'd + constant
//
// with the mean products S of the inputs and the mean product d of each with the
// error that the float weights make, in codes.
type rounding struct {
	square []float64 // S, [n, n]
	slope  []float64 // S e + d, half the gradient
	floor  []float64 // of w/scale
	code   []float64
	grid   quant.Grid
}

// round returns codes of one output whose weights, divided by the scale, are
// units: one of the two next to each. From the nearest codes it goes on to change
// single codes, and pairs of codes where no single one helps, as long as the cost
// falls.
func (m moments) round(units []float64, output int, scale float64, g quant.Grid) []int32 {
	n := m.taps
	group := output / (m.outputs / m.groups)
	r := rounding{square: m.square[group*n*n:][:n*n], grid: g, slope: make([]float64, n), floor: make([]float64, n), code: make([]float64, n)}
	for k, d := range m.shift[output*n:][:n] {
		r.floor[k] = math.Floor(units[k])
		r.code[k] = min(max(math.Round(units[k]), float64(g.Min)), float64(g.Max))
		r.slope[k] = d / scale
	}
	for k, u := range units {
		r.move(k, r.code[k]-u)
	}
	const sweeps = 20
	for range sweeps {
		if !r.singles() && !r.pairs() {
			break
		}
	}
	codes := make([]int32, n)
	for k, c := range r.code {
		codes[k] = int32(c)
	}
	return codes
}

// move adds to the slope what changing e[k] by d does.
func (r *rounding) move(k int, d float64) {
	if d == 0 {
		return
	}
	row := r.square[k*len(r.slope):][:len(r.slope)]
	for j, s := range row {
		r.slope[j] += float64(s * d)
	}
}

// other returns the way from code k to the other one that the weight is between;
// ok is false if that is outside of the grid.
func (r *rounding) other(k int) (d float64, ok bool) {
	d = 1
	if r.code[k] > r.floor[k] {
		d = -1
	}
	return d, r.grid.Contains(int32(r.code[k] + d))
}

// change returns what moving code k by d = ±1 alone adds to the cost.
func (r *rounding) change(k int, d float64) float64 {
	return 2*d*r.slope[k] + r.square[k*len(r.slope)+k]
}

// gain is the least that a step must take off the cost, as a share of the mean
// square of its input: more than rounding errors are.
const gain = 1e-9

// singles changes each code that is better changed, and reports whether any was.
func (r *rounding) singles() (moved bool) {
	for k := range r.code {
		d, ok := r.other(k)
		if ok && r.change(k, d) < -gain*r.square[k*len(r.code)+k] {
			r.code[k] += d
			r.move(k, d)
			moved = true
		}
	}
	return moved
}

// pairs changes each code together with the earlier one that makes most of it,
// where that is better, and reports whether any was.
func (r *rounding) pairs() (moved bool) {
	n := len(r.code)
	if n > maxPairs {
		return false
	}
	for k := range n {
		d, ok := r.other(k)
		if !ok {
			continue
		}
		row, alone := r.square[k*n:][:n], r.change(k, d)
		best, least, way := -1, -gain*row[k], 0.0
		for j := range k {
			if e, ok := r.other(j); ok {
				if c := alone + r.change(j, e) + 2*d*e*row[j]; c < least {
					best, least, way = j, c, e
				}
			}
		}
		if best >= 0 {
			r.code[k] += d
			r.code[best] += way
			r.move(k, d)
			r.move(best, way)
			moved = true
		}
	}
	return moved
}
