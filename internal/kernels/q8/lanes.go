package q8

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/goqat/goqat/quant"
)

// Vector routines requantize an accumulator in nine instructions, or seven where
// a clamp hides the sign. [quant.Multiplier.Apply] adds to the zero point
//
//	x = floor((acc*m + 2^30) / 2^31)        with m the mantissa
//	y = (x + 2^(n-1) - (1 if x < 0)) >> n   with n = -exponent, not less than 0
//
// and a product of unsigned numbers gives the same, because a number B with
// B*2m = 2^31 modulo 2^32 brings the 2^30 with it: the high word of
// (acc + B + 2^31) * 2m is x plus a constant J. So accumulators start at
// B + 2^31, and one addition of 2^(n-1) - J does the rest. The zero point, times
// 2^n, is added in the same place.
const (
	fieldStart = iota // of accumulators
	fieldEven         // 2m, all lanes
	fieldOdd          // 2m of odd lanes, moved to the even ones
	fieldAdd          // 2^(n-1) - J + zero point*2^n, less 1 unless the clamp hides the sign
	fieldAbove        // where the sum is above this, x was not negative: add the 1 again
	fieldShift        // n
	fields
)

// Epilogues of the routines.
const (
	modeClamped = iota // no correction of signs
	modeSigned
	modeSingle // in float32
	modeSums   // stores accumulators
)

// A lane is what one output channel needs: see above.
type lane [fields]int32

// newLane returns the lane for accumulators that stay within sum of bias; ok is
// false where that leaves the range in which the constants hold.
func newLane(m quant.Multiplier, zeroPoint int32, signed bool, bias int32, sum int64) (l lane, ok bool) {
	return newLaneBetween(m, zeroPoint, signed, bias, int64(bias)-sum, int64(bias)+sum)
}

// newLaneBetween is newLane for accumulators from low to high.
func newLaneBetween(m quant.Multiplier, zeroPoint int32, signed bool, bias int32, low, high int64) (l lane, ok bool) {
	if m.Mantissa == 0 || m.Exponent > 0 {
		return l, false
	}
	n := -m.Exponent
	mantissa := int64(m.Mantissa)
	shift := int64(1) << (30 - bits.TrailingZeros32(uint32(m.Mantissa))) // B
	if high+shift > math.MaxInt32 {
		shift = -shift
	}
	j := (shift*2*mantissa-1<<31)>>32 + mantissa
	half, less := int64(0), int64(0)
	if n > 0 {
		half = 1 << (n - 1)
	}
	if signed {
		less = 1
	}
	zero := int64(zeroPoint) << n
	x := func(acc int64) int64 { return (acc*mantissa + 1<<30) >> 31 }
	if low+min(shift, 0) <= math.MinInt32 || high+max(shift, 0) > math.MaxInt32 ||
		x(low)+half+zero-1 <= math.MinInt32 || x(high)+half+zero > math.MaxInt32 ||
		zero+half-2 <= math.MinInt32 || zero+half > math.MaxInt32 {
		return l, false
	}
	l = lane{
		fieldStart: int32(uint32(bias) + uint32(shift) + 1<<31),
		fieldEven:  int32(2 * uint32(m.Mantissa)),
		fieldAdd:   int32(uint32(half + zero - less - j)),
		fieldAbove: math.MinInt32,
		fieldShift: int32(n),
	}
	if n > 0 {
		l[fieldAbove] = int32(half + zero - 2)
	}
	return l, true
}

// newRealLane is newLane for the product with a real factor, rounded half away from
// zero. Rounding once, half up, needs no correction of signs. With the factor in 31
// bits, or a neighbor of it, that gives the same code for every accumulator, or ok is
// false: codes change at the same accumulators.
func newRealLane(factor float64, zeroPoint int32, clamp quant.Grid, bias int32, sum int64) (l lane, ok bool) {
	m := quant.QuantizeMultiplier(factor)
	n := -m.Exponent
	const most = 24 // bits: what is compared below fits in 64
	if m.Mantissa == 0 || n < 1 || n > most {
		return l, false
	}
	add := int64(1)<<(n-1) + int64(zeroPoint)<<n
	reach := max(int64(bias)+sum, sum-int64(bias))
	if x := reach + 1; reach >= 1<<31 || add+x > math.MaxInt32 || add-x < math.MinInt32 {
		return l, false
	}
	for _, off := range []int64{0, 1, -1, 2, -2, 3, -3} {
		mantissa := min(int64(m.Mantissa)+off, math.MaxInt32)
		if changesAlike(factor, mantissa, n, clamp.Min-zeroPoint, clamp.Max-zeroPoint) {
			return lane{
				fieldStart: int32(uint32(bias) + 1<<31),
				fieldEven:  int32(2 * uint32(mantissa)),
				fieldAdd:   int32(uint32(add - mantissa)),
				fieldAbove: math.MinInt32,
				fieldShift: int32(n),
			}, true
		}
	}
	return l, false
}

