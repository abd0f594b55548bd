package q8

import "github.com/goqat/goqat/quant"

// WordsMeans sets dst[c] to the clamped product of m with the sum over n < count of
// src[n*len(dst)+c], for as many channels as routines can, eight at a time, and
// returns how many these are.
func WordsMeans(dst, src []int16, count int, m quant.Multiplier, clamp quant.Grid) (done int) {
	const lanes = 8
	if level.words == nil || len(dst) < lanes {
		return 0
	}
	_ = src[count*len(dst)-1]
	w := workers.Get().(*worker)
	w.sums = grown(w.sums, lanes)
	for ; done+lanes <= len(dst); done += lanes {
		level.words.total(&w.sums[0], bytePointer(src[done:]), count, 2*len(dst))
		for i, sum := range w.sums {
			dst[done+i] = int16(clamp.Clamp(m.Apply(sum)))
		}
	}
	w.free()
	return done
}

// WordsArithmetic is ADD, SUB or MUL on codes of 16 bits, for package q16:
//
//	y = clamp(multiply(r_a + r_b, result)),  r_i = multiply(q_i << 15, factor_i)
//
// or with a minus, or y = clamp(multiply(q_a*q_b, result)). It is read-only.
type WordsArithmetic struct {
	lanes     int
	swapped   bool // the routine takes b first
	routine   func(dst, a, b *byte, n int, constants *int32)
	constants []int32
}

// wordBits is the number of bits by which sums raise the precision of codes.
const wordBits = 15

// NewWordsSum prepares a sum, or a difference. It returns nil where there is no
// routine, or its constants do not hold.
func NewWordsSum(left, right, result quant.Multiplier, minus bool, clamp quant.Grid) *WordsArithmetic {
	words := level.words
	if words == nil {
		return nil
	}
	o := &WordsArithmetic{lanes: words.lanes, routine: words.sum}
	half := quant.Multiplier{Mantissa: 1 << 30}
	switch {
	case minus:
		o.routine = words.difference
	case left == half || right == half:
		o.routine = words.sumOfHalf
		if o.swapped = left != half; o.swapped {
			left, right = right, left
		}
	}
	const low, high = -1 << (15 + wordBits), (1<<15 - 1) << wordBits
	first, ok := lane{}, true // halved
	if minus || left != half && !o.swapped {
		first, ok = newLaneBetween(left, 0, true, 0, low, high)
	}
	second, okRight := newLaneBetween(right, 0, true, 0, low, high)
	// Neither factor is above a half.
	if !ok || !okRight || !o.set(first, second, result, -1<<30, 1<<30-1<<14, clamp) {
		return nil
	}
	return o
}

// NewWordsProduct prepares a product, or returns nil.
func NewWordsProduct(result quant.Multiplier, clamp quant.Grid) *WordsArithmetic {
	if level.words == nil {
		return nil
	}
	o := &WordsArithmetic{lanes: level.words.lanes, routine: level.words.product}
	if !o.set(lane{}, lane{}, result, -(1<<15-1)<<15, 1<<30, clamp) {
		return nil
	}
	return o
}

// set makes the constants, for results from low to high.
func (o *WordsArithmetic) set(left, right lane, result quant.Multiplier, low, high int64, clamp quant.Grid) bool {
	last, ok := newLaneBetween(result, 0, true, 0, low, high)
	size := fields * o.lanes
	o.constants = aligned[int32](3*size + limitWords)
	for i := range o.lanes {
		left.put(o.constants, o.lanes, i)
		right.put(o.constants[size:], o.lanes, i)
		last.put(o.constants[2*size:], o.lanes, i)
	}
	putWordLimits(o.constants[3*size:], clamp)
	return ok
}

// Run computes as many of the first elements as routines can, and returns how many
// these are.
func (o *WordsArithmetic) Run(dst, a, b []int16) int {
	n := len(dst) / o.lanes * o.lanes
	if n == 0 {
		return 0
	}
	if o.swapped {
		a, b = b, a
	}
	o.routine(bytePointer(dst[:n]), bytePointer(a[:n]), bytePointer(b[:n]), n, &o.constants[0])
	return n
}
