package export

import (
	"math"
	"slices"

	"github.com/x448/float16"

	"github.com/goqat/goqat/graph"
)

// maxHalf is the greatest finite float16.
const maxHalf = 65504

// halve returns values in float16, rounded to nearest even and limited to ±maxHalf.
func halve(values []float32) []uint16 {
	bits := make([]uint16, len(values))
	for i, v := range values {
		bits[i] = float16.Fromfloat32(min(max(v, -maxHalf), maxHalf)).Bits()
	}
	return bits
}

// fromHalf returns what a float16 stands for.
func fromHalf(bits uint16) float64 { return float64(float16.Frombits(bits).Float32()) }

// A half is a weight in float16.
type half struct {
	at           int // among the weights
	bits, other  uint16
	error, shift float64 // of bits, and what other adds to it
	// cost is by how much other's error is greater. The sum of squared errors grows
	// by that much for each unit that the sum of errors moves.
	cost float64
}

// halfOf returns the float16 nearest to v, which is given, and the one on the other
// side of v; ok is false where there is none, as v is a float16 or beyond them.
func halfOf(at int, v float32, nearest uint16) (h half, ok bool) {
	h = half{at: at, bits: nearest}
	near := fromHalf(h.bits)
	if h.error = near - float64(v); h.error == 0 || v < -maxHalf || v > maxHalf {
		return h, false
	}
	h.other = h.bits + 1 // away from zero
	if (h.error > 0) == (v > 0) {
		h.other = h.bits - 1
	}
	h.shift = fromHalf(h.other) - near
	h.cost = math.Abs(h.error+h.shift) - math.Abs(h.error)
	return h, true
}

// balance takes the other float16 for some weights so that the errors of all add up to
// about zero: those first that cost least, as long as they bring the sum nearer. What
// is left is at most half of any shift against it.
func balance(halves []half) {
	sum := 0.0
	for _, h := range halves {
		sum += h.error
	}
	slices.SortFunc(halves, func(a, b half) int {
		switch {
		case a.cost < b.cost:
			return -1
		case a.cost > b.cost:
			return 1
		}
		return a.at - b.at
	})
	for again := true; again; {
		again = false
		for i, h := range halves {
			if next := sum + h.shift; math.Abs(next) < math.Abs(sum) {
				sum, again = next, true
				halves[i] = half{at: h.at, bits: h.other, other: h.bits, error: h.error + h.shift, shift: -h.shift, cost: -h.cost}
			}
		}
	}
}

// balanceFilters rounds weights of an anchor again, which bits holds in float16: those
// that add to one output are balanced.
func balanceFilters(bits []uint16, w *graph.Tensor, op graph.Anchored) {
	values := w.Float32s()
	inner, filters := graph.Inner(w.Shape, op.ChannelAxis()), w.Shape[op.ChannelAxis()]
	var halves []half
	for filter := range filters {
		halves = halves[:0]
		for block := filter * inner; block < len(values); block += filters * inner {
			for i := block; i < block+inner; i++ {
				if h, ok := halfOf(i, values[i], bits[i]); ok {
					halves = append(halves, h)
				}
			}
		}
		balance(halves)
		for _, h := range halves {
			bits[h.at] = h.bits
		}
	}
}