// changesAlike reports whether acc*factor, rounded half away from zero, and
// floor(acc*mantissa/2^(31+n) + 1/2) become each number above low, up to high, at the
// same acc.
func changesAlike(factor float64, mantissa int64, n int, low, high int32) bool {
	inverse := 1 / factor
	// The formulas differ by less than this many accumulators.
	near := float64(max(high, -low)+1) * inverse * 0x1p-28
	// What a tie at an accumulator leaves above a whole number, in 64 bits, plus near: below
	// width where the tie is beside one. Of all ties if near is half of their distance.
	at, step, width := turns((float64(low)+.5)*inverse+near), turns(inverse), uint64(math.MaxUint64)
	if near < .5 {
		width = turns(2 * near)
	}
	for k := int64(low) + 1; k <= int64(high); k++ {
		beside := at <= width
		at += step
		if !beside {
			continue
		}
		tie := float64(k) - .5
		acc := int64(math.Ceil(tie * inverse)) // the first above the tie, or a neighbor: then false
		change := (2*k - 1) << (30 + n)
		if float64(acc)*factor <= tie || float64(acc-1)*factor >= tie || acc*mantissa < change || (acc-1)*mantissa >= change {
			return false
		}
	}
	return true
}

// turns returns what x is above a whole number, times 2^64.
func turns(x float64) uint64 { return uint64((x - math.Floor(x)) * 0x1p64) }

// raisedBits is by how many bits accumulators are raised for [newRaisedLane].
const raisedBits = 6

// newRaisedLane is newLane for accumulators that come multiplied by 2^raisedBits,
// with 2^31 added. Instead of B, the constant that is added rounds at the lower
// end, and the correction of signs adds 2^raisedBits.
func newRaisedLane(m quant.Multiplier, zeroPoint int32, signed bool, bias int32, sum int64) (l lane, ok bool) {
	l, ok = newLane(m, zeroPoint, signed, bias, sum)
	if !ok {
		return l, false
	}
	n, mantissa := l[fieldShift], int64(m.Mantissa)
	base := int64(zeroPoint)<<n + 1<<n>>1
	if signed {
		base--
	}
	reach := max(int64(bias)+sum, sum-int64(bias))
	if x := reach*mantissa>>31 + 1; n+raisedBits > 31 || reach >= 1<<(31-raisedBits) ||
		base+x+2 > math.MaxInt32>>raisedBits || base-x-2 < math.MinInt32>>raisedBits {
		return l, false
	}
	l[fieldStart] = 0
	l[fieldAdd] = int32(uint32(base<<raisedBits + 1<<(raisedBits-1) - mantissa))
	l[fieldShift] = n + raisedBits
	if n > 0 {
		l[fieldAbove] = int32(base<<raisedBits - 1)
	}
	return l, true
}

// newLane returns the lane of channel c; see the function.
func (r *rescaler) newLane(c int, bias int32, sum int64) (l lane, ok bool) {
	switch {
	case r.singles != nil:
		return r.singleLane(c, 1, bias), true
	case sum == 0:
		return r.deadLane(c, bias, 1), true
	case r.factors != nil:
		return newRealLane(r.factors[c], r.zero, r.clamp, bias, sum)
	}
	return newLane(r.multipliers[c], r.zero, r.correctsSign(), bias, sum)
}

// newRaisedLane returns the raised lane of channel c; see the function.
func (r *rescaler) newRaisedLane(c int, bias int32, sum int64) (l lane, ok bool) {
	if r.singles != nil {
		return r.singleLane(c, 1<<raisedBits, math.MinInt32), max(int64(bias)+sum, sum-int64(bias)) < 1<<(31-raisedBits)
	}
	if sum > 0 {
		return newRaisedLane(r.multipliers[c], r.zero, r.correctsSign(), bias, sum)
	}
	return r.deadLane(c, bias, 1<<raisedBits), true
}

// Fields of a lane for the epilogue in float32.
const (
	singleFactor = fieldEven
	singleZero   = fieldAdd
	singleLow    = fieldAbove // limits of the code, less the zero point
	singleHigh   = fieldShift
)

// singleLane returns the lane of channel c for the epilogue in float32, of
// accumulators that come multiplied by a power of two.
func (r *rescaler) singleLane(c int, times, start int32) lane {
	l := singleLane(r.singles[c]/float32(times), r.zero, r.clamp)
	l[fieldStart] = start
	return l
}

func singleLane(factor float32, zero int32, clamp quant.Grid) lane {
	bits := func(x float32) int32 { return int32(math.Float32bits(x)) }
	return lane{
		singleFactor: bits(factor), singleZero: zero,
		singleLow: bits(float32(clamp.Min - zero)), singleHigh: bits(float32(clamp.Max - zero)),
	}
}

// deadLane returns the lane of a channel without weights, whose bias may be
// anything. unit is what the correction of signs adds.
func (r *rescaler) deadLane(c int, bias, unit int32) lane {
	l := lane{fieldAdd: int32(r.code(bias, c)), fieldAbove: math.MinInt32}
	if r.correctsSign() {
		l[fieldAdd] -= unit
	}
	return l
}

// correctsSign reports whether rounding needs the correction of signs. It does not
// where the clamp removes all codes below the zero point, as rounding halves up or
// away from zero is the same for others, nor with real factors.
func (r *rescaler) correctsSign() bool { return r.clamp.Min < r.zero && r.factors == nil }

// mode returns the epilogue for channels that are all inside the range of
// [rescaler.newLane], or not.
func (r *rescaler) mode(inside bool) int {
	switch {
	case !inside:
		return modeSums
	case r.singles != nil:
		return modeSingle
	case r.correctsSign():
		return modeSigned
	}
	return modeClamped
}

// put writes lane number i of a vector of constants.
func (l *lane) put(vector []int32, lanes, i int) {
	for f, v := range l {
		vector[f*lanes+i] = v
	}
	if i%2 == 1 {
		vector[fieldOdd*lanes+i-1] = l[fieldEven]
	}
}

// limitWords is the size in words of the clamp's limits: a vector of each.
const limitWords = 32

// putLimits writes the codes that outputs are clamped to.
func putLimits(words []int32, clamp quant.Grid) {
	for i := range limitWords / 2 {
		words[i] = int32(uint32(uint8(clamp.Min)) * 0x01010101)
		words[limitWords/2+i] = int32(uint32(uint8(clamp.Max)) * 0x01010101)
	}
}

// putWordLimits writes limits of codes of 16 bits.
func putWordLimits(words []int32, clamp quant.Grid) {
	for i := range limitWords / 2 {
		words[i] = int32(uint32(uint16(clamp.Min)) * 0x00010001)
		words[limitWords/2+i] = int32(uint32(uint16(clamp.Max)) * 0x00010001)
	}
}

// Lines of constants of the routines with real numbers: one number repeated.
const (
	lineFactor = iota // of a border
	lineHalf          // the largest number below one half
	lineSign
	lineLow // limits of the code, less the zero point
	lineHigh
	lineZero    // int32
	lineFlip    // what turns signed codes into those of the type
	lineInverse // of the factor
	lines

	lineBytes = 64
)

// setLine writes v to all of a line.
func setLine[T int32 | float32 | float64 | uint64](constants []byte, line int, v T) {
	to := unsafe.Slice((*T)(unsafe.Pointer(&constants[line*lineBytes])), lineBytes/unsafe.Sizeof(v))
	for i := range to {
		to[i] = v
	}
}

// realLines returns the constants for sums with real factors.
func (r *rescaler) realLines() []byte {
	constants := aligned[byte](lines * lineBytes)
	setLine(constants, lineHalf, math.Nextafter(.5, 0))
	setLine(constants, lineSign, uint64(1)<<63)
	setLine(constants, lineLow, float64(r.clamp.Min-r.zero))
	setLine(constants, lineHigh, float64(r.clamp.Max-r.zero))
	setLine(constants, lineZero, r.zero)
	return constants
}

// aligned returns n elements at an address that whole vectors do not straddle
// cache lines at.
func aligned[T int32 | float64 | byte](n int) []T {
	const line = 64
	size := int(unsafe.Sizeof(T(0)))
	s := make([]T, n+line/size)
	skip := -uintptr(unsafe.Pointer(&s[0])) % line / uintptr(size)
	return s[skip : int(skip)+n : int(skip)+n]
}
